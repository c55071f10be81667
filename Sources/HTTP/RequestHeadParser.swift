// Reads request heads from bytes that come in any pieces.

/// Finds and checks one head after the other at the front of a buffer.
package struct RequestHeadParser {
    private let limits: HTTPLimits
    /// Up to where the end of the head has been looked for.
    private var searched = 0
    private var lineStart = 0
    private var lineEnds: [Int] = []

    package init(limits: HTTPLimits) { self.limits = limits }

    /// Takes the head at the front of the buffer, once it is whole; `nil` until then.
    package mutating func parse(_ buffer: inout [UInt8]) throws(HTTPError) -> RequestHead? {
        if searched == 0 { skipEmptyLines(&buffer) }
        guard try findEnd(buffer) else { return nil }
        let bytes = buffer.count == searched ? buffer : Array(buffer[..<searched])
        if buffer.count == searched { buffer = [] } else { buffer.removeFirst(searched) }
        let ends = lineEnds
        (searched, lineStart, lineEnds) = (0, 0, [])
        return try Self.head(bytes, ends)
    }

    /// RFC 9112, section 2.2: at least one empty line before a request line is to be ignored.
    private func skipEmptyLines(_ buffer: inout [UInt8]) {
        for _ in 0..<2 where buffer.starts(with: [0x0d, 0x0a]) { buffer.removeFirst(2) }
    }

    /// Goes on looking for the empty line; checks line ends and limits on the way.
    private mutating func findEnd(_ buffer: [UInt8]) throws(HTTPError) -> Bool {
        while searched < buffer.count {
            let byte = buffer[searched]
            searched += 1
            if byte == 0x0d || byte == 0x0a { if try lineEnd(byte, buffer) { return true } }
            if lineEnds.isEmpty, searched > limits.requestLineBytesMax {
                throw HTTPError(status: 414, message: "the request line is too long")
            }
            if searched > limits.headBytesMax {
                throw HTTPError(status: 431, message: "the headers are too large")
            }
        }
        return false
    }

    /// Handles the byte before `searched`, a CR or LF; `true` at the end of the head.
    private mutating func lineEnd(_ byte: UInt8, _ buffer: [UInt8]) throws(HTTPError) -> Bool {
        if byte == 0x0d {
            if searched < buffer.count, buffer[searched] != 0x0a { throw .bad("a bare CR") }
            return false
        }
        guard searched >= 2, buffer[searched - 2] == 0x0d, searched - 2 >= lineStart else {
            throw .bad("a bare LF")
        }
        let end = searched - 2
        defer { lineStart = searched }
        if end == lineStart {
            guard !lineEnds.isEmpty else { throw .bad("an empty request line") }
            return true
        }
        lineEnds.append(end)
        if lineEnds.count > limits.headersMax + 1 {
            throw HTTPError(status: 431, message: "too many headers")
        }
        return false
    }

    // MARK: - A whole head

    private static func head(_ bytes: [UInt8], _ ends: [Int]) throws(HTTPError) -> RequestHead {
        let (method, target, version) = try requestLine(bytes[..<ends[0]])
        var fields: [RequestHead.Field] = []
        fields.reserveCapacity(ends.count - 1)
        for (previous, end) in zip(ends, ends.dropFirst()) {
            fields.append(try field(bytes[(previous + 2)..<end]))
        }
        return try RequestHead(
            method: method, target: target, version: version, bytes: bytes, fields: fields)
    }

    private static func requestLine(
        _ line: ArraySlice<UInt8>
    ) throws(HTTPError) -> (method: String, target: String, HTTPVersion) {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .bad("a malformed request line") }
        let (method, target, version) = (parts[0], parts[1], parts[2])
        guard !method.isEmpty, method.allSatisfy(HTTPByte.isToken) else {
            throw .bad("a malformed method")
        }
        let served = try readVersion(version)
        guard isTarget(target, method) else { throw .bad("a malformed request target") }
        return (
            String(decoding: method, as: UTF8.self), String(decoding: target, as: UTF8.self), served
        )
    }

    private static func readVersion(_ text: ArraySlice<UInt8>) throws(HTTPError) -> HTTPVersion {
        if text.elementsEqual("HTTP/1.1".utf8) { return .http11 }
        if text.elementsEqual("HTTP/1.0".utf8) { return .http10 }
        let digits = text.dropFirst(5)
        guard text.starts(with: "HTTP/".utf8), digits.count == 3,
            digits.enumerated().allSatisfy({ index, byte in
                index == 1 ? byte == UInt8(ascii: ".") : (0x30...0x39).contains(byte)
            })
        else { throw .bad("a malformed HTTP version") }
        throw HTTPError(status: 505, message: "only HTTP/1.1 and HTTP/1.0 are served")
    }

    private static func isTarget(_ target: ArraySlice<UInt8>, _ method: ArraySlice<UInt8>) -> Bool {
        guard let first = target.first,
            target.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") })
        else { return false }
        if first == UInt8(ascii: "/") { return true }
        if target.count == 1 {
            return first == UInt8(ascii: "*") && method.elementsEqual("OPTIONS".utf8)
        }
        return target.starts(with: "http://".utf8) || target.starts(with: "https://".utf8)
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(HTTPError) -> RequestHead.Field {
        guard let first = line.first, first != 0x20, first != 0x09 else {
            throw .bad("a folded header line")
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw .bad("a header without a colon")
        }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(HTTPByte.isToken) else {
            throw .bad("a malformed header name")
        }
        let value = line[(colon + 1)...].trimmed
        guard value.allSatisfy(HTTPByte.isValue) else {
            throw .bad("a control character in a header")
        }
        return RequestHead.Field(
            name: name.startIndex..<name.endIndex, value: value.startIndex..<value.endIndex)
    }
}
