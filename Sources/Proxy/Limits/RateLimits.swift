// Our own limits of requests and tokens, for each upstream model.
internal import Configuration
internal import Synchronization
internal import Translation

/// The limits of all models; shared by all workers, one short lock when a request begins and one
/// when it has ended.
final class RateLimits: Sendable {
    /// What a request took when it was let in.
    struct Grant: Sendable {
        fileprivate let key: String
        /// Tokens that it was thought to use.
        let estimate: Int
    }

    /// Names come from clients where no map stands in between; beyond so many they share one limit.
    private static let modelsMax = 256

    private let limits: (requests: [ModelLimit], tokens: [ModelLimit], budgets: [ModelLimit])
    private let isOn: Bool
    private let allowances = Mutex<[String: ModelAllowance]>([:])

    init(requests: [ModelLimit], tokens: [ModelLimit], budgets: [ModelLimit]) {
        limits = (requests, tokens, budgets)
        isOn = !requests.isEmpty || !tokens.isEmpty || !budgets.isEmpty
    }

    /// Lets a request in; `nil` where nothing is limited.
    func enter(
        model: String, tokens: Int, now: Int
    ) throws(ModelAllowance.Excess) -> Grant? {
        guard isOn else { return nil }
        return try allowances.withLock { allowances throws(ModelAllowance.Excess) in
            let isKnown = allowances[model] != nil || allowances.count < Self.modelsMax
            let key = isKnown ? model : ""
            var allowance = allowances[key] ?? allowance(for: model, now: now)
            defer { allowances[key] = allowance }
            try allowance.enter(tokens: tokens, now: now)
            return Grant(key: key, estimate: tokens)
        }
    }

    /// Corrects a grant by what was really used.
    func settle(_ grant: Grant, used: Int, now: Int) {
        allowances.withLock {
            $0[grant.key]?.settle(estimate: grant.estimate, used: used, now: now)
        }
    }

    /// What a client of a model is told: requests, then tokens.
    func figures(
        of model: String, now: Int
    ) -> (requests: ModelAllowance.Figures?, tokens: ModelAllowance.Figures?) {
        guard isOn else { return (nil, nil) }
        return allowances.withLock { allowances in
            guard var allowance = allowances[model] ?? allowances[""] else { return (nil, nil) }
            allowance.pass(to: now)
            return (allowance.requestFigures(now: now), allowance.tokenFigures(now: now))
        }
    }

    /// The first limit that fits counts, as in `MODEL_MAP`; of budgets the first for each window.
    private func allowance(for model: String, now: Int) -> ModelAllowance {
        func first(_ limits: [ModelLimit]) -> ModelLimit? {
            limits.first { ModelRule(pattern: $0.pattern, model: nil).fits(model) }
        }
        let budgets = ModelLimit.Window.allCases.compactMap { window in
            first(limits.budgets.filter { $0.window == window })
        }
        return ModelAllowance(
            requests: first(limits.requests), tokens: first(limits.tokens), budgets: budgets,
            now: now)
    }
}

extension RateLimits {
    convenience init(_ settings: Settings) {
        self.init(
            requests: settings.requestRates, tokens: settings.tokenRates,
            budgets: settings.tokenBudgets)
    }
}
