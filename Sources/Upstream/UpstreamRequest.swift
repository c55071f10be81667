// What is sent upstream.
internal import CCurl

/// A POST: where to, with which headers, with which body.
package struct UpstreamRequest {
    /// Where the request goes.
    package let url: String
    /// Its header lines.
    package let headers: HeaderList
    /// Its body.
    package let body: UpstreamBody
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
    /// Up to this size a body goes out in one packet with the head, at the price of a copy.
    static let inlineBytesMax = 64 * 1024

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

/// Header lines in libcurl's form, made once for many requests.
@safe package final class HeaderList {
    private(set) var raw: UnsafeMutablePointer<curl_slist>?

    /// Lines like `Accept: application/json`; a name with nothing behind its colon takes away a
    /// header that libcurl would send.
    ///
    /// Control characters never reach libcurl, which would pass them on: a line that holds one is
    /// left out.
    package init(_ lines: [String]) {
        for line in lines where line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) {
            guard let longer = unsafe curl_slist_append(raw, line) else { continue }
            unsafe raw = unsafe longer
        }
    }

    deinit { unsafe curl_slist_free_all(raw) }
}

/// What all requests of a client have in common.
package struct UpstreamOptions: Sendable {
    /// Until the connection stands, TLS included.
    package var connectTimeoutMilliseconds = 10_000
    /// `User-Agent`.
    package var userAgent = "claude-sidecar"
    /// CA bundle instead of the system's.
    package var caFile: String?
    /// Certificate that is shown to the upstream.
    package var clientCertificateFile: String?
    /// Key of that certificate.
    package var clientKeyFile: String?
    /// A Unix socket to connect to instead of the URL's host.
    package var unixSocketPath: String?
    /// Whether the upstream's identity goes unchecked.
    package var skipsTLSVerification = false
    /// Whether HTTP/2 may be used where the server offers it.
    package var allowsHTTP2 = false

    /// The defaults.
    package init() {}

    var httpVersion: Int { allowsHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1 }
}
