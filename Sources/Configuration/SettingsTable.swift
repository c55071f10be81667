// Every setting: its names, its default, what it means. `--help` and the README show this table.

/// The table of settings.
package enum SettingsTable {
    /// All settings, in the order of the help.
    package static let all: [Setting] = upstream + models + clients + limits + operation

    /// Headers for the upstream are variables of their own: `CUSTOM_HEADER_X_TEAM` is `X-TEAM`.
    static let headerPrefix = "CUSTOM_HEADER_"

    private static let upstream: [Setting] =
        [
            .baseURL, .upstreamKey, .organization, .project, .azureEndpoint, .azureKey,
            .azureAPIVersion, .authentication, .dialect, .interface, .customHeader, .caFile,
            .caDirectory, .clientCertificate, .clientKey, .skipsVerification, .httpVersion,
            .httpsProxy, .httpProxy, .allProxy, .noProxy, .upstreams,
        ] + Setting.ofNamedUpstream
    private static let models: [Setting] = [
        .bigModel, .middleModel, .smallModel, .modelMap, .passthroughPrefixes, .servedModels,
        .minTokens, .maxTokens, .maxTokensField, .reasoningEffort, .thinkingDefault, .effortField,
        .reasoningHeadroom, .thinkTags,
        .startUsage, .reasoningReplay, .systemEntries, .prefill, .compaction, .webSearch,
        .deferLoading,
        .forwardUser, .fastTier, .cacheBreakpoints, .modelEcho, .filterAsRefusal, .extraBody,
        .passedFields,
        .rejectsInferenceGeo, .unsupported, .strictAnthropic, .stripsFences, .systemRole,
        .reservedToolNames, .inputExamples, .stripsBillingNonce,
    ]
    private static let clients: [Setting] = [
        .clientKeys, .origins, .host, .port, .listen, .listenMode, .adminHost, .adminPort,
    ]
    private static let limits: [Setting] = [
        .requestTimeout, .connectTimeout, .firstByteTimeout, .upstreamIdleTimeout, .commitAfter,
        .pingInterval, .retries, .requestBytes, .concurrentRequests, .memoryBudget, .requestRate,
        .tokenRate, .tokenBudget, .connections, .connectionsPerPeer, .headerTimeout, .bodyTimeout,
        .idleTimeout, .workers,
    ]
    private static let operation: [Setting] = [
        .logLevel, .logFormat, .drainDelay, .drainTimeout, .lastScrapeWait, .exitsZero, .adminQuit,
        .podName, .podNamespace, .nodeName, .serviceName, .resourceAttributes, .conventions,
        .genAINames,
    ]

    /// Every name that is read, aliases and files of secrets included.
    static let names: Set<String> = Set(all.flatMap(\.names))
}

