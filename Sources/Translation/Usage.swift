// Token counts, upstream's and Anthropic's (translation 3.7).

/// Tokens of one exchange as Anthropic counts them: the total input is the sum of the three inputs.
package struct Usage: Equatable, Sendable {
    /// Input that was neither read from nor written to a cache.
    package var inputTokens = 0
    /// Input that came from a cache.
    package var cacheReadTokens = 0
    /// Input that was written to a cache.
    package var cacheCreationTokens = 0
    /// Output, reasoning included.
    package var outputTokens = 0
    /// Part of `outputTokens`; `nil` when the upstream does not tell.
    package var thinkingTokens: Int?
    /// Searches that the upstream made.
    package var webSearches = 0
    /// Whether the upstream served it with priority.
    package var isPriority = false
    /// The same for a client that has asked for speed, if the upstream tells.
    package var isFast: Bool?
    /// Whether the numbers are our own estimate because the upstream sent none.
    package var isEstimated = false

    /// The defaults.
    package init() {}
}

/// Why the model stopped, in Anthropic's words.
package enum StopReason: String, Sendable, CaseIterable {
    case endTurn = "end_turn"
    case maxTokens = "max_tokens"
    case stopSequence = "stop_sequence"
    case toolUse = "tool_use"
    case refusal = "refusal"
    case compaction = "compaction"
}
