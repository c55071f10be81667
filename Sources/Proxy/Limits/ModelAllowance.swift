// What one upstream model may have: requests and tokens a minute, tokens a day and a month.
internal import Configuration

/// The limits of one model and what is left of them; pure, its time comes from outside.
struct ModelAllowance: Sendable, Equatable {
    /// Why a request may not go now.
    struct Excess: Error, Equatable {
        enum Limit: Equatable { case requests, tokens, budget }

        let limit: Limit
        /// Nanoseconds until it may.
        let wait: Int
    }

    /// What a client is told of a limit.
    struct Figures: Equatable {
        let limit: Int
        let remaining: Int
        /// When all of it will be there again, in nanoseconds since 1970.
        let resetsAt: Int
    }

    private var requests: TokenBucket?
    private var tokens: TokenBucket?
    private var budgets: [BudgetWindow]

    init(requests: ModelLimit?, tokens: ModelLimit?, budgets: [ModelLimit], now: Int) {
        self.requests = requests.map { TokenBucket(limit: $0.amount, now: now) }
        self.tokens = tokens.map { TokenBucket(limit: $0.amount, now: now) }
        self.budgets = budgets.map { BudgetWindow(limit: $0.amount, per: $0.window, now: now) }
    }

    /// Takes one request of so many tokens, or nothing.
    mutating func enter(tokens estimate: Int, now: Int) throws(Excess) {
        pass(to: now)
        let waits = [
            Excess(limit: .requests, wait: requests?.wait(for: 1) ?? 0),
            Excess(limit: .tokens, wait: tokens?.wait(for: estimate) ?? 0),
            Excess(limit: .budget, wait: budgets.map { $0.wait(now: now) }.max() ?? 0),
        ]
        if let longest = waits.max(by: { $0.wait < $1.wait }), longest.wait > 0 { throw longest }
        requests?.take(1)
        take(estimate)
    }

    /// Corrects what a request took by what it really used.
    mutating func settle(estimate: Int, used: Int, now: Int) {
        pass(to: now)
        take(used - estimate)
    }

    /// Requests; `nil` without a limit.
    func requestFigures(now: Int) -> Figures? {
        requests.map {
            Figures(limit: $0.limit, remaining: $0.remaining, resetsAt: now + $0.waitForAll)
        }
    }

    /// Tokens, by the limit that has least left, as Anthropic does; `nil` without one.
    func tokenFigures(now: Int) -> Figures? {
        let bucket = tokens.map {
            Figures(limit: $0.limit, remaining: $0.remaining, resetsAt: now + $0.waitForAll)
        }
        let windows = budgets.map {
            Figures(
                limit: $0.limit, remaining: $0.remaining, resetsAt: now + $0.waitForAll(now: now))
        }
        return ([bucket].compactMap { $0 } + windows).min { $0.remaining < $1.remaining }
    }

    /// Lets time pass.
    mutating func pass(to now: Int) {
        requests?.pass(to: now)
        tokens?.pass(to: now)
        for index in budgets.indices { budgets[index].pass(to: now) }
    }

    private mutating func take(_ amount: Int) {
        tokens?.take(amount)
        for index in budgets.indices { budgets[index].take(amount) }
    }
}
