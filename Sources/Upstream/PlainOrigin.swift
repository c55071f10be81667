// Where requests without TLS go, and the lines that all of them begin with.
internal import Bytes

/// A URL with `http`, taken apart for the head of a request.
struct PlainOrigin {
    let url: String
    /// Host and port as the URL has them.
    let authority: String
    private let start: [UInt8]
    private let host: [UInt8]
    private let userAgent: [UInt8]

    /// `nil` for any other kind of URL.
    init?(_ url: String, userAgent: String) {
        guard url.hasPrefix("http://"), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            return nil
        }
        let rest = url.dropFirst(7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        var path = String(rest[authority.endIndex...])
        if !path.hasPrefix("/") { path = "/" + path }
        self.url = url
        self.authority = String(authority)
        let name = authority.hasSuffix(":80") ? authority.dropLast(3) : authority
        start = Array("POST \(path) HTTP/1.1\r\n".utf8)
        host = Array("Host: \(name)\r\n".utf8)
        self.userAgent = Array("User-Agent: \(userAgent)\r\n".utf8)
    }

    /// The head of a request; the caller's lines win over ours.
    func head(_ request: UpstreamRequest) -> [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(
            start.count + host.count + userAgent.count + request.headers.bytes.count + 64)
        head += start
        if !request.headers.hasHost { head += host }
        if !request.headers.hasUserAgent { head += userAgent }
        head += request.headers.bytes
        head.append("Content-Length: " as StaticString)
        head.append(decimal: request.body.count)
        head.append("\r\n\r\n" as StaticString)
        return head
    }
}
