// The servers, a value each. docs/dialects.md shows them side by side.

extension Dialect {
    private init(_ name: String, _ title: String, _ change: (inout Dialect) -> Void) {
        self.init(name: name, title: title)
        change(&self)
    }

    /// Every dialect that `DIALECT` may name.
    package static let all = [
        generic, openai, azure, openrouter, deepseek, gemini, vllm, sglang, llamacpp, ollama,
        lmstudio, groq, mistral, kimi, glm, qwen,
    ]

    /// An unknown server: nothing but what all of them know.
    ///
    /// Models that think between calls lose their thread without their reasoning, and whoever
    /// does not know the field mostly ignores it; so it goes back.
    package static let generic = Dialect("generic", "any other server") { $0.replay = .content }

    /// OpenAI.
    package static let openai = Dialect("openai", "OpenAI") {
        $0.addresses = ["api.openai.com"]
        $0.models = ["gpt-5", "gpt-6", "o1-", "o3-", "o4-"]
        $0.usesMaxCompletionTokens = true
        $0.nullsEmptyContent = true
        $0.systemEntries = .preserve
        $0.acceptsPDF = true
        $0.acceptsStrictTools = true
        $0.acceptsServiceTier = true
        $0.wantsPromptCacheKey = true
        $0.usesSafetyIdentifier = true
    }

    /// Azure OpenAI.
    package static let azure = Dialect("azure", "Azure OpenAI") {
        $0 = openai
        ($0.name, $0.title) = ("azure", "Azure OpenAI")
        $0.addresses = ["openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com"]
        $0.models = []
        $0.usesSafetyIdentifier = false
    }

    /// OpenRouter.
    package static let openrouter = Dialect("openrouter", "OpenRouter") {
        $0.addresses = ["openrouter.ai"]
        $0.acceptsTopK = true
        $0.nullsEmptyContent = true
        $0.systemEntries = .preserve
        $0.reasoning = ReasoningControl(effort: .object)
        $0.replay = .details
        $0.acceptsPDF = true
        $0.fetchesDocuments = true
        $0.acceptsStrictTools = true
        $0.webSearch = .plugin
        $0.prefill = .automatic
    }

    /// DeepSeek.
    package static let deepseek = Dialect("deepseek", "DeepSeek") {
        $0.addresses = ["api.deepseek.com"]
        $0.models = ["deepseek-chat", "deepseek-reasoner"]
        $0.systemEntries = .preserve
        $0.reasoning = ReasoningControl(
            .thinkingType, effort: .top, [.minimal: .low, .medium: .high, .xhigh: .high])
        $0.replay = .everyToolCall
        $0.structuredOutput = .object
    }

    /// Gemini's OpenAI-compatible endpoint.
    package static let gemini = Dialect("gemini", "Gemini") {
        $0.addresses = ["generativelanguage.googleapis.com"]
        $0.models = ["gemini-"]
        $0.stopsMax = 5
        $0.reasoning = ReasoningControl(effort: .top, off: .low, [.xhigh: .high, .max: .high])
        $0.replay = .thoughtSignatures
        $0.acceptsParallelToolCalls = false
        $0.schemas = .gemini
    }

    /// vLLM.
    package static let vllm = Dialect("vllm", "vLLM") {
        $0.acceptsTopK = true
        $0.stopsMax = 1000
        $0.reasoning = ReasoningControl(
            .chatTemplate, effort: .top, ReasoningControl.upToHigh)
        $0.replay = .bothNames
        $0.prefill = .continueFinalMessage
    }

    /// SGLang.
    package static let sglang = Dialect("sglang", "SGLang") {
        $0 = vllm
        ($0.name, $0.title) = ("sglang", "SGLang")
        $0.addresses = [":30000"]
        $0.replay = .content
    }

    /// llama.cpp's server.
    package static let llamacpp = Dialect("llamacpp", "llama.cpp") {
        $0 = vllm
        ($0.name, $0.title) = ("llamacpp", "llama.cpp")
        $0.reasoning = ReasoningControl(
            .chatTemplate, effort: .chatTemplate, ReasoningControl.upToHigh)
        $0.reasoning.budget = .top
        $0.replay = .content
        $0.fetchesImages = false
        $0.acceptsImagesInTools = true
        $0.schemas = .grammar
        $0.prefill = .repeated
    }

    /// Ollama.
    package static let ollama = Dialect("ollama", "Ollama") {
        $0.addresses = [":11434"]
        $0.stopsMax = 1000
        $0.reasoning = ReasoningControl(effort: .top, off: Effort.none)
        $0.acceptsParallelToolCalls = false
        $0.fetchesImages = false
    }

    /// LM Studio.
    package static let lmstudio = Dialect("lmstudio", "LM Studio") {
        $0.addresses = [":1234"]
        $0.acceptsTopK = true
        $0.stopsMax = 1000
        $0.replay = .content
    }

    /// Groq.
    package static let groq = Dialect("groq", "Groq") {
        $0.addresses = ["api.groq.com"]
        $0.schemas = .uncommented
        $0.nullsEmptyContent = true
        $0.systemEntries = .preserve
        $0.acceptsStrictTools = true
    }

    /// Mistral.
    package static let mistral = Dialect("mistral", "Mistral") {
        $0.addresses = ["api.mistral.ai"]
        $0.models = ["mistral-", "magistral-", "codestral-", "ministral-", "devstral-"]
        $0.toolIDs = .nineAlphanumerics
        $0.fillsBetweenToolAndUser = true
        $0.alternatesRoles = true
        $0.wantsPromptCacheKey = true
        $0.prefill = .prefix
    }

    /// Kimi (Moonshot).
    package static let kimi = Dialect("kimi", "Kimi") {
        $0.addresses = ["api.moonshot.ai", "api.moonshot.cn"]
        $0.models = ["kimi-", "moonshot-"]
        $0.reasoning = ReasoningControl(.thinkingType)
        $0.replay = .content
        $0.toolIDs = .functionsAndNumber
    }

    /// GLM (Z.ai, Zhipu).
    package static let glm = Dialect("glm", "GLM") {
        $0.addresses = ["api.z.ai", "open.bigmodel.cn"]
        $0.models = ["glm-"]
        $0.reasoning = ReasoningControl(.thinkingType)
        $0.replay = .content
    }

    /// Qwen on DashScope.
    package static let qwen = Dialect("qwen", "Qwen (DashScope)") {
        $0.addresses = ["dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com"]
        $0.models = ["qwen-", "qwen3-max"]
        $0.acceptsTopK = true
        $0.reasoning = ReasoningControl(.enableThinking)
        $0.replay = .content
    }
}
