// The header fields that decide about the connection and the body.

/// What the fields of one head say about its body and its connection.
struct MessageControl {
    private var hasHost = false
    private var contentLength: Int?
    private var hasTransferEncoding = false
    private var isChunked = true
    private var connection = ConnectionOptions()
    private var hasContinue = false

    /// Takes note of one field; fields that decide nothing are skipped by their length.
    mutating func read(_ field: HeaderField, in bytes: [UInt8]) throws(HTTPError) {
        let (name, value) = (field.name, field.value)
        switch name.count {
        case 4 where bytes.matches(name, "host"):
            try readHost(bytes[value])
        case 6 where bytes.matches(name, "expect"):
            guard bytes.matches(value, "100-continue") else {
                throw HTTPError(status: 417, message: "The expectation is not supported.")
            }
            hasContinue = true
        case 10 where bytes.matches(name, "connection"):
            connection.read(bytes, value)
        case 14 where bytes.matches(name, "content-length"):
            try readContentLength(bytes, value)
        case 17 where bytes.matches(name, "transfer-encoding"):
            isChunked = !hasTransferEncoding && bytes.matches(value, "chunked")
            hasTransferEncoding = true
        default: break
        }
    }

    /// Where the body ends, once all fields were read.
    func framing(_ version: HTTPVersion) throws(HTTPError) -> BodyFraming {
        if version == .http11, !hasHost { throw .badRequest("The Host header is missing.") }
        guard hasTransferEncoding else { return contentLength.map { .length($0) } ?? .none }
        if contentLength != nil {
            throw .badRequest("Content-Length and Transfer-Encoding exclude each other.")
        }
        if version == .http10 {
            throw .badRequest("HTTP/1.0 has no Transfer-Encoding.")
        }
        guard isChunked else {
            throw HTTPError(status: 501, message: "The transfer coding is not supported.")
        }
        return .chunked
    }

    /// Whether the connection outlives the answer.
    func isKeepAlive(_ version: HTTPVersion) -> Bool { connection.isKeepAlive(version) }

    /// Whether the client waits for `100 Continue`, which HTTP/1.0 does not know.
    func expectsContinue(_ version: HTTPVersion) -> Bool {
        hasContinue && version == .http11
    }

    private mutating func readHost(_ value: ArraySlice<UInt8>) throws(HTTPError) {
        if hasHost { throw .badRequest("The Host header is repeated.") }
        guard value.allSatisfy(\.isHost) else {
            throw .badRequest("The Host header is malformed.")
        }
        hasHost = true
    }

    private mutating func readContentLength(
        _ bytes: [UInt8], _ value: Range<Int>
    ) throws(HTTPError) {
        if contentLength != nil { throw .badRequest("The Content-Length header is repeated.") }
        guard !value.isEmpty else { throw .badRequest("The Content-Length header is empty.") }
        guard bytes[value].allSatisfy(\.isDigit) else {
            throw .badRequest("The Content-Length header is malformed.")
        }
        guard let length = bytes.decimal(value) else {
            throw .badRequest("The Content-Length header is too large.")
        }
        contentLength = length
    }
}

/// What the `Connection` fields of a head say; requests and answers say it alike.
struct ConnectionOptions {
    private var hasClose = false
    private var hasKeepAlive = false

    /// Takes note of one field's value.
    mutating func read(_ bytes: [UInt8], _ value: Range<Int>) {
        bytes.forEachOption(of: value) { option in
            if bytes.matches(option, "close") { hasClose = true }
            if bytes.matches(option, "keep-alive") { hasKeepAlive = true }
        }
    }

    /// Whether the connection outlives the message; `close` wins over `keep-alive`.
    func isKeepAlive(_ version: HTTPVersion) -> Bool {
        !hasClose && (version == .http11 || hasKeepAlive)
    }
}
