// How a server is told how hard to think (translation 1.3).

/// How hard a model is asked to think, from not at all to as hard as it can.
package enum Effort: String, Sendable, CaseIterable {
    case none, minimal, low, medium, high, xhigh, max

    /// What is tried when a server refuses this one: harder than nothing, easier than the most.
    var next: Effort? {
        switch self {
        case .none: .minimal
        case .minimal: .low
        case .low: nil
        case .medium: .low
        case .high: .medium
        case .xhigh: .high
        case .max: .xhigh
        }
    }
}

/// One server's parameters for reasoning.
package struct ReasoningControl: Sendable, Equatable {
    /// The parameter that switches reasoning on and off.
    package enum Switch: Sendable {
        case none
        /// `thinking: {"type": "enabled"}` (DeepSeek, Kimi, GLM).
        case thinkingType
        /// `enable_thinking: true` (DashScope).
        case enableThinking
        /// `chat_template_kwargs: {"enable_thinking": true}` (vLLM, SGLang, llama.cpp).
        case chatTemplate
    }
    /// Where the effort stands.
    package enum Place: Sendable {
        case none
        /// `reasoning_effort`.
        case top
        /// `chat_template_kwargs.reasoning_effort` (llama.cpp).
        case chatTemplate
        /// `reasoning: {"effort": …}` (OpenRouter).
        case object
    }
    /// Where `thinking.budget_tokens` goes.
    package enum Budget: Sendable {
        case none
        /// `thinking_budget_tokens` (llama.cpp).
        case top
        /// `reasoning: {"max_tokens": …}` instead of an effort (OpenRouter).
        case object
    }

    /// How reasoning is switched on and off.
    package var toggle = Switch.none
    /// Where the effort stands.
    package var place = Place.none
    /// Where a budget goes.
    package var budget = Budget.none
    /// What the effort says when reasoning is off; `nil` says nothing.
    package var off: Effort?
    /// Which effort stands in for one that the server does not know.
    package var substitutes: [Effort: Effort] = [:]
    /// Efforts that the server has refused.
    package var refused: Set<Effort> = []
    /// Whether reasoning must be asked for apart from the text (Groq).
    package var asksForParsed = false

    /// Nothing is sent.
    package init() {}

    init(
        _ toggle: Switch = .none, effort place: Place = .none, off: Effort? = nil,
        _ substitutes: [Effort: Effort] = [:]
    ) {
        self.toggle = toggle
        self.place = place
        self.off = off
        self.substitutes = substitutes
    }

    /// For servers that know low, medium and high.
    static let upToHigh: [Effort: Effort] = [.minimal: .low, .xhigh: .high, .max: .high]

    /// The effort that the server takes; `nil` leaves it to the server.
    func accepted(_ asked: Effort) -> Effort? {
        var effort: Effort? = substitutes[asked] ?? asked
        while let refusedOne = effort, refused.contains(refusedOne) { effort = refusedOne.next }
        return effort
    }
}
