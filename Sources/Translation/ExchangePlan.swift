// What must be remembered of a request so that its answer can be translated.

/// Everything about one request that the translation of its answer needs.
///
/// A reference: it is much to copy, and several keep it. Nobody changes it once it is complete.
package final class ExchangePlan {
    /// The model name the client asked for; echoed in the answer.
    package var requestedModel: String
    /// The model name sent upstream.
    package var upstreamModel: String
    /// The dialect's name, for what must come back to a server of the same kind.
    package var dialect: String
    /// Whether the client asked for server-sent events.
    package var isStream: Bool
    /// What the client wants to see of the model's reasoning.
    package var thinking: ThinkingEmission
    /// Stop sequences to look for in the text ourselves; empty when the client named none.
    package var stopSequences: [String]
    /// Tool names as sent upstream, and what the client calls them.
    package var toolNames: ToolNames
    /// Ids of the tool calls in the request's history; a new call never gets one of them.
    package var usedToolIDs: Set<String>
    /// Whether the client accepts more than one tool call in one answer.
    package var allowsParallelToolUse: Bool
    /// Tokens of the request by our own estimate; used when the upstream reports no usage.
    package var estimatedInputTokens: Int
    /// What the translation could not carry over, by field; counted, never silent.
    package var losses: [String]
    /// What the translation mended in the history, by kind; counted.
    package var repairs: [String]
    /// What an emulated web search looked for; `nil` when the upstream was asked for none.
    package var webSearchQuery: String?
    /// How the answer is to be shaped.
    package var options: AnswerOptions
    /// What was known of the upstream when the request was written.
    package var knownQuirks: Set<Quirk>
    /// What the upstream was sent and no message of an error may show; see `ErrorContext`.
    package var secrets: [String]
    /// Whether the upstream was sent a key of ours rather than the client's.
    package var ownsKey: Bool
    /// Whether the upstream's limit is the client's for the text, with no room to reason within.
    package var lacksHeadroom: Bool
    /// The client's limit for the text, when the upstream was given a wider one to reason within.
    package var textTokensMax: Int?
    /// Bytes of the body up to the end of its messages.
    package var messagesEnd: Int
    /// Whether the messages go on with a conversation.
    package var hasHistory: Bool
    /// Whether the client is told how fast it was served, since it has asked for that.
    package var tellsSpeed: Bool
    /// Whether the answer is to be a summary of the conversation, in one `compaction` block.
    package var isCompaction: Bool
    /// Whether a code fence around the whole text is taken off when JSON is in it.
    package var stripsFences: Bool
    /// Text that the answer repeats when a prefill was emulated, to be cut from its start.
    package var prefill: String?

    /// A plan for a plain request; the request translator fills in the rest.
    package init(requestedModel: String, upstreamModel: String, isStream: Bool) {
        self.requestedModel = requestedModel
        self.upstreamModel = upstreamModel
        self.isStream = isStream
        dialect = "generic"
        thinking = .hidden
        stopSequences = []
        toolNames = ToolNames()
        usedToolIDs = []
        allowsParallelToolUse = true
        estimatedInputTokens = 0
        losses = []
        repairs = []
        webSearchQuery = nil
        options = AnswerOptions()
        knownQuirks = []
        secrets = []
        ownsKey = false
        lacksHeadroom = false
        textTokensMax = nil
        messagesEnd = 0
        hasHistory = false
        tellsSpeed = false
        isCompaction = false
        stripsFences = false
        prefill = nil
    }

    /// The model's name in the answer.
    var shownModel: String { options.showsUpstreamModel ? upstreamModel : requestedModel }
}

/// What the client sees of the model's reasoning (`thinking.type` and `thinking.display`).
package enum ThinkingEmission: Sendable {
    /// Thinking absent or disabled: no thinking blocks at all.
    case hidden
    /// Thinking blocks with their text.
    case shown
    /// Display `omitted`: empty thinking blocks whose signature carries the text.
    case omitted
}
