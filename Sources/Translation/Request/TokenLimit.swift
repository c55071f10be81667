// `max_tokens`: what the client asks for, and what the upstream is told (translation 1.1).
internal import JSON

/// The limit of one answer.
struct TokenLimit {
    /// What the client asks for; zero is an answer of nothing, `nil` leaves it to the upstream.
    let asked: Int?
    /// The same within the bounds that the operator and the server set.
    private(set) var bounded: Int?
    /// Room to reason within, which the upstream gets beside it.
    private var headroom = 0

    init(_ value: JSONValue?) throws(APIError) {
        guard let value, !value.isNull else {
            asked = nil
            return
        }
        guard let number = value.integer, number >= 0 else {
            throw .invalid("max_tokens: Input should be a non-negative integer")
        }
        asked = number
    }

    /// What the upstream is told.
    var sent: Int? { bounded.map { $0 + headroom } }

    /// Puts the limit between bounds, and tells the plan how the answer is to be measured.
    ///
    /// A client that wants no thinking means its limit for text alone; a model that thinks all the
    /// same gets room for that. With thinking the limit is for both, as Anthropic has it. A single
    /// token is asked for to see whether there is such a model.
    mutating func fit(_ limits: RequestLimits, _ dialect: Dialect, _ plan: ExchangePlan) {
        guard let asked else {
            // The upstream's own default, unless the operator has set a limit.
            bounded = limits.maxTokens.map { min($0, dialect.outputTokens.upperBound) }
            return
        }
        let bounds = dialect.outputTokens
        let most = min(limits.maxTokens ?? bounds.upperBound, bounds.upperBound)
        let bounded = max(min(max(asked, limits.minTokens ?? 1), most), bounds.lowerBound)
        self.bounded = bounded
        guard case .hidden = plan.thinking, !plan.isCompaction, asked > 1 else { return }
        headroom = max(limits.reasoningHeadroom, dialect.reasoningHeadroom)
        headroom = min(headroom, max(0, most - bounded))
        plan.lacksHeadroom = headroom == 0
        plan.textTokensMax = headroom > 0 ? bounded : nil
    }
}
