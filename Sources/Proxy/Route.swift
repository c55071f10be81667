// Which request goes where (translation 6).
internal import Configuration
internal import HTTP
internal import Telemetry

/// What a request is for.
enum Route: Equatable {
    case messages, countTokens, models
    case model(String)
    case hello, report, alive, ready, metrics, quit
    /// `OPTIONS *`: the server as a whole (RFC 9110, 9.3.7).
    case server
    /// There is nothing.
    case missing(message: String)
    /// There is something, for these methods.
    case wrongMethod(allow: String)

    init(_ head: RequestHead) {
        let path = Self.plain(head.path)
        switch path {
        case "/v1/messages", "/anthropic/v1/messages", "/messages", "/v1/v1/messages":
            self = Self.post(head, .messages)
        case "/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens",
            "/messages/count_tokens", "/v1/v1/messages/count_tokens":
            self = Self.post(head, .countTokens)
        case "/v1/models", "/anthropic/v1/models", "/models", "/v1/v1/models":
            self = Self.get(head, .models)
        case "*": self = .server
        case Self.quitPath: self = Self.post(head, .quit)
        case "/", "/api/hello": self = Self.get(head, .hello)
        // Telemetry that Claude Code has for its own gateway: refused, it is sent again and again.
        case "/api/event_logging", "/api/event_logging/batch", "/api/event_logging/v2/batch",
            "/v1/metrics", "/v1/logs", "/v1/traces":
            self = Self.post(head, .report)
        case _ where path.hasPrefix("/v1/messages/batches"):
            self = .missing(message: "message batches are not supported by this gateway")
        default:
            self =
                (Self.probe(path) ?? Self.oneModel(path)).map { Self.get(head, $0) }
                ?? .missing(message: "Not found: \(head.method) \(path)")
        }
    }

    /// One model, in as many spellings as the list of all.
    private static func oneModel(_ path: String) -> Route? {
        for prefix in ["/v1/models/", "/anthropic/v1/models/", "/models/", "/v1/v1/models/"]
        where path.hasPrefix(prefix) {
            return .model(String(path.dropFirst(prefix.utf8.count)).percentDecoded)
        }
        return nil
    }

    /// Ends the process, on both listeners.
    static let quitPath = "/quitquitquit"

    /// What is answered without a key, a log line or the upstream; on both listeners.
    static func probe(_ path: String) -> Route? {
        switch path {
        case "/healthz", "/livez": .alive
        case "/readyz", "/startupz": .ready
        case "/metrics": .metrics
        default: nil
        }
    }

    /// How the metrics call it; `nil` for what is not counted.
    var label: RouteLabel? {
        switch self {
        case .messages: .messages
        case .countTokens: .countTokens
        case .models, .model: .models
        case .missing, .wrongMethod: .other
        case .hello, .report, .alive, .ready, .metrics, .quit, .server: nil
        }
    }

    /// Without a slash at the end.
    static func plain(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    private static func post(_ head: RequestHead, _ route: Route) -> Route {
        head.method == "POST" ? route : .wrongMethod(allow: "POST")
    }

    static func get(_ head: RequestHead, _ route: Route) -> Route {
        head.method == "GET" || head.method == "HEAD"
            ? route : .wrongMethod(allow: "GET, HEAD")
    }
}
