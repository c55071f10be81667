// The sidecar's settings, read from the environment once.

/// A value that must not be seen; prints as a placeholder whatever prints it.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The value itself; for the one place that sends or compares it.
    package let revealed: String

    package init(_ value: String) { revealed = value }

    package var description: String { "‹secret›" }
    package var debugDescription: String { "‹secret›" }
}

/// A secret, or the file that holds it and may change.
package enum SecretSource: Sendable, Equatable {
    case value(Secret)
    case file(String)
}

/// Everything that can be set; the meaning of each stands in `SettingsTable`.
package struct Settings: Sendable {
    package enum Authentication: String, Sendable, CaseIterable {
        case bearer
        case apiKey = "api-key"
        case xAPIKey = "x-api-key"
        case none
        case passthrough
    }

    package enum LogLevel: String, Sendable, CaseIterable, Comparable {
        case debug, info, warn, error, off

        package static func < (a: LogLevel, b: LogLevel) -> Bool { a.order < b.order }
        private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    package enum LogFormat: String, Sendable, CaseIterable { case json, text }

    package enum Unsupported: String, Sendable, CaseIterable { case auto, strict }

    package var baseURL = "https://api.openai.com/v1"
    package var upstreamKey: SecretSource?
    package var organization: String?
    package var project: String?
    package var azureAPIVersion: String?
    package var authentication = Authentication.bearer
    package var dialect = "auto"
    package var customHeaders: [(name: String, value: String)] = []
    package var modelRules: [(pattern: String, model: String?)] = []
    package var models: [String] = []
    package var minTokens: Int?
    package var maxTokens: Int?
    package var usesMaxCompletionTokens: Bool?
    package var clientKeys: [SecretSource] = []
    package var host = "127.0.0.1"
    package var port: UInt16 = 8080
    package var unixPath: String?
    package var adminHost = "0.0.0.0"
    package var adminPort: UInt16?
    package var workers: Int?
    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.json
    package var connectTimeout = Duration.seconds(10)
    package var firstByteTimeout = Duration.seconds(600)
    package var upstreamIdleTimeout = Duration.seconds(300)
    package var requestTimeout: Duration?
    package var commitAfter = Duration.seconds(10)
    package var pingInterval = Duration.seconds(10)
    package var requestBytesMax = 32 << 20
    package var concurrentRequestsMax = 10_000
    package var drainTimeout = Duration.seconds(25)
    package var unsupported = Unsupported.auto
    package var caFile: String?
    package var clientCertificateFile: String?
    package var clientKeyFile: String?
    package var skipsTLSVerification = false
    /// What is odd but no mistake, for the log at the start.
    package var warnings: [String] = []
    /// Names that were set, for `check`.
    package var given: Set<String> = []

    package init() {}

    /// Whether the main listener can be reached from this machine only.
    package var isOnLoopback: Bool {
        unixPath != nil || host == "127.0.0.1" || host == "::1" || host == "localhost"
    }
}

/// All mistakes of an environment, a line each.
package struct ConfigurationMistakes: Error, Equatable {
    package let lines: [String]
}
