// Our own limits: buckets, windows and what clients are told, by a clock of the tests' own.
import Configuration
import Testing
import Translation

@testable import Proxy

private let second = 1_000_000_000
private let minute = 60 * second
private let day = 86_400 * second
/// 2025-11-25T12:00:00Z.
private let noon = 1_764_072_000 * second

@Suite struct TokenBucketTests {
    @Test func aFullBucketGivesItsLimitAtOnce() {
        var bucket = TokenBucket(limit: 3, now: noon)
        for left in [2, 1, 0] {
            #expect(bucket.wait(for: 1) == 0)
            bucket.take(1)
            #expect(bucket.remaining == left)
        }
        #expect(bucket.wait(for: 1) == 20 * second)
        #expect(bucket.waitForAll == minute)
    }

    @Test func itFillsUpSteadilyAndNoFurther() {
        var bucket = TokenBucket(limit: 60, now: noon)
        bucket.take(60)
        bucket.pass(to: noon + 10 * second)
        #expect(bucket.remaining == 10)
        bucket.pass(to: noon + 10 * second + second / 2)
        #expect(bucket.remaining == 10 && bucket.wait(for: 11) == second / 2)
        bucket.pass(to: noon + day)
        #expect(bucket.remaining == 60 && bucket.waitForAll == 0)
    }

    @Test func waitingAsLongAsItSaysIsEnough() {
        for limit in [1, 7, 60, 333, 1_000_000] {
            var bucket = TokenBucket(limit: limit, now: noon)
            bucket.take(limit)
            var now = noon
            for amount in [1, limit / 3 + 1, limit] {
                let wait = bucket.wait(for: amount)
                #expect(wait > 0)
                now += wait
                bucket.pass(to: now)
                #expect(bucket.wait(for: amount) == 0, "\(amount) of \(limit)")
                bucket.take(amount)
            }
        }
    }

    @Test func debtsArePaidByWaiting() {
        var bucket = TokenBucket(limit: 60, now: noon)
        bucket.take(90)
        #expect(bucket.remaining == 0 && bucket.wait(for: 1) == 31 * second)
        bucket.take(-40)
        #expect(bucket.remaining == 10)
    }

    @Test func whatIsMoreThanTheLimitGoesWhenTheBucketIsFull() {
        var bucket = TokenBucket(limit: 60, now: noon)
        #expect(bucket.wait(for: 600) == 0)
        bucket.take(600)
        #expect(bucket.wait(for: 600) == 10 * minute)
    }

    @Test func aClockThatIsSetBackCostsNothing() {
        var bucket = TokenBucket(limit: 60, now: noon)
        bucket.take(60)
        bucket.pass(to: noon - day)
        bucket.pass(to: noon - day + 5 * second)
        #expect(bucket.remaining == 5)
    }
}

@Suite struct BudgetWindowTests {
    @Test func aDayEndsAtMidnight() {
        var window = BudgetWindow(limit: 100, per: .day, now: noon)
        #expect(window.waitForAll(now: noon) == day / 2)
        window.take(99)
        #expect(window.wait(now: noon) == 0)
        window.take(50)
        #expect(window.remaining == 0 && window.wait(now: noon) == day / 2)
        window.pass(to: noon + day / 2 - 1)
        #expect(window.remaining == 0)
        window.pass(to: noon + day / 2)
        #expect(window.remaining == 100 && window.waitForAll(now: noon + day / 2) == day)
    }

    @Test(arguments: [
        // 2025-11-25, 2025-12-31, 2024-02-29 and 2025-02-01, and where their months end.
        (1_764_072_000, 1_764_547_200), (1_767_225_599, 1_767_225_600),
        (1_709_164_800, 1_709_251_200), (1_738_368_000, 1_740_787_200),
    ])
    func aMonthEndsWithItsLastDay(now: Int, end: Int) {
        let window = BudgetWindow(limit: 1, per: .month, now: now * second)
        #expect(window.waitForAll(now: now * second) == (end - now) * second)
    }

    @Test func whatWasTakenTooMuchIsGivenBack() {
        var window = BudgetWindow(limit: 100, per: .day, now: noon)
        window.take(80)
        window.take(-30)
        #expect(window.remaining == 50)
        window.take(-80)
        #expect(window.remaining == 100)
    }
}

@Suite struct ModelAllowanceTests {
    private func allowance(
        requests: Int? = nil, tokens: Int? = nil, budget: Int? = nil
    ) -> ModelAllowance {
        ModelAllowance(
            requests: requests.map { ModelLimit("*", $0, per: .minute) },
            tokens: tokens.map { ModelLimit("*", $0, per: .minute) },
            budgets: [budget.map { ModelLimit("*", $0, per: .day) }].compactMap { $0 }, now: noon)
    }

    @Test func theLongestWaitIsTold() throws {
        var allowance = allowance(requests: 1, tokens: 10, budget: 1000)
        try allowance.enter(tokens: 100, now: noon)
        let tokens = ModelAllowance.Excess(limit: .tokens, wait: 9 * minute + 6 * second)
        #expect(throws: tokens) { try allowance.enter(tokens: 1, now: noon) }
        allowance.settle(estimate: 100, used: 2000, now: noon)
        let budget = ModelAllowance.Excess(limit: .budget, wait: day / 2)
        #expect(throws: budget) { try allowance.enter(tokens: 1, now: noon) }
    }