extension Setting {
    static let baseURL = Setting(
        .upstream, "OPENAI_BASE_URL", .url, aliases: ["OPENAI_API_BASE", "UPSTREAM_BASE_URL"],
        default: "https://api.openai.com/v1",
        "a host, host/v1, a full /chat/completions URL, or unix:/path.sock:/v1")
    static let upstreamKey = Setting(
        .upstream, "OPENAI_API_KEY", .secret, "the upstream's key")
    static let organization = Setting(
        .upstream, "OPENAI_ORG_ID", .text, aliases: ["OPENAI_ORGANIZATION"],
        "sent as OpenAI-Organization")
    static let project = Setting(
        .upstream, "OPENAI_PROJECT_ID", .text, aliases: ["OPENAI_PROJECT"],
        "sent as OpenAI-Project")
    static let azureEndpoint = Setting(
        .upstream, "AZURE_OPENAI_ENDPOINT", .url,
        "Azure OpenAI's address; stands in for OPENAI_BASE_URL")
    static let azureKey = Setting(
        .upstream, "AZURE_OPENAI_API_KEY", .secret, "Azure OpenAI's key")
    static let azureAPIVersion = Setting(
        .upstream, "AZURE_API_VERSION", .text, aliases: ["OPENAI_API_VERSION"],
        unset: "Azure's v1 API",
        "api-version of Azure's classic API; a URL without a deployment uses the model")
    static let authentication = Setting(
        .upstream, "UPSTREAM_AUTH", .choice(Settings.Authentication.allCases.map(\.rawValue)),
        unset: "bearer; api-key for Azure",
        "how the key is sent; passthrough sends the client's own key")
    static let dialect = Setting(
        .upstream, "DIALECT", .choice(Settings.dialects), default: "auto",
        "what the upstream accepts; auto goes by its address")
    static let interface = Setting(
        .upstream, "UPSTREAM_PROTOCOL", .choice(["auto", "openai", "anthropic"]), default: "auto",
        "what the upstream speaks; anthropic is passed through, auto goes by its address")
    static let customHeader = Setting(
        .upstream, SettingsTable.headerPrefix + "<NAME>", .text,
        "a header for the upstream; _ in the name becomes -")
    static let caFile = Setting(
        .upstream, "UPSTREAM_CA_FILE", .path, aliases: ["SSL_CERT_FILE", "CURL_CA_BUNDLE"],
        unset: "the system's", "CA bundle that vouches for the upstream")
    static let caDirectory = Setting(
        .upstream, "UPSTREAM_CA_DIR", .path, aliases: ["SSL_CERT_DIR"], unset: "the system's",
        "folder of authorities that vouch for it, named as openssl rehash does")
    static let clientCertificate = Setting(
        .upstream, "UPSTREAM_CLIENT_CERT", .path, "file of our certificate for the upstream")
    static let clientKey = Setting(
        .upstream, "UPSTREAM_CLIENT_KEY", .path, unset: "in the certificate's file",
        "file of its key")
    static let skipsVerification = Setting(
        .upstream, "UPSTREAM_TLS_INSECURE", .flag, default: "false",
        "true trusts whoever answers")
    static let httpVersion = Setting(
        .upstream, "UPSTREAM_HTTP_VERSION",
        .choice(Settings.HTTPVersion.allCases.map(\.rawValue)), default: "1.1",
        "2 is spoken with servers that agree on it over TLS")
    static let httpsProxy = Setting(
        .upstream, "HTTPS_PROXY", .proxy, aliases: ["https_proxy"], "proxy for https upstreams")
    static let httpProxy = Setting(
        .upstream, "http_proxy", .proxy,
        "proxy for http upstreams; in small letters only, as libcurl has it")
    static let allProxy = Setting(
        .upstream, "ALL_PROXY", .proxy, aliases: ["all_proxy"], "proxy for all upstreams")
    static let noProxy = Setting(
        .upstream, "NO_PROXY", .list, aliases: ["no_proxy"], "hosts that no proxy is asked for")
}

extension Setting {
    static let bigModel = Setting(
        .models, "BIG_MODEL", .text, unset: "names go unchanged",
        "model for opus, and for every name that nothing else maps")
    static let middleModel = Setting(
        .models, "MIDDLE_MODEL", .text, unset: "BIG_MODEL", "model for sonnet")
    static let smallModel = Setting(
        .models, "SMALL_MODEL", .text, unset: "BIG_MODEL", "model for haiku")
    static let modelMap = Setting(
        .models, "MODEL_MAP", .modelMap,
        "pairs like claude-*haiku*=gpt-5-mini or =azure/gpt-5; before the three above")
    static let passthroughPrefixes = Setting(
        .models, "MODEL_PASSTHROUGH_PREFIXES", .list,
        default: "gpt-,o1-,o3-,o4-,ep-,doubao-,deepseek-",
        "names that begin so are sent unchanged")
    static let servedModels = Setting(
        .models, "MODELS", .list, unset: "from the map and the upstreams",
        "names listed at /v1/models")
    static let minTokens = Setting(
        .models, "MIN_TOKENS_LIMIT", .number(1...100_000_000), "lower bound for max_tokens")
    static let maxTokens = Setting(
        .models, "MAX_TOKENS_LIMIT", .number(1...100_000_000), "upper bound for max_tokens")
    static let maxTokensField = Setting(
        .models, "MAX_TOKENS_FIELD", .choice(["auto", "max_tokens", "max_completion_tokens"]),
        default: "auto", "name of the limit upstream")
    static let reasoningEffort = Setting(
        .models, "REASONING_EFFORT", .choice(Settings.ReasoningEffort.allCases.map(\.rawValue)),
        default: "auto", "how much the model thinks; auto follows the request")
    static let thinkTags = Setting(
        .models, "THINK_TAGS", .choice(Settings.ThinkTags.allCases.map(\.rawValue)),
        default: "auto",
        "tags of reasoning at the text's start; implicit needs only the closing one")
    static let startUsage = Setting(
        .models, "START_USAGE", .choice(Settings.StartUsage.allCases.map(\.rawValue)),
        default: "zero", "input tokens that message_start tells: estimate for older clients")
    static let unsupported = Setting(
        .models, "DROP_UNSUPPORTED", .choice(Settings.Unsupported.allCases.map(\.rawValue)),
        default: "auto", "auto drops what cannot be translated and counts it, strict refuses")
    static let stripsBillingNonce = Setting(
        .models, "STRIP_BILLING_NONCE", .flag, default: "true",
        "whether Claude Code's attribution block is kept from the upstream")
}

