// The sidecar's settings, read from the environment once.

/// A value that must not be seen; prints as a placeholder whatever prints it.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The value itself; for the one place that sends or compares it.
    package let revealed: String

    /// Hides a value.
    package init(_ value: String) { revealed = value }

    /// Never the value.
    package var description: String { "‹secret›" }
    /// Never the value.
    package var debugDescription: String { "‹secret›" }
}

/// A secret, or the file that holds it and may change.
package enum SecretSource: Sendable, Equatable {
    case value(Secret)
    case file(String)
}

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

    /// From what weight on a line is written.
    package enum LogLevel: String, Sendable, CaseIterable, Comparable {
        case debug, info, warn, error, off

        /// Order by value.
        package static func < (a: LogLevel, b: LogLevel) -> Bool { a.order < b.order }
        private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// For machines, or for a person.
    package enum LogFormat: String, Sendable, CaseIterable { case json, text }

    /// What happens to what cannot be translated.
    package enum Unsupported: String, Sendable, CaseIterable { case auto, strict }

    /// `OPENAI_BASE_URL`.
    package var baseURL = "https://api.openai.com/v1"
    /// `OPENAI_API_KEY`.
    package var upstreamKey: SecretSource?
    /// `OPENAI_ORG_ID`.
    package var organization: String?
    /// `OPENAI_PROJECT_ID`.
    package var project: String?
    /// `AZURE_API_VERSION`.
    package var azureAPIVersion: String?
    /// `UPSTREAM_AUTH`.
    package var authentication = Authentication.bearer
    /// `DIALECT`.
    package var dialect = "auto"
    /// `CUSTOM_HEADER_<NAME>`.
    package var customHeaders: [(name: String, value: String)] = []
    /// `MODEL_MAP`, then `BIG_MODEL`, `MIDDLE_MODEL` and `SMALL_MODEL`.
    package var modelRules: [(pattern: String, model: String?)] = []
    /// `MODELS`.
    package var models: [String] = []
    /// `MIN_TOKENS_LIMIT`.
    package var minTokens: Int?
    /// `MAX_TOKENS_LIMIT`.
    package var maxTokens: Int?
    /// `MAX_TOKENS_FIELD`.
    package var usesMaxCompletionTokens: Bool?
    /// `PROXY_API_KEYS`.
    package var clientKeys: [SecretSource] = []
    /// `HOST`.
    package var host = "127.0.0.1"
    /// `PORT`.
    package var port: UInt16 = 8080
    /// `LISTEN`.
    package var unixPath: String?
    /// `ADMIN_HOST`.
    package var adminHost = "0.0.0.0"
    /// `ADMIN_PORT`.
    package var adminPort: UInt16?
    /// `WORKERS`.
    package var workers: Int?
    /// `LOG_LEVEL`.
    package var logLevel = LogLevel.info
    /// `LOG_FORMAT`.
    package var logFormat = LogFormat.json
    /// `CONNECT_TIMEOUT`.
    package var connectTimeout = Duration.seconds(10)
    /// `FIRST_BYTE_TIMEOUT`.
    package var firstByteTimeout = Duration.seconds(600)
    /// `UPSTREAM_IDLE_TIMEOUT`.
    package var upstreamIdleTimeout = Duration.seconds(300)
    /// `REQUEST_TIMEOUT`.
    package var requestTimeout: Duration?
    /// `COMMIT_AFTER`.
    package var commitAfter = Duration.seconds(10)
    /// `PING_INTERVAL`.
    package var pingInterval = Duration.seconds(10)
    /// `MAX_REQUEST_BYTES`.
    package var requestBytesMax = 32 << 20
    /// `MAX_CONCURRENT_REQUESTS`.
    package var concurrentRequestsMax = 10_000
    /// `DRAIN_TIMEOUT`.
    package var drainTimeout = Duration.seconds(25)
    /// `DROP_UNSUPPORTED`.
    package var unsupported = Unsupported.auto
    /// `UPSTREAM_CA_FILE`.
    package var caFile: String?
    /// `UPSTREAM_CLIENT_CERT`.
    package var clientCertificateFile: String?
    /// `UPSTREAM_CLIENT_KEY`.
    package var clientKeyFile: String?
    /// `UPSTREAM_TLS_INSECURE`.
    package var skipsTLSVerification = false
    /// What is odd but no mistake, for the log at the start.
    package var warnings: [String] = []
    /// Names that were set, for `check`.
    package var given: Set<String> = []

    /// The defaults.
    package init() {}

    /// Whether the main listener can be reached from this machine only.
    package var isOnLoopback: Bool {
        unixPath != nil || host == "127.0.0.1" || host == "::1" || host == "localhost"
    }
}

/// All mistakes of an environment, a line each.
package struct ConfigurationMistakes: Error, Equatable {
    /// One mistake a line, ready to be shown.
    package let lines: [String]
}