    @Test func whatIsRefusedTakesNothing() throws {
        var allowance = allowance(requests: 10, tokens: 100)
        try allowance.enter(tokens: 60, now: noon)
        for _ in 0..<3 {
            #expect(throws: ModelAllowance.Excess.self) {
                try allowance.enter(tokens: 60, now: noon)
            }
        }
        #expect(allowance.requestFigures(now: noon)?.remaining == 9)
        #expect(allowance.tokenFigures(now: noon)?.remaining == 40)
    }

    @Test func anEstimateIsCorrectedBothWays() throws {
        var allowance = allowance(tokens: 100, budget: 1000)
        try allowance.enter(tokens: 60, now: noon)
        allowance.settle(estimate: 60, used: 10, now: noon)
        #expect(allowance.tokenFigures(now: noon)?.remaining == 90)
        try allowance.enter(tokens: 20, now: noon)
        allowance.settle(estimate: 20, used: 50, now: noon)
        #expect(allowance.tokenFigures(now: noon)?.remaining == 40)
    }

    @Test func theTighterLimitOfTokensIsShown() throws {
        var allowance = allowance(tokens: 100, budget: 150)
        try allowance.enter(tokens: 100, now: noon)
        let figures = ModelAllowance.Figures(limit: 100, remaining: 0, resetsAt: noon + minute)
        #expect(allowance.tokenFigures(now: noon) == figures)
        allowance.pass(to: noon + minute)
        let later = ModelAllowance.Figures(limit: 150, remaining: 50, resetsAt: noon + day / 2)
        #expect(allowance.tokenFigures(now: noon + minute) == later)
    }
}

@Suite struct RateLimitsTests {
    @Test func withoutLimitsNothingIsCounted() throws {
        let limits = RateLimits(requests: [], tokens: [], budgets: [])
        #expect(try limits.enter(model: "m", tokens: 5, now: noon) == nil)
        #expect(limits.figures(of: "m", now: noon).requests == nil)
    }

    @Test func everyModelHasItsOwnAndTheFirstMatchCounts() throws {
        let limits = RateLimits(
            requests: [ModelLimit("big*", 1, per: .minute), ModelLimit("*", 2, per: .minute)],
            tokens: [], budgets: [])
        _ = try limits.enter(model: "big-1", tokens: 5, now: noon)
        _ = try limits.enter(model: "big-2", tokens: 5, now: noon)
        #expect(throws: ModelAllowance.Excess.self) {
            try limits.enter(model: "big-1", tokens: 5, now: noon)
        }
        #expect(limits.figures(of: "big-1", now: noon).requests?.remaining == 0)
        _ = try limits.enter(model: "small", tokens: 5, now: noon)
        #expect(limits.figures(of: "small", now: noon).requests?.remaining == 1)
        #expect(limits.figures(of: "small", now: noon).tokens == nil)
    }

    @Test func modelsThatNobodyNamedShareALimitInTheEnd() throws {
        let limits = RateLimits(
            requests: [ModelLimit("*", 1, per: .minute)], tokens: [], budgets: [])
        for number in 0..<256 {
            _ = try limits.enter(model: "m\(number)", tokens: 1, now: noon)
        }
        _ = try limits.enter(model: "x", tokens: 1, now: noon)
        #expect(throws: ModelAllowance.Excess.self) {
            try limits.enter(model: "y", tokens: 1, now: noon)
        }
    }

    @Test func threadsTogetherGetNoMoreThanTheLimit() async {
        let limits = RateLimits(
            requests: [ModelLimit("*", 100, per: .minute)], tokens: [], budgets: [])
        let granted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<50).filter { _ in
                        (try? limits.enter(model: "m", tokens: 1, now: noon)) != nil
                    }.count
                }
            }
            return await group.reduce(0, +)
        }
        #expect(granted == 100)
    }
}

@Suite struct LimitHeadersTests {
    private let prefix = "anthropic-ratelimit-tokens-"
    private let figures = ModelAllowance.Figures(
        limit: 100, remaining: 40, resetsAt: noon + 500_000)

    @Test func ourFiguresStandInForTheUpstreams() {
        var headers = [
            ("x", "y"), (prefix + "limit", "9"), (prefix + "remaining", "41"),
            (prefix + "reset", "z"), ("anthropic-ratelimit-requests-remaining", "1"),
        ]
        LimitHeaders.merge(figures, "tokens", into: &headers)
        #expect(
            headers.map { $0.0 + ": " + $0.1 } == [
                "x: y", "anthropic-ratelimit-requests-remaining: 1", prefix + "limit: 100",
                prefix + "remaining: 40", prefix + "reset: 2025-11-25T12:00:00.001Z",
            ])
    }

    @Test func theUpstreamsFiguresStayWhereTheyAreTighter() {
        var headers = [(prefix + "remaining", "39")]
        LimitHeaders.merge(figures, "tokens", into: &headers)
        #expect(headers.map(\.1) == ["39"])
        LimitHeaders.merge(nil, "tokens", into: &headers)
        #expect(headers.map(\.1) == ["39"])
    }

    @Test func anErrorSaysWhenToComeBack() {
        let soon = APIError(.init(limit: .requests, wait: 1), model: "m")
        #expect(soon.status == 429 && soon.kind == .rateLimit)
        #expect(soon.retryAfterSeconds == 1 && soon.shouldRetry == nil)
        let late = APIError(.init(limit: .budget, wait: 61 * second), model: "m")
        #expect(late.retryAfterSeconds == 61 && late.shouldRetry == false)
    }
}
