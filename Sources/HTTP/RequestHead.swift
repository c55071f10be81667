// The head of a request, read strictly.

/// A request's line and headers, kept in the bytes they came in.
package struct RequestHead: Sendable {
    package let method: String
    /// As it came.
    package let target: String
    package let version: HTTPVersion
    package private(set) var framing = BodyFraming.none
    package private(set) var isKeepAlive: Bool
    package private(set) var expectsContinue = false

    private let bytes: [UInt8]
    private let fields: [Field]

    struct Field {
        var name: Range<Int>
        var value: Range<Int>
    }

    init(
        method: String, target: String, version: HTTPVersion, bytes: [UInt8], fields: [Field]
    ) throws(HTTPError) {
        self.method = method
        self.target = target
        self.version = version
        self.bytes = bytes
        self.fields = fields
        isKeepAlive = version == .http11
        try readFraming()
        try readConnection()
    }

    /// The value of the first header of that name, in any case.
    package func header(_ name: StaticString) -> String? {
        values(name).first { _ in true }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The target's path without its query; for absolute targets without scheme and host.
    package var path: String {
        let path = pathAndQuery.prefix { $0 != UInt8(ascii: "?") }
        return path.isEmpty ? "/" : String(decoding: path, as: UTF8.self)
    }

    /// What stands behind the first question mark.
    package var query: String? {
        let target = pathAndQuery
        guard let mark = target.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return String(decoding: target[(mark + 1)...], as: UTF8.self)
    }

    private var pathAndQuery: ArraySlice<UInt8> {
        let bytes = Array(target.utf8)
        guard bytes.first != UInt8(ascii: "/"), bytes != [UInt8(ascii: "*")] else {
            return bytes[...]
        }
        let authority = target.hasPrefix("https://") ? 8 : 7
        return bytes.dropFirst(authority).drop {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?")
        }
    }

    private func values(_ name: StaticString) -> some Sequence<ArraySlice<UInt8>> {
        fields.lazy.filter { HTTPByte.equal(bytes[$0.name], name) }.map { bytes[$0.value] }
    }

    /// RFC 9112, section 6: what could be read as two requests is refused, not interpreted.
    private mutating func readFraming() throws(HTTPError) {
        let lengths = Array(values("content-length"))
        let codings = Array(values("transfer-encoding"))
        guard lengths.count <= 1 else { throw .bad("more than one Content-Length") }
        if let coding = codings.first {
            guard lengths.isEmpty else {
                throw .bad("both Content-Length and Transfer-Encoding")
            }
            guard version == .http11 else { throw .bad("Transfer-Encoding in HTTP/1.0") }
            guard codings.count == 1, HTTPByte.equal(coding, "chunked") else {
                throw HTTPError(status: 501, message: "unsupported Transfer-Encoding")
            }
            framing = .chunked
        } else if let text = lengths.first {
            framing = .length(try Self.length(text))
        }
    }

    private static func length(_ text: ArraySlice<UInt8>) throws(HTTPError) -> Int {
        guard !text.isEmpty, text.count <= 18, text.allSatisfy({ (0x30...0x39).contains($0) })
        else {
            throw .bad("malformed Content-Length")
        }
        return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private mutating func readConnection() throws(HTTPError) {
        let hosts = values("host").reduce(0) { count, _ in count + 1 }
        guard hosts == 1 || hosts == 0 && version == .http10 else {
            throw .bad(hosts == 0 ? "no Host" : "more than one Host")
        }
        for value in values("connection") {
            for option in value.split(separator: UInt8(ascii: ",")) {
                let option = option.trimmed
                if HTTPByte.equal(option, "close") { isKeepAlive = false }
                if version == .http10, HTTPByte.equal(option, "keep-alive") { isKeepAlive = true }
            }
        }
        for value in values("expect") {
            guard HTTPByte.equal(value, "100-continue") else {
                throw HTTPError(status: 417, message: "unknown Expect")
            }
            expectsContinue = version == .http11
        }
    }
}

extension ArraySlice<UInt8> {
    /// Without the spaces and tabs around it.
    var trimmed: ArraySlice<UInt8> {
        let start = drop { $0 == 0x20 || $0 == 0x09 }
        guard let end = start.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else {
            return start.prefix(0)
        }
        return start[...end]
    }
}
