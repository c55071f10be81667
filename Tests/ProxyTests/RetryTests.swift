// When failed attempts are made again: the policy and the budget, as values.
import EventLoop
import Testing
import Translation
import Upstream

@testable import Proxy

private func status(_ status: Int, retryAfter: Int? = nil) -> AttemptFailure {
    AttemptFailure(
        APIError(
            .api, "x", label: .upstream5xx, status: status, retryAfterSeconds: retryAfter),
        .status(status))
}

private func broken(_ failure: TransferFailure, isReused: Bool = false) -> AttemptFailure {
    AttemptFailure(failure, isReused: isReused, host: "h")
}

@Suite struct RetryPolicyTests {
    let policy = RetryPolicy(retriesMax: 2)

    @Test(arguments: [429, 500, 502, 503, 504, 529])
    func badMomentsAreTriedAgain(code: Int) {
        #expect(policy.delay(after: status(code), retries: 0, random: 7) != nil)
    }

    @Test(arguments: [400, 401, 402, 403, 404, 413, 422, 501])
    func refusalsAreNot(code: Int) {
        #expect(policy.delay(after: status(code), retries: 0, random: 7) == nil)
    }

    @Test func connectionsThatFailOrBreakAreTriedAgain() {
        for failure in [
            TransferFailure.connect("refused"), .resolve(""), .connectTimeout,
            .closed(answered: true, reason: ""), .closed(answered: false, reason: ""),
        ] {
            #expect(policy.delay(after: broken(failure), retries: 0, random: 0) == .zero)
        }
    }

    @Test func trustAndNonsenseAreNotTriedAgain() {
        for failure in [TransferFailure.tls(""), .malformed(""), .other("")] {
            #expect(policy.delay(after: broken(failure), retries: 0, random: 0) == nil)
        }
    }

    @Test func whoeverSaysNotToRetryIsObeyed() {
        var failure = status(503)
        failure.error.shouldRetry = false
        #expect(policy.delay(after: failure, retries: 0, random: 0) == nil)
    }

    @Test func thereAreNoMoreRetriesThanAllowed() {
        #expect(policy.delay(after: status(503), retries: 1, random: 0) != nil)
        #expect(policy.delay(after: status(503), retries: 2, random: 0) == nil)
        let none = RetryPolicy(retriesMax: 0)
        #expect(none.delay(after: status(503), retries: 0, random: 0) == nil)
    }

    @Test(arguments: [(0, 250), (1, 500), (2, 1000), (5, 8000), (9, 8000), (60, 8000)])
    func theWaitIsDrawnFromABoundThatDoubles(retries: Int, milliseconds: Int) {
        let patient = RetryPolicy(retriesMax: 100)
        let bound = UInt64(milliseconds) * 1_000_000
        func delay(_ random: UInt64) -> Duration? {
            patient.delay(after: status(500), retries: retries, random: random)
        }
        #expect(delay(0) == .zero)
        #expect(delay(bound) == .milliseconds(milliseconds))
        #expect(delay(bound + 1) == .zero)
        #expect(delay(.max).map { $0 <= .milliseconds(milliseconds) } == true)
    }

    @Test func aWaitThatIsAskedForIsObeyedUpToAMinute() {
        func delay(_ seconds: Int, _ random: UInt64) -> Duration? {
            policy.delay(after: status(429, retryAfter: seconds), retries: 0, random: random)
        }
        #expect(delay(7, 0) == .seconds(7))
        #expect(delay(60, 1_000_000) == .milliseconds(60_001))
        #expect(delay(61, 0) == nil)
    }

    @Test func whatAMomentWillNotMendIsTakenElsewhereAtOnce() {
        #expect(broken(.connect("refused")).isLasting)
        #expect(status(429, retryAfter: 2).isLasting)
        #expect(!status(429, retryAfter: 1).isLasting)
        #expect(!status(503).isLasting)
    }

    @Test func aRefusalIsTheSameEverywhere() {
        #expect(!status(400).isPortable && !status(404).isPortable && !status(402).isPortable)
        #expect(status(429).isPortable && status(501).isPortable && broken(.tls("")).isPortable)
    }

    @Test func onlyAnOldConnectionWithoutAnAnswerIsStale() {
        let closed = TransferFailure.closed(answered: false, reason: "")
        #expect(broken(closed, isReused: true).cause == .stale)
        #expect(broken(closed).cause == .cut)
        let answered = TransferFailure.closed(answered: true, reason: "")
        #expect(broken(answered, isReused: true).cause == .cut)
    }

    @Test func aLackOfDescriptorsIsNobodyElsesFault() {
        let failure = broken(.exhausted)
        #expect(!failure.isPortable && !failure.isLasting && failure.verdict == nil)
        #expect(policy.delay(after: failure, retries: 0, random: 0) == nil)
        #expect(failure.error.status == 529 && failure.error.retryAfterSeconds == 1)
        var tries = Tries([0])
        var waited = Duration.zero
        while let delay = tries.waitForDescriptor() { waited += delay }
        #expect((.seconds(2) ... .seconds(3)).contains(waited))
    }

    @Test func anErrorInsideAnAnswerCountsAsItsStatus() {
        let busy = APIError(.overloaded, "busy", label: .upstreamOverloaded)
        #expect(AttemptFailure(told: busy).cause == .status(529))
        #expect(AttemptFailure(told: .answerless).cause == .malformed)
    }
}

@Suite struct RetryBudgetTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    /// How many of fifty retries are granted at a moment.
    private func granted(_ budget: inout RetryBudget, _ now: Instant) -> Int {
        var count = 0
        for _ in 0..<50 where budget.withdraw(now: now) { count += 1 }
        return count
    }

    @Test func theFirstRequestsMayRetryAndThenAFifthOfTheTraffic() {
        var budget = RetryBudget(now: start)
        #expect(granted(&budget, start) == 10)
        for _ in 0..<50 { budget.deposit() }
        #expect(granted(&budget, start) == 10)
        for _ in 0..<4 { budget.deposit() }
        #expect(granted(&budget, start) == 0)
    }

    @Test func aQuietSidecarGetsARetryASecondUpToTheFloor() {
        var budget = RetryBudget(now: start)
        #expect(granted(&budget, start) == 10)
        #expect(granted(&budget, start + .milliseconds(999)) == 0)
        #expect(granted(&budget, start + .seconds(1)) == 1)
        #expect(granted(&budget, start + .milliseconds(1999)) == 0)
        #expect(granted(&budget, start + .milliseconds(2000)) == 1)
        #expect(granted(&budget, start + .seconds(3600)) == 10)
    }

    @Test func whatIsSavedIsBounded() {
        var budget = RetryBudget(now: start)
        for _ in 0..<10_000 { budget.deposit() }
        #expect(budget.retries == 100)
        let isGranted = budget.withdraw(now: start + .seconds(100))
        #expect(isGranted && budget.retries == 99)
    }
}
