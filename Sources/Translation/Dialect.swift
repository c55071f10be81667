// What one kind of server accepts. A dialect is data: adding a server is adding a value.

/// The habits of one Chat Completions server, as far as a request depends on them.
package struct Dialect: Sendable, Equatable {
    /// Where entries of role `system` inside `messages` go (translation 2.3).
    package enum SystemEntries: Sendable { case preserve, fold, hoist }
    /// How reasoning is asked for (translation 1.3).
    package enum ReasoningStyle: Sendable {
        case none, effort, openrouter, deepseek, chatTemplate, thinkingSwitch
    }
    /// Which reasoning goes back to the server (translation 2.4).
    package enum ReasoningReplay: Sendable {
        case none
        /// `reasoning_content` on each assistant message with tool calls, `""` when there is none.
        case everyToolCall
        /// `reasoning_content` on the turns since the last real user message.
        case currentTurn
    }
    /// What tool call ids must look like (translation 2.6).
    package enum ToolIDStyle: Sendable { case atMost40, nineAlphanumerics }

    /// As `DIALECT` names it.
    package var name: String
    /// Whether the limit is called `max_completion_tokens`.
    package var usesMaxCompletionTokens = false
    /// Whether `temperature` and `top_p` are taken.
    package var acceptsSampling = true
    /// Whether `top_k` is taken.
    package var acceptsTopK = false
    /// Whether `stop` is taken.
    package var acceptsStop = true
    /// Longest `stop` array; the rest is looked for by ourselves.
    package var stopsMax = 4
    /// Whether `parallel_tool_calls` is taken.
    package var acceptsParallelToolCalls = true
    /// Whether `stream_options` is taken.
    package var acceptsStreamOptions = true
    /// Whether an assistant message without text has `content: null`; else it is `""`.
    package var nullsEmptyContent = false
    /// Where system entries inside `messages` go.
    package var systemEntries = SystemEntries.fold
    /// How reasoning is asked for.
    package var reasoning = ReasoningStyle.none
    /// Which reasoning goes back.
    package var replay = ReasoningReplay.none
    /// What tool call ids must look like.
    package var toolIDs = ToolIDStyle.atMost40
    /// Whether `file` parts with a PDF are taken.
    package var acceptsPDF = false
    /// Whether the server loads images from URLs.
    package var fetchesImages = true
    /// Whether a user message right after a tool message is refused (Mistral, code 3230).
    package var fillsBetweenToolAndUser = false
    /// `json_schema` in `response_format`; others get `json_object` and an instruction.
    package var acceptsJSONSchema = true
    /// Whether tools are refused unless reasoning is switched off by name (newer GPT models).
    package var forcesEffortNone = false
    /// The largest token limit that is taken; `nil` when nothing is known.
    package var outputTokensMax: Int?
    /// Whether `prompt_cache_key` helps the server to find its cache.
    package var wantsPromptCacheKey = false

    /// A dialect with the habits of an unknown server.
    package init(name: String) { self.name = name }

    private init(_ name: String, _ change: (inout Dialect) -> Void) {
        self.name = name
        change(&self)
    }
}

extension Dialect {
    /// An unknown server.
    package static let generic = Dialect("generic") { $0.replay = .currentTurn }

    /// OpenAI.
    package static let openai = Dialect("openai") {
        $0.usesMaxCompletionTokens = true
        $0.nullsEmptyContent = true
        $0.systemEntries = .preserve
        $0.acceptsPDF = true
        $0.wantsPromptCacheKey = true
    }

    /// Azure OpenAI.
    package static let azure = Dialect("azure") {
        $0 = openai
        $0.name = "azure"
    }

    /// OpenRouter.
    package static let openrouter = Dialect("openrouter") {
        $0.acceptsTopK = true
        $0.nullsEmptyContent = true
        $0.systemEntries = .preserve
        $0.reasoning = .openrouter
        $0.acceptsPDF = true
    }

    /// DeepSeek.
    package static let deepseek = Dialect("deepseek") {
        $0.systemEntries = .preserve
        $0.reasoning = .deepseek
        $0.replay = .everyToolCall
        $0.acceptsJSONSchema = false
    }

    /// Gemini's OpenAI-compatible endpoint.
    package static let gemini = Dialect("gemini") {
        $0.stopsMax = 5
        $0.reasoning = .effort
        $0.acceptsParallelToolCalls = false
    }

    /// vLLM.
    package static let vllm = Dialect("vllm") {
        $0.acceptsTopK = true
        $0.stopsMax = 1000
        $0.reasoning = .chatTemplate
        $0.replay = .currentTurn
    }

    /// SGLang.
    package static let sglang = Dialect("sglang") {
        $0 = vllm
        $0.name = "sglang"
    }

    /// llama.cpp's server.
    package static let llamacpp = Dialect("llamacpp") {
        $0 = vllm
        $0.name = "llamacpp"
        $0.fetchesImages = false
    }

    /// Ollama.
    package static let ollama = Dialect("ollama") {
        $0.stopsMax = 1000
        $0.reasoning = .effort
        $0.fetchesImages = false
    }

    /// LM Studio.
    package static let lmstudio = Dialect("lmstudio") {
        $0.acceptsTopK = true
        $0.stopsMax = 1000
        $0.replay = .currentTurn
    }

    /// Groq.
    package static let groq = Dialect("groq") {
        $0.nullsEmptyContent = true
        $0.systemEntries = .preserve
    }

    /// Mistral.
    package static let mistral = Dialect("mistral") {
        $0.toolIDs = .nineAlphanumerics
        $0.fillsBetweenToolAndUser = true
    }

    /// Kimi (Moonshot).
    package static let kimi = Dialect("kimi") {
        $0.reasoning = .thinkingSwitch
        $0.replay = .currentTurn
    }

    /// Every dialect that `DIALECT` may name.
    package static let all = [
        generic, openai, azure, openrouter, deepseek, gemini, vllm, sglang, llamacpp, ollama,
        lmstudio, groq, mistral, kimi,
    ]

    /// The dialect of that name.
    package static func named(_ name: String) -> Dialect? { all.first { $0.name == name } }

    /// The dialect of a server, told by its host, port and path.
    package static func detect(baseURL: String) -> Dialect {
        let url = baseURL.lowercased()
        let hosts: [(String, Dialect)] = [
            ("api.openai.com", .openai), ("openai.azure.com", .azure), (".azure.com", .azure),
            ("openrouter.ai", .openrouter), ("api.deepseek.com", .deepseek),
            ("generativelanguage.googleapis.com", .gemini), ("api.groq.com", .groq),
            ("api.mistral.ai", .mistral), ("api.moonshot", .kimi), (":11434", .ollama),
            (":1234", .lmstudio),
        ]
        return hosts.first { contains(url, $0.0) }?.1 ?? .generic
    }

    /// The dialect for one model: OpenAI's reasoning models take no sampling parameters.
    package func refined(for model: String) -> Dialect {
        guard name == "openai" || name == "azure" else { return self }
        var dialect = self
        let isReasoning = ["o1", "o3", "o4", "gpt-5", "gpt-6"].contains { model.hasPrefix($0) }
        if isReasoning {
            dialect.acceptsSampling = false
            dialect.reasoning = .effort
            dialect.acceptsStop = false
        }
        return dialect
    }

    private static func contains(_ text: String, _ part: String) -> Bool {
        let text = Array(text.utf8)
        let part = Array(part.utf8)
        guard text.count >= part.count else { return false }
        return (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
    }
}