extension Setting {
    static let clientKeys = Setting(
        .clients, "PROXY_API_KEYS", .secrets,
        aliases: ["PROXY_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"],
        unset: "none: open", "keys that clients must present, by comma")
    static let origins = Setting(
        .clients, "CORS_ORIGINS", .origins, unset: "none",
        "web pages that may call the sidecar from a browser; * is all")
    static let host = Setting(
        .clients, "HOST", .host, default: "127.0.0.1", "address of the main listener")
    static let port = Setting(
        .clients, "PORT", .port, default: "8080",
        "port of the main listener; 0 lets the system pick")
    static let listen = Setting(
        .clients, "LISTEN", .socket, unset: "HOST and PORT", "unix:/path of the main listener")
    static let listenMode = Setting(
        .clients, "LISTEN_MODE", .choice(["0600", "0660", "0666"]), default: "0660",
        "permissions of the Unix socket: its user, its group or everybody")
    static let adminHost = Setting(
        .clients, "ADMIN_HOST", .host, default: "0.0.0.0", "address of the admin listener")
    static let adminPort = Setting(
        .clients, "ADMIN_PORT", .port, unset: "off",
        "port of a second listener for probes and metrics alone")
}

extension Setting {
    static let requestTimeout = Setting(
        .limits, "REQUEST_TIMEOUT", .duration(atLeast: .zero), default: "0",
        "a whole exchange; 0 is no limit")
    static let connectTimeout = Setting(
        .limits, "CONNECT_TIMEOUT", .duration(atLeast: .milliseconds(1)), default: "10s",
        "until the upstream's connection stands")
    static let firstByteTimeout = Setting(
        .limits, "FIRST_BYTE_TIMEOUT", .duration(atLeast: .milliseconds(1)), default: "600s",
        "until the upstream's answer begins")
    static let upstreamIdleTimeout = Setting(
        .limits, "UPSTREAM_IDLE_TIMEOUT", .duration(atLeast: .milliseconds(1)), default: "300s",
        "silence of the upstream inside an answer")
    static let commitAfter = Setting(
        .limits, "COMMIT_AFTER", .duration(atLeast: .zero), default: "10s",
        "a stream gets its 200 after so long without a first event")
    static let pingInterval = Setting(
        .limits, "PING_INTERVAL", .duration(atLeast: .milliseconds(10)), default: "10s",
        "silence after which a client gets a ping event")
    static let retries = Setting(
        .limits, "MAX_RETRIES", .number(0...10), default: "2",
        "attempts after the first, as long as the client has seen nothing of the answer")
    static let requestBytes = Setting(
        .limits, "MAX_REQUEST_BYTES", .size, default: "32MiB", "largest request body")
    static let concurrentRequests = Setting(
        .limits, "MAX_CONCURRENT_REQUESTS", .number(1...1_000_000), default: "10000",
        "exchanges at once; more get 529")
    static let memoryBudget = Setting(
        .limits, "MEMORY_BUDGET", .memory, default: "auto",
        "requests in memory together; auto is half of the container's limit")
    static let connections = Setting(
        .limits, "MAX_CONNECTIONS", .number(1...1_000_000), default: "10000",
        "client connections at once; over it, the longest idle are closed")
    static let connectionsPerPeer = Setting(
        .limits, "MAX_CONNECTIONS_PER_PEER", .number(0...1_000_000), default: "0",
        "client connections of one address; more get 429, 0 is no limit")
    static let headerTimeout = Setting(
        .limits, "HEADER_TIMEOUT", .duration(atLeast: .milliseconds(1)), default: "30s",
        "from the first byte of a request's head to its last")
    static let bodyTimeout = Setting(
        .limits, "BODY_TIMEOUT", .duration(atLeast: .milliseconds(1)), default: "60s",
        "silence inside a request body, which comes at 500 bytes a second or more")
    static let idleTimeout = Setting(
        .limits, "KEEP_ALIVE_TIMEOUT", .duration(atLeast: .milliseconds(1)), default: "300s",
        "a client connection between two requests")
    static let requestRate = Setting(
        .limits, "RATE_LIMIT_RPM", .rates,
        "requests a minute of each upstream model; first match; more get 429")
    static let tokenRate = Setting(
        .limits, "RATE_LIMIT_TPM", .rates,
        "tokens a minute of each upstream model, by what it reports")
    static let tokenBudget = Setting(
        .limits, "TOKEN_BUDGET", .budgets,
        "tokens of each upstream model in a UTC day or month, since the start")
    static let workers = Setting(
        .limits, "WORKERS", .number(1...64), unset: "the CPUs, at most 2",
        "threads that carry traffic")
}

