// The head of an answer, as a client of a server reads it (RFC 9112).

internal import Bytes

/// How the end of an answer's body is known (RFC 9112, 6.3).
package enum AnswerFraming: Equatable, Sendable {
    /// The body has this many bytes, perhaps zero.
    case length(Int)
    /// The body is chunked.
    case chunked
    /// The body ends with the connection.
    case untilClose
}

/// The head of a final answer.
package struct AnswerHead: Sendable {
    /// The status of the answer, 200 to 999.
    package let status: Int
    /// All of it, from the status line to the empty line.
    package let bytes: [UInt8]
    /// Where its body ends.
    package let framing: AnswerFraming
    /// Whether the server lets the connection be used again.
    package let isKeepAlive: Bool
}

/// Reads the head of an answer, interim ones before it included.
///
/// Each byte is looked at once. Like all clients it takes a bare LF for the end of a line; what
/// would be read differently by two readers is refused.
struct AnswerHeadParser {
    /// Room for all heads of one answer together.
    private static let bytesMax = 64 * 1024
    private static let start: StaticString = "HTTP/1."

    private var bytes: [UInt8] = []
    private var lineStart = 0
    private var interimBytes = 0
    private var status = 0
    private var version = HTTPVersion.http11
    private var fields = AnswerFields()

    /// Takes bytes up to the end of the head; the head, once it is whole, and how many were taken.
    mutating func parse(
        _ input: Span<UInt8>
    ) throws(HTTPError) -> (head: AnswerHead?, consumed: Int) {
        var position = 0
        while position < input.count {
            let end = input.firstLineFeed(from: position)
            let next = min(end + 1, input.count)
            guard interimBytes + bytes.count + next - position <= Self.bytesMax else {
                throw .badGateway("the head of the answer is too large")
            }
            bytes.append(input.extracting(position..<next))
            position = next
            if status == 0 { try checkStart() }
            if end < input.count, let head = try endLine() { return (head, position) }
        }
        return (nil, position)
    }

    /// Nonsense is found at its first byte, not when a line of it has come.
    private func checkStart() throws(HTTPError) {
        for index in 0..<min(bytes.count, Self.start.utf8CodeUnitCount)
        where unsafe bytes[index] != Self.start.utf8Start[index] {
            throw .badGateway("the answer is not HTTP/1.1")
        }
    }

    private mutating func endLine() throws(HTTPError) -> AnswerHead? {
        var line = lineStart..<(bytes.count - 1)
        if line.upperBound > line.lowerBound, bytes[line.upperBound - 1] == .carriageReturn {
            line = line.lowerBound..<(line.upperBound - 1)
        }
        lineStart = bytes.count
        guard
            bytes.span.firstForbiddenControl(from: line.lowerBound, to: line.upperBound)
                == line.upperBound
        else { throw .badGateway("the head of the answer has a control character") }
        if status == 0 {
            try readStatus(line)
            return nil
        }
        guard line.isEmpty else {
            guard let field = HeaderField(of: bytes, line) else {
                throw .badGateway("a header of the answer is malformed")
            }
            try fields.read(field, in: bytes)
            return nil
        }
        guard status >= 200 else {
            guard status != 101 else { throw .badGateway("the upstream changed the protocol") }
            let count = interimBytes + bytes.count
            self = AnswerHeadParser()
            interimBytes = count
            return nil
        }
        return AnswerHead(
            status: status, bytes: bytes, framing: fields.framing(status),
            isKeepAlive: fields.isKeepAlive(version))
    }

    /// `HTTP/1.1 200`, perhaps with a reason behind it.
    private mutating func readStatus(_ line: Range<Int>) throws(HTTPError) {
        let digits = bytes[line].dropFirst(9).prefix(3)
        guard line.count >= 12, digits.allSatisfy(\.isDigit), bytes[line.lowerBound + 7].isDigit,
            bytes[line.lowerBound + 8] == .space,
            line.count == 12 || bytes[line.lowerBound + 12] == .space
        else { throw .badGateway("the answer's status line is malformed") }
        version = bytes[line.lowerBound + 7] == UInt8(ascii: "0") ? .http10 : .http11
        status = digits.reduce(0) { $0 * 10 + Int($1 & 0x0F) }
        guard status >= 100 else { throw .badGateway("the answer's status is malformed") }
    }
}

/// What the fields of an answer say about its body and its connection.
private struct AnswerFields {
    private var contentLength: Int?
    private var isChunked = false
    private var connection = ConnectionOptions()

    mutating func read(_ field: HeaderField, in bytes: [UInt8]) throws(HTTPError) {
        let (name, value) = (field.name, field.value)
        switch name.count {
        case 10 where bytes.matches(name, "connection"):
            connection.read(bytes, value)
        case 14 where bytes.matches(name, "content-length"):
            try readContentLength(bytes, value)
        case 17 where bytes.matches(name, "transfer-encoding"):
            if bytes.matches(value, "identity") { break }
            guard !isChunked, bytes.matches(value, "chunked") else {
                throw .badGateway("the answer's transfer coding is not supported")
            }
            isChunked = true
        default: break
        }
    }

    /// Statuses that never have a body come first, then chunks, which win over a length.
    func framing(_ status: Int) -> AnswerFraming {
        if status == 204 || status == 304 { return .length(0) }
        if isChunked { return .chunked }
        return contentLength.map { .length($0) } ?? .untilClose
    }

    /// With both lengths, or chunks in a version that has none, somebody on the way may see another
    /// end than we do (RFC 9112, 6.1 and 6.3).
    func isKeepAlive(_ version: HTTPVersion) -> Bool {
        connection.isKeepAlive(version)
            && !(isChunked && (contentLength != nil || version == .http10))
    }

    /// The same number may be said more than once (RFC 9110, 8.6).
    private mutating func readContentLength(
        _ bytes: [UInt8], _ value: Range<Int>
    ) throws(HTTPError) {
        var isGood = !value.isEmpty
        var known = contentLength
        bytes.forEachOption(of: value) { option in
            let number = bytes.decimal(option)
            isGood = isGood && number != nil && (known == nil || known == number)
            known = number
        }
        guard isGood, known != nil else {
            throw .badGateway("the answer's Content-Length is malformed")
        }
        contentLength = known
    }
}
