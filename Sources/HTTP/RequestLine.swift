// The first line of a request: method, target and version (RFC 9112, 3).

/// A request line that was read and found well-formed.
struct RequestLine {
    let method: String
    let target: Range<Int>
    let path: String
    let query: Range<Int>?
    let version: HTTPVersion

    /// Reads the line that stands at `line` in a buffer.
    init(_ bytes: [UInt8], _ line: Range<Int>) throws(HTTPError) {
        guard
            let methodEnd = bytes[line].firstIndex(of: .space),
            let targetEnd = bytes[line].lastIndex(of: .space), methodEnd < targetEnd
        else { throw .badRequest("The request line is malformed.") }
        guard line.lowerBound < methodEnd, bytes[line.lowerBound..<methodEnd].allSatisfy(\.isToken)
        else { throw .badRequest("The method is malformed.") }
        method = bytes.text(line.lowerBound..<methodEnd)
        version = try HTTPVersion(bytes[(targetEnd + 1)..<line.upperBound])
        guard method != "CONNECT" else {
            throw HTTPError(status: 501, message: "The method CONNECT is not supported.")
        }
        target = (methodEnd + 1)..<targetEnd
        guard bytes[target].allSatisfy(\.isTarget) else {
            throw .badRequest("The request target has forbidden characters.")
        }
        let local = try Self.local(bytes, target, method)
        let mark = bytes[local].firstIndex(of: UInt8(ascii: "?"))
        let pathRange = local.lowerBound..<(mark ?? local.upperBound)
        path = pathRange.isEmpty ? "/" : bytes.text(pathRange)
        query = mark.map { ($0 + 1)..<local.upperBound }
    }

    /// The path and the query of a target in any of its three forms.
    private static func local(
        _ bytes: [UInt8], _ target: Range<Int>, _ method: String
    ) throws(HTTPError) -> Range<Int> {
        if bytes[target].first == UInt8(ascii: "/") { return target }
        if bytes.matches(target, "*"), method == "OPTIONS" { return target }
        guard let start = authorityStart(bytes, target) else {
            throw .badRequest("The request target is malformed.")
        }
        let rest = bytes[start..<target.upperBound]
        let end =
            rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            ?? target.upperBound
        guard start < end, bytes[start..<end].allSatisfy(\.isHost) else {
            throw .badRequest("The host in the request target is malformed.")
        }
        return end..<target.upperBound
    }

    /// Where the authority of an absolute target starts, nil for any other target.
    private static func authorityStart(_ bytes: [UInt8], _ target: Range<Int>) -> Int? {
        for scheme in ["http://", "https://"] as [StaticString] {
            let end = target.lowerBound + scheme.utf8CodeUnitCount
            if end <= target.upperBound, bytes.matches(target.lowerBound..<end, scheme) {
                return end
            }
        }
        return nil
    }
}
