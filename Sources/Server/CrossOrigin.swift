// Which web pages may read what the server answers (Fetch Standard, CORS).
internal import HTTP

/// The origins of those pages.
package final class CrossOrigin: Sendable {
    private let origins: Set<String>
    private let takesAll: Bool

    /// Lets pages of these origins read; `*` is all of them.
    package init(_ origins: [String]) {
        self.origins = Set(origins)
        takesAll = origins.contains("*")
    }

    /// Fields that every answer to a page has.
    func fields(for origin: String?) -> [(String, String)] {
        guard !takesAll else { return Self.fields(of: "*") }
        // A cache must not give one page's answer to another.
        let vary = ("vary", "Origin")
        guard let origin, origins.contains(origin) else { return [vary] }
        return Self.fields(of: origin) + [vary]
    }

    private static func fields(of origin: String) -> [(String, String)] {
        [
            ("access-control-allow-origin", origin), ("access-control-expose-headers", "*"),
        ]
    }
}

extension RequestHead {
    /// What a browser is told that asks before it sends a page's request.
    package var preflightFields: [(String, String)] {
        // By name: `*` would not hold for Authorization.
        let headers = header("access-control-request-headers").map {
            [("access-control-allow-headers", $0)]
        }
        return [
            ("access-control-allow-methods", "GET, HEAD, POST"),
            ("access-control-max-age", "7200"),
        ] + (headers ?? [])
    }
}
