// The sidecar's settings, read from the environment once.

/// Everything that can be set; the meaning of each stands in `SettingsTable`.
package struct Settings: Sendable {
    /// How the upstream's key is sent.
    package enum Authentication: String, Sendable, CaseIterable {
        case bearer
        case apiKey = "api-key"
        case xAPIKey = "x-api-key"
        case none
        case passthrough
    }

    /// The version of HTTP that is spoken with the upstream.
    package enum HTTPVersion: String, Sendable, CaseIterable {
        case one = "1.1"
        case two = "2"
    }

    /// How much the model thinks, whatever the request says; `auto` follows the request.
    package enum ReasoningEffort: String, Sendable, CaseIterable {
        case auto, off, minimal, low, medium, high, xhigh, max
    }

    /// Which tags mark reasoning inside the text.
    package enum ThinkTags: String, Sendable, CaseIterable { case auto, implicit, off }

    /// How much reasoning of earlier answers goes back.
    package enum ReasoningReplay: String, Sendable, CaseIterable { case auto, turn, none }

    /// The role of the system prompt.
    package enum SystemRole: String, Sendable, CaseIterable { case system, developer }

    /// What becomes of examples of a tool's input.
    package enum InputExamples: String, Sendable, CaseIterable { case drop, describe }

    /// Where system entries inside `messages` go.
    package enum SystemEntries: String, Sendable, CaseIterable {
        case auto, preserve, fold, hoist
    }

    /// What happens to a request that ends with an assistant message.
    package enum Prefill: String, Sendable, CaseIterable { case auto, reject }

    /// What happens to a request for a summary of the conversation.
    package enum Compaction: String, Sendable, CaseIterable { case reject, emulate }

    /// What becomes of Anthropic's search tool.
    package enum WebSearch: String, Sendable, CaseIterable { case reject, drop, upstream }

    /// When deferred tools are offered.
    package enum DeferLoading: String, Sendable, CaseIterable { case auto, include }

    /// Whether a model thinks that nobody has told whether to.
    package enum ThinkingDefault: String, Sendable, CaseIterable { case auto, off }

    /// Where an effort stands; `auto` leaves it to the dialect.
    package enum EffortField: String, Sendable, CaseIterable {
        case auto
        case top = "reasoning_effort"
        case object = "reasoning"
    }

    /// Which name of the model an answer tells.
    package enum ModelEcho: String, Sendable, CaseIterable { case client, upstream }

    /// The tiers that fast answers can be asked for with.
    package enum FastTier: String, Sendable, CaseIterable { case fast, priority }

    /// Whether the upstream is told of end users.
    package enum ForwardUser: String, Sendable, CaseIterable { case off, hash }

    /// What the beginning of a stream tells of the input.
    package enum StartUsage: String, Sendable, CaseIterable { case zero, estimate }

    /// The dialects that can be named.
    package static let dialects = [
        "auto", "generic", "openai", "azure", "openrouter", "deepseek", "gemini", "vllm", "sglang",
        "llamacpp", "ollama", "lmstudio", "groq", "mistral", "kimi", "glm", "qwen",
    ]

    /// From what weight on a line is written.
    package enum LogLevel: String, Sendable, CaseIterable, Comparable {
        case debug, info, warn, error, off

        /// Order by value.
        package static func < (a: LogLevel, b: LogLevel) -> Bool { a.order < b.order }
        private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// For machines, or for a person.
    package enum LogFormat: String, Sendable, CaseIterable { case json, text }

    /// What requests may hold together.
    package enum MemoryBudget: Sendable, Equatable {
        /// A share of what the container may use; none without a limit.
        case auto
        case off
        case bytes(Int)
    }

    /// What happens to what cannot be translated.
    package enum Unsupported: String, Sendable, CaseIterable { case auto, strict }

    /// `UPSTREAMS`, in order; never empty once the environment was read.
    package var upstreams: [UpstreamSettings] = []
    /// `MODEL_MAP`, then `BIG_MODEL`, `MIDDLE_MODEL` and `SMALL_MODEL`.
    ///
    /// A rule may be for one upstream alone.
    package var modelRules: [(pattern: String, upstream: String?, model: String?)] = []
    /// `MODELS`.
    package var models: [String] = []
    /// `MIN_TOKENS_LIMIT`.
    package var minTokens: Int?
    /// `MAX_TOKENS_LIMIT`.
    package var maxTokens: Int?
    /// `MAX_TOKENS_FIELD`.
    package var usesMaxCompletionTokens: Bool?
    /// `REASONING_EFFORT`.
    package var reasoningEffort = ReasoningEffort.auto
    /// `THINKING_DEFAULT`.
    package var thinkingDefault = ThinkingDefault.auto
    /// `REASONING_HEADROOM`.
    package var reasoningHeadroom = 0
    /// `EFFORT_FIELD`.
    package var effortField = EffortField.auto
    /// `FILTER_AS_REFUSAL`.
    package var filterAsRefusal = false
    /// `REJECT_INFERENCE_GEO`.
    package var rejectsInferenceGeo = false
    /// `MODEL_ECHO`.
    package var modelEcho = ModelEcho.client
    /// `FAST_TIER`.
    package var fastTier: FastTier?
    /// `PROMPT_CACHE_BREAKPOINTS`.
    package var marksCacheBreakpoints = false
    /// `EXTRA_PASSTHROUGH`.
    package var passedFields: [String] = []
    /// `STRICT_ANTHROPIC`.
    package var refusesAsAnthropic = false
    /// `STRIP_JSON_FENCES`.
    package var stripsFences = false
    /// `SYSTEM_ROLE`.
    package var systemRole = SystemRole.system
    /// `RESERVED_TOOL_NAMES`.
    package var reservedToolNames: [String] = []
    /// `INPUT_EXAMPLES`.
    package var inputExamples = InputExamples.drop
    /// `THINK_TAGS`.
    package var thinkTags = ThinkTags.auto
    /// `START_USAGE`.
    package var startUsage = StartUsage.zero
    /// `REASONING_REPLAY`.
    package var reasoningReplay = ReasoningReplay.auto
    /// `SYSTEM_ENTRIES`.
    package var systemEntries = SystemEntries.auto
    /// `PREFILL`.
    package var prefill = Prefill.auto
    /// `COMPACTION`.
    package var compaction = Compaction.reject
    /// `WEB_SEARCH`.
    package var webSearch = WebSearch.reject
    /// `DEFER_LOADING`.
    package var deferLoading = DeferLoading.auto
    /// `FORWARD_USER`.
    package var forwardUser = ForwardUser.off
    /// `EXTRA_BODY`: a JSON object.
    package var extraBody: String?
    /// `STRIP_BILLING_NONCE`.
    package var stripsBillingNonce = false
    /// `PROXY_API_KEYS`.
    package var clientKeys: [SecretSource] = []
    /// `CORS_ORIGINS`.
    package var origins: [String] = []
    /// `HOST`.
    package var host = ""
    /// `PORT`.
    package var port: UInt16 = 0
    /// `LISTEN`.
    package var unixPath: String?
    /// `LISTEN_MODE`.
    package var socketMode: UInt32 = 0
    /// `ADMIN_HOST`.
    package var adminHost = ""
    /// `ADMIN_PORT`.
    package var adminPort: UInt16?
    /// `WORKERS`.
    package var workers: Int?
    /// `LOG_LEVEL`.
    package var logLevel = LogLevel.info
    /// `LOG_FORMAT`.
    package var logFormat = LogFormat.json
    /// `CONNECT_TIMEOUT`.
    package var connectTimeout = Duration.zero
    /// `FIRST_BYTE_TIMEOUT`.
    package var firstByteTimeout = Duration.zero
    /// `UPSTREAM_IDLE_TIMEOUT`.
    package var upstreamIdleTimeout = Duration.zero
    /// `REQUEST_TIMEOUT`.
    package var requestTimeout: Duration?
    /// `COMMIT_AFTER`.
    package var commitAfter = Duration.zero
    /// `PING_INTERVAL`.
    package var pingInterval = Duration.zero
    /// `MAX_RETRIES`.
    package var retriesMax = 0
    /// `MAX_REQUEST_BYTES`.
    package var requestBytesMax = 0
    /// `MAX_CONCURRENT_REQUESTS`.
    package var concurrentRequestsMax = 0
    /// `MEMORY_BUDGET`.
    package var memoryBudget = MemoryBudget.auto
    /// `MAX_CONNECTIONS`.
    package var connectionsMax = 0
    /// `MAX_CONNECTIONS_PER_PEER`.
    package var connectionsPerPeerMax: Int?
    /// `HEADER_TIMEOUT`.
    package var headerTimeout = Duration.zero
    /// `BODY_TIMEOUT`.
    package var bodyTimeout = Duration.zero
    /// `KEEP_ALIVE_TIMEOUT`.
    package var idleTimeout = Duration.zero
    /// `RATE_LIMIT_RPM`.
    package var requestRates: [ModelLimit] = []
    /// `RATE_LIMIT_TPM`.
    package var tokenRates: [ModelLimit] = []
    /// `TOKEN_BUDGET`.
    package var tokenBudgets: [ModelLimit] = []
    /// `DRAIN_DELAY`.
    package var drainDelay = Duration.zero
    /// `LAST_SCRAPE_WAIT`.
    package var lastScrapeWait = Duration.zero
    /// `DRAIN_TIMEOUT`.
    package var drainTimeout = Duration.zero
    /// `EXIT_ZERO_ON_SIGTERM`.
    package var exitsZeroOnSignal = false
    /// `ADMIN_QUIT`.
    package var allowsQuit = false
    /// `DROP_UNSUPPORTED`.
    package var unsupported = Unsupported.auto
    /// `POD_NAME`.
    package var podName: String?
    /// `POD_NAMESPACE`.
    package var podNamespace: String?
    /// `NODE_NAME`.
    package var nodeName: String?
    /// `OTEL_SERVICE_NAME`.
    package var serviceName: String?
    /// `OTEL_RESOURCE_ATTRIBUTES`.
    package var resourceAttributes: [(name: String, value: String)] = []
    /// `OTEL_SEMCONV_STABILITY_OPT_IN`: whether `gen_ai_latest_experimental` is in it.
    package var addsGenAINames = false
    /// What reading found odd, besides what the values themselves tell.
    var remarks: [String] = []
    /// Names that were set, for `check`.
    package var given: Set<String> = []
    /// Every setting with its value, for `check`; secrets are hidden.
    var lines: [String] = []

    /// Whether the main listener can be reached from this machine only.
    package var isOnLoopback: Bool {
        unixPath != nil || host.hasPrefix("127.") || host == "::1" || host == "localhost"
    }
}

/// All mistakes of an environment, a line each.
package struct ConfigurationMistakes: Error, Equatable {
    /// One mistake a line, ready to be shown.
    package let lines: [String]
}
