// What the operator wants of requests and answers.

/// Bounds that the operator sets.
package struct RequestLimits: Sendable {
    /// Lower bound for `max_tokens`.
    package var minTokens: Int?
    /// Upper bound for `max_tokens`.
    package var maxTokens: Int?
    /// Tokens to reason within that requests get beside their limit when they want no thinking.
    package var reasoningHeadroom = 0
    /// `max_tokens` or `max_completion_tokens`; `nil` leaves it to the dialect.
    package var usesMaxCompletionTokens: Bool?
    /// How hard the model is to think, whatever the client asks for: `off`, or an effort.
    package var reasoningEffort: String?
    /// Whether Claude Code's attribution block, which spoils prefix caches, is left out.
    package var stripsAttribution = true
    /// Refuse what cannot be translated instead of dropping and counting it.
    package var isStrict = false
    /// Whether a request that wants to be answered in a region is refused: none is promised here.
    package var refusesInferenceGeo = false
    /// Where system entries inside `messages` go; `nil` leaves it to the dialect.
    package var systemEntries: Dialect.SystemEntries?
    /// Whether a request that ends with an assistant message is refused.
    package var refusesPrefill = false
    /// Whether the model is asked to do what `compaction` wants, instead of a refusal.
    package var emulatesCompaction = false
    /// Whether reasoning of earlier turns stays here.
    package var keepsReasoning = false
    /// Whether only the reasoning since the user's last words goes back.
    package var replaysThisTurnAlone = false
    /// Whether what newer versions of Anthropic's interface refuse is refused here too.
    package var refusesAsAnthropic = false
    /// Whether the system prompt's role is `developer` for the models that have one.
    package var usesDeveloperRole = false
    /// Names of tools that the upstream keeps for its own; ours get another name.
    package var reservedToolNames: Set<String> = []
    /// Whether a tool's description shows the examples of its input.
    package var showsInputExamples = false
    /// What becomes of Anthropic's search tool.
    package var webSearch = WebSearchPolicy.reject
    /// Whether the upstream is told a digest of the end user's id.
    package var forwardsUser = false
    /// Whether tools with `defer_loading` are offered from the start.
    package var includesDeferredTools = false
    /// Whether models think that nobody has told whether to.
    package var thinksUnasked = true
    /// Where the effort stands; `nil` leaves it to the dialect.
    package var effortPlace: ReasoningControl.Place?
    /// The `service_tier` that fast answers are asked for with.
    package var fastTier: String?
    /// Whether places to cache are told to the models that take them.
    package var marksCacheBreakpoints = false
    /// Fields of clients that go upstream as they are.
    package var passedFields: Set<String> = []
    /// Members that every request gets, as JSON; they take the place of ours.
    package var extraBody: ExtraBody?
    /// How answers are shaped.
    package var answers = AnswerOptions()

    /// The defaults.
    package init() {}
}

/// What becomes of Anthropic's search tool.
package enum WebSearchPolicy: Sendable {
    /// Refused when it is all that is offered, else left out.
    case reject
    /// Left out.
    case drop
    /// The upstream's own search, where it has one.
    case upstream
}