extension Setting {
    static let logLevel = Setting(
        .operation, "LOG_LEVEL", .choice(Settings.LogLevel.allCases.map(\.rawValue)),
        default: "info", "from what weight on lines are written")
    static let logFormat = Setting(
        .operation, "LOG_FORMAT", .choice(Settings.LogFormat.allCases.map(\.rawValue)),
        default: "json", "one object a line, or text for a person")
    static let drainDelay = Setting(
        .operation, "DRAIN_DELAY", .duration(atLeast: .zero), default: "0",
        "new requests are served for so long after SIGTERM, though not ready")
    static let drainTimeout = Setting(
        .operation, "DRAIN_TIMEOUT", .duration(atLeast: .zero), default: "25s",
        "what running exchanges may take after SIGTERM and the delay")
    static let lastScrapeWait = Setting(
        .operation, "LAST_SCRAPE_WAIT", .duration(atLeast: .zero), default: "0",
        "a stop that cut streams waits so long for one more scrape of the admin listener")
    static let exitsZero = Setting(
        .operation, "EXIT_ZERO_ON_SIGTERM", .flag, default: "true",
        "false ends with status 143 after SIGTERM, however well it went")
    static let adminQuit = Setting(
        .operation, "ADMIN_QUIT", .flag, default: "false",
        "whether POST /quitquitquit from loopback ends the process, for Jobs")
    static let podName = Setting(.operation, "POD_NAME", .text, "for the log")
    static let podNamespace = Setting(.operation, "POD_NAMESPACE", .text, "for the log")
    static let nodeName = Setting(.operation, "NODE_NAME", .text, "for the log")
    static let serviceName = Setting(
        .operation, "OTEL_SERVICE_NAME", .text, "service.name of the metric target_info")
    static let resourceAttributes = Setting(
        .operation, "OTEL_RESOURCE_ATTRIBUTES", .text,
        "more labels of target_info: name=value, by comma")
    static let conventions = Setting(
        .operation, "OTEL_SEMCONV_STABILITY_OPT_IN", .list,
        "gen_ai_latest_experimental adds OpenTelemetry's names of metrics")
    static let genAINames = Setting(
        .operation, "METRICS_GENAI", .flag, default: "false", "true adds the same names")
}
