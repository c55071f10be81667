// What one kind of server accepts. A dialect is data: adding a server is adding a value.

/// The habits of one Chat Completions server, as far as a request depends on them.
package struct Dialect: Sendable, Equatable {
    /// Where entries of role `system` inside `messages` go (translation 2.3).
    package enum SystemEntries: String, Sendable, CaseIterable { case preserve, fold, hoist }
    /// Which reasoning goes back to the server, and how (translation 2.4).
    package enum ReasoningReplay: Sendable {
        case none
        /// `reasoning_content` wherever there is some.
        case content
        /// The same as `reasoning` too: versions of vLLM read the one or the other.
        case bothNames
        /// `reasoning_content` on each assistant message with tool calls, `""` when there is none.
        case everyToolCall
        /// OpenRouter's `reasoning_details` as they came, else `reasoning`.
        case details
        /// Thought signatures beside tool calls (Gemini).
        case thoughtSignatures
        /// Parts of type `thinking` before the text (Mistral).
        case parts
    }
    /// What tool call ids must look like (translation 2.6).
    package enum ToolIDStyle: Sendable {
        case atMost40, nineAlphanumerics
        /// `functions.<name>:<n>`, counted through the conversation (Kimi K2's template).
        case functionsAndNumber
    }
    /// What an assistant message at the end of a request means (translation 2.9).
    package enum Prefill: Sendable {
        /// Asked for in words.
        case emulated
        /// Continued by the server as it is.
        case automatic
        /// The same, but an answer in one piece begins with it again (llama.cpp).
        case repeated
        /// `continue_final_message` and `add_generation_prompt` in the request.
        case continueFinalMessage
        /// `"prefix": true` on the message.
        case prefix
    }
    /// What schemas of tools may hold (translation 2.8).
    package enum SchemaStyle: Sendable {
        case jsonSchema
        /// Without `$id` and `$comment` (Groq).
        case uncommented
        /// Compiled to a grammar: no `true` as a schema (llama.cpp).
        case grammar
        /// Gemini's subset of OpenAPI.
        case gemini
    }
    /// How structured output is asked for (translation 1.7).
    package enum StructuredOutput: Sendable, Comparable {
        /// In words alone.
        case instruction
        /// `json_object`, and the schema in words.
        case object
        /// `json_schema`.
        case schema
    }
    /// How much of `tool_choice` is obeyed (translation 1.6).
    package enum ToolChoices: Sendable, Comparable { case auto, required, named }

    /// What marks the end of a prefix that is worth caching (translation 1.1).
    package enum CacheMarkers: Sendable {
        /// Nothing: the server finds out by itself.
        case none
        /// `cache_control`, as it came.
        case cacheControl
        /// `prompt_cache_breakpoint` (newer GPT models).
        case breakpoint
    }

    /// What a web search by the server is asked for with (translation 1.5).
    package enum WebSearch: Sendable {
        case none
        /// `plugins` (OpenRouter).
        case plugin
        /// `web_search_options` (OpenAI's search models).
        case options
    }

    /// As `DIALECT` names it.
    package var name: String
    /// For a person.
    package var title: String
    /// Ends of host names, or `:` and a port, by which `DIALECT=auto` knows the server.
    package var addresses: [String] = []
    /// Beginnings of model names that only this server has; they count behind an unknown address.
    package var models: [String] = []
    /// Whether nothing is known of the server's address, so that the model's name decides.
    package var goesByModel = false

    /// Whether the limit is called `max_completion_tokens`.
    package var usesMaxCompletionTokens = false
    /// The smallest and the largest token limit that is taken.
    package var outputTokens = 1...Int.max
    /// Tokens to reason within, for requests that want no thinking.
    var reasoningHeadroom = 0
    /// Whether `temperature` and `top_p` are taken.
    package var acceptsSampling = true
    /// Whether `top_k` is taken.
    package var acceptsTopK = false
    /// Whether `stop` is taken.
    package var acceptsStop = true
    /// Longest `stop` array; the rest is looked for by ourselves.
    package var stopsMax = 4
    /// Whether `stream_options` is taken.
    package var acceptsStreamOptions = true
    /// Whether `prompt_cache_key` helps the server to find its cache.
    package var wantsPromptCacheKey = false
    /// How text parts say that a prefix ends which is worth caching.
    package var cacheMarkers = CacheMarkers.none
    /// Whether they may say it by `prompt_cache_breakpoint`, if the operator wants it.
    package var takesCacheBreakpoints = false
    /// Whether `service_tier` is taken.
    package var acceptsServiceTier = false
    /// Whether end users may be told apart.
    package var acceptsUser = true
    /// Whether one end user is told from another by `safety_identifier`; else it is `user`.
    package var usesSafetyIdentifier = false

    /// How reasoning is asked for.
    package var reasoning = ReasoningControl()
    /// Whether tools are refused unless reasoning is switched off by name (newer GPT models).
    package var forcesEffortNone = false
    /// Which reasoning goes back.
    package var replay = ReasoningReplay.none
    /// Whether a call without its thought signature is refused (Gemini 3).
    package var fillsThoughtSignatures = false

    /// How much of `tool_choice` is obeyed.
    package var toolChoices = ToolChoices.named
    /// Whether `parallel_tool_calls` is taken.
    package var acceptsParallelToolCalls = true
    /// Whether `strict` is taken beside a tool's schema.
    package var acceptsStrictTools = false
    /// Longest description of a tool; `nil` when there is no limit.
    package var descriptionMax: Int?
    /// What schemas may hold.
    package var schemas = SchemaStyle.jsonSchema
    /// Whether `pattern` goes out of schemas: grammars know no look-ahead.
    package var dropsPatterns = false
    /// Whether tools must be there when the history has calls.
    package var needsTools = false
    /// What tool call ids must look like.
    package var toolIDs = ToolIDStyle.atMost40

    /// What a web search by the server is asked for with.
    package var webSearch = WebSearch.none

    /// How structured output is asked for.
    package var structuredOutput = StructuredOutput.schema
    /// Whether structured output goes together with tools.
    package var constrainsBesideTools = true

    /// Where system entries inside `messages` go.
    package var systemEntries = SystemEntries.fold
    /// Whether the model knows the role `developer` (OpenAI's reasoning models).
    package var knowsDeveloperRole = false
    /// Whether the system prompt and system entries have that role.
    var usesDeveloperRole = false
    /// Whether an assistant message without text has `content: null`; else it is `""`.
    package var nullsEmptyContent = false
    /// Whether a tool message without text is refused.
    package var fillsEmptyResults = false
    /// Whether user and assistant messages must take turns.
    package var alternatesRoles = false
    /// Whether a user message right after a tool message is refused (Mistral, code 3230).
    package var fillsBetweenToolAndUser = false
    /// Whether images are taken.
    package var acceptsImages = true
    /// Whether images may stand in tool messages.
    package var acceptsImagesInTools = false
    /// Whether the server loads images from URLs.
    package var fetchesImages = true
    /// Whether `file` parts with a PDF are taken.
    package var acceptsPDF = false
    /// Whether the server loads documents from URLs.
    package var fetchesDocuments = false
    /// What an assistant message at the end means.
    package var prefill = Prefill.emulated

    /// A dialect with the habits of an unknown server.
    package init(name: String, title: String = "") {
        self.name = name
        self.title = title
    }
}
