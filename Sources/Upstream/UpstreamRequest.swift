// What is sent upstream.
internal import Bytes
internal import CCurl
internal import Glibc

/// A request: where to, with which headers, with which body.
package struct UpstreamRequest {
    /// Where the request goes.
    package let url: String
    /// Its header lines.
    package let headers: HeaderList
    /// Its body.
    package let body: UpstreamBody
    /// Whether it is a GET, which has no body; else it is a POST.
    var isGet = false
    /// Whether no connection that has served before may be used.
    package var wantsNewConnection = false

    /// A request with everything it needs.
    package init(url: String, headers: HeaderList, body: UpstreamBody) {
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// A body in pieces, none of which is copied when the whole is large.
package struct UpstreamBody: Sendable {
    /// Up to this size, that of a TLS record, a body goes out in one packet with the head, at the
    /// price of a copy that lives as long as the transfer.
    static let inlineBytesMax = 16 * 1024

    /// Nothing.
    static let empty = UpstreamBody(pieces: [])

    /// The pieces, in order.
    package let pieces: [ArraySlice<UInt8>]
    /// Length in bytes.
    package let count: Int

    /// A body of these pieces.
    package init(pieces: [ArraySlice<UInt8>]) {
        self.pieces = pieces
        count = pieces.reduce(0) { $0 + $1.count }
    }
}

/// Header lines, made once for many requests.
@safe package final class HeaderList {
    /// The lines as they go out over a connection of our own.
    let bytes: [UInt8]
    /// Whether the lines name the host, or the sender, themselves.
    let hasHost, hasUserAgent: Bool
    private let lines: [String]
    /// The lines for libcurl, which does not copy them; freed with this object.
    private var list: UnsafeMutablePointer<curl_slist>?

    /// Lines like `Accept: application/json`.
    ///
    /// Control characters never reach the upstream: a line that holds one is left out.
    package init(_ lines: [String]) {
        let clean = lines.filter { line in
            line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } && line.utf8.contains(0x3a)
        }
        var bytes: [UInt8] = []
        for line in clean {
            bytes.append(line)
            bytes.append("\r\n" as StaticString)
        }
        self.bytes = bytes
        self.lines = clean
        let names = clean.map { $0.prefix { $0 != ":" }.lowercased() }
        hasHost = names.contains("host")
        hasUserAgent = names.contains("user-agent")
    }

    deinit { unsafe curl_slist_free_all(list) }

    /// The lines in libcurl's form, without the `Expect` that it would add.
    var raw: UnsafeMutablePointer<curl_slist>? {
        if unsafe list == nil {
            for line in lines + ["Expect:"] {
                guard let longer = unsafe curl_slist_append(list, line) else { continue }
                unsafe list = unsafe longer
            }
        }
        return unsafe list
    }
}

/// What all requests of a client have in common.
package struct UpstreamOptions: Sendable {
    /// Until the connection stands, TLS included.
    package var connectTimeoutMilliseconds = 10_000
    /// `User-Agent`.
    package var userAgent = "claude-sidecar"
    /// CA bundle instead of the system's authorities.
    package var caFile: String?
    /// Folder of authorities instead of the system's.
    package var caDirectory: String?
    /// Certificate that is shown to the upstream.
    package var clientCertificateFile: String?
    /// Key of that certificate.
    package var clientKeyFile: String?
    /// A Unix socket to connect to instead of the URL's host.
    package var unixSocketPath: String?
    /// Whether the upstream's identity goes unchecked.
    package var skipsTLSVerification = false
    /// Whether HTTP/2 is spoken with servers that agree on it over TLS.
    package var usesHTTP2 = false
    /// The proxy; empty for none, nil for what the environment says.
    package var proxy: String?
    /// Hosts that no proxy is asked for, by comma; nil for what the environment says.
    package var proxyExceptions: String?

    /// The defaults.
    package init() {}

    /// The version in libcurl's terms; whether a server agrees is told in the TLS handshake.
    var httpVersion: Int {
        Int(usesHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1)
    }

    /// Whether requests without TLS go over connections of our own; libcurl asks proxies for us.
    var isPlainOurs: Bool {
        proxy?.isEmpty ?? !Self.isProxied("http_proxy", "ALL_PROXY", "all_proxy")
    }

    /// Whether the environment names a proxy, where libcurl looks for it.
    private static func isProxied(_ names: String...) -> Bool {
        names.contains { name in unsafe getenv(name).map { unsafe $0.pointee != 0 } ?? false }
    }
}
