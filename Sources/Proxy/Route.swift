// Which request goes where (translation 6).
internal import HTTP
internal import Telemetry

/// What a request is for.
enum Route: Equatable {
    case messages, countTokens, models
    case model(String)
    case hello, alive, ready, metrics, quit
    case refused(status: Int, message: String)

    init(_ head: RequestHead) {
        let path = Self.plain(head.path)
        switch path {
        case "/v1/messages", "/anthropic/v1/messages", "/messages", "/v1/v1/messages":
            self = Self.post(head, .messages)
        case "/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens",
            "/messages/count_tokens", "/v1/v1/messages/count_tokens":
            self = Self.post(head, .countTokens)
        case "/v1/models", "/anthropic/v1/models", "/models": self = Self.get(head, .models)
        case "/", "/api/hello": self = Self.get(head, .hello)
        case "/healthz", "/livez": self = Self.get(head, .alive)
        case "/readyz", "/startupz": self = Self.get(head, .ready)
        case "/quitquitquit": self = Self.post(head, .quit)
        case "/metrics": self = Self.get(head, .metrics)
        case _ where path.hasPrefix("/v1/messages/batches"):
            self = .refused(
                status: 404, message: "message batches are not supported by this gateway")
        case _ where path.hasPrefix("/v1/models/"):
            self = Self.get(head, .model(Self.percentDecoded(String(path.dropFirst(11)))))
        default: self = .refused(status: 404, message: "Not found: \(head.method) \(path)")
        }
    }

    /// Without a slash at the end.
    private static func plain(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    private static func post(_ head: RequestHead, _ route: Route) -> Route {
        head.method == "POST" ? route : .refused(status: 405, message: "use POST")
    }

    private static func get(_ head: RequestHead, _ route: Route) -> Route {
        head.method == "GET" || head.method == "HEAD"
            ? route : .refused(status: 405, message: "use GET")
    }

    private static func percentDecoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
