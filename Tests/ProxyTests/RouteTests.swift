// Which request goes where.
import HTTP
import Testing

@testable import Proxy

private func route(_ method: String, _ target: String) throws -> Route? {
    var parser = RequestHeadParser(limits: HTTPLimits())
    var bytes = Array("\(method) \(target) HTTP/1.1\r\nhost: x\r\n\r\n".utf8)
    return try parser.parse(&bytes).map { Route($0) }
}

@Suite struct RouteTests {
    @Test(arguments: [
        "/v1/messages", "/v1/messages/", "/v1/messages?beta=true", "/anthropic/v1/messages",
        "/messages", "/v1/v1/messages", "http://h/v1/messages",
    ])
    func messagesHaveManySpellings(target: String) throws {
        #expect(try route("POST", target) == .messages)
    }

    @Test(arguments: [
        ("GET", "/v1/models?limit=1000", Route.models),
        ("GET", "/v1/models/openai%2Fgpt-4o", .model("openai/gpt-4o")),
        ("GET", "/anthropic/v1/models/a", .model("a")), ("GET", "/models/a", .model("a")),
        ("GET", "/v1/v1/models/a", .model("a")), ("GET", "/v1/v1/models", .models),
        ("POST", "/v1/messages/count_tokens?beta=true", .countTokens),
        ("POST", "/api/event_logging/batch", .report), ("POST", "/v1/metrics", .report),
        ("HEAD", "/", .hello), ("HEAD", "/api/hello", .hello), ("GET", "/healthz", .alive),
        ("GET", "/livez", .alive), ("GET", "/readyz", .ready), ("GET", "/metrics", .metrics),
        ("POST", "/quitquitquit", .quit), ("OPTIONS", "*", .server),
        ("GET", "/quitquitquit", .wrongMethod(allow: "POST")),
        ("GET", "/v1/messages", .wrongMethod(allow: "POST")),
        ("POST", "/metrics", .wrongMethod(allow: "GET, HEAD")),
        ("GET", "/x?key=1", .missing(message: "Not found: GET /x")),
        (
            "POST", "/v1/messages/batches",
            .missing(message: "message batches are not supported by this gateway")
        ),
    ])
    func everyPathHasItsPlace(method: String, target: String, expected: Route) throws {
        #expect(try route(method, target) == expected)
    }
}
