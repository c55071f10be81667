// Every setting: its names, its default, what it means. `--help` and the README show this table.

/// One environment variable.
package struct Setting: Sendable {
    /// The name, as documented.
    package let name: String
    /// Other names that mean the same.
    package let aliases: [String]
    /// The default, for a person; empty where there is none.
    package let fallback: String
    /// What it means, in a line.
    package let meaning: String
    /// Whether the value must never be shown; such a setting also comes as `NAME_FILE`.
    package let isSecret: Bool

    init(
        _ name: String, aliases: [String] = [], _ fallback: String, isSecret: Bool = false,
        _ meaning: String
    ) {
        self.name = name
        self.aliases = aliases
        self.fallback = fallback
        self.meaning = meaning
        self.isSecret = isSecret
    }

    init(_ name: String, aliases: [String] = [], isSecret: Bool = false, _ meaning: String) {
        self.init(name, aliases: aliases, "", isSecret: isSecret, meaning)
    }
}

/// The table of settings.
package enum SettingsTable {
    /// Every setting, in the order in which they are documented.
    package static let all: [Setting] = [
        Setting(
            "OPENAI_BASE_URL", aliases: ["OPENAI_API_BASE", "UPSTREAM_BASE_URL"],
            "https://api.openai.com/v1",
            "upstream: a host, host/v1, or a full /chat/completions URL"),
        Setting("OPENAI_API_KEY", isSecret: true, "the upstream's key"),
        Setting("OPENAI_ORG_ID", "sent as OpenAI-Organization"),
        Setting("OPENAI_PROJECT_ID", "sent as OpenAI-Project"),
        Setting(
            "AZURE_API_VERSION", aliases: ["OPENAI_API_VERSION"],
            "api-version of Azure OpenAI; switches to its deployment addresses"),
        Setting(
            "UPSTREAM_AUTH", "bearer; api-key on Azure",
            "bearer, api-key, x-api-key, none, or passthrough (the client's own key)"),
        Setting(
            "DIALECT", "auto",
            "what the upstream accepts: auto (by its address), generic, openai, azure, openrouter, "
                + "deepseek, gemini, vllm, sglang, llamacpp, ollama, lmstudio, groq, mistral, "
                + "kimi"),
        Setting("CUSTOM_HEADER_<NAME>", "a header for the upstream; _ in the name becomes -"),
        Setting("BIG_MODEL", "model for opus, and for every name that nothing else maps"),
        Setting("MIDDLE_MODEL", "BIG_MODEL", "model for sonnet"),
        Setting("SMALL_MODEL", "BIG_MODEL", "model for haiku"),
        Setting(
            "MODEL_MAP", "pairs like claude-*haiku*=gpt-5-mini; first match, before the three above"
        ),
        Setting(
            "MODEL_PASSTHROUGH_PREFIXES", "gpt-,o1-,o3-,o4-,ep-,doubao-,deepseek-",
            "names that begin so are sent unchanged"),
        Setting("MODELS", "from the map", "names listed at /v1/models"),
        Setting("MIN_TOKENS_LIMIT", "lower bound for max_tokens"),
        Setting("MAX_TOKENS_LIMIT", "upper bound for max_tokens"),
        Setting("MAX_TOKENS_FIELD", "auto", "max_tokens, max_completion_tokens, or auto"),
        Setting(
            "PROXY_API_KEYS", aliases: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"],
            "none: open", isSecret: true, "keys that clients must present, by comma"),
        Setting("HOST", "127.0.0.1", "address of the main listener"),
        Setting("PORT", "8080", "port of the main listener; 0 lets the system pick"),
        Setting("LISTEN", "unix:/path instead of HOST and PORT"),
        Setting("ADMIN_HOST", "0.0.0.0", "address of the admin listener"),
        Setting("ADMIN_PORT", "off", "port of a second listener for probes and metrics alone"),
        Setting("WORKERS", "CPUs, at most 2", "threads that carry traffic"),
        Setting("LOG_LEVEL", "info", "debug, info, warn, error or off"),
        Setting("LOG_FORMAT", "json", "json or text"),
        Setting("CONNECT_TIMEOUT", "10s", "until the upstream's connection stands"),
        Setting("FIRST_BYTE_TIMEOUT", "600s", "until the upstream's answer begins"),
        Setting("UPSTREAM_IDLE_TIMEOUT", "300s", "silence of the upstream inside an answer"),
        Setting("REQUEST_TIMEOUT", "0", "a whole exchange; 0 is no limit"),
        Setting("COMMIT_AFTER", "10s", "a stream gets its 200 after so long without a first event"),
        Setting("PING_INTERVAL", "10s", "silence after which a client gets a ping event"),
        Setting("MAX_REQUEST_BYTES", "32MiB", "largest request body"),
        Setting("MAX_CONCURRENT_REQUESTS", "10000", "exchanges at once; more get 529"),
        Setting("DRAIN_TIMEOUT", "25s", "what running exchanges may take after SIGTERM"),
        Setting("DROP_UNSUPPORTED", "auto", "auto drops and counts, strict refuses"),
        Setting("UPSTREAM_CA_FILE", aliases: ["SSL_CERT_FILE", "CURL_CA_BUNDLE"], "CA bundle"),
        Setting("UPSTREAM_CLIENT_CERT", "client certificate file"),
        Setting("UPSTREAM_CLIENT_KEY", "key file of the client certificate"),
        Setting("UPSTREAM_TLS_INSECURE", "false", "true skips TLS verification"),
    ]

    /// Every name that is read, aliases and files of secrets included.
    static let names: [String] = all.flatMap { setting in
        ([setting.name] + setting.aliases).flatMap { setting.isSecret ? [$0, $0 + "_FILE"] : [$0] }
    }
}
