// Finds and checks the head of a request in the bytes that have arrived so far.

/// Reads request heads, strictly by RFC 9110 and RFC 9112, from a growing buffer.
///
/// Every byte is looked at once, however the head is split; what is wrong is found at the same
/// byte for every split. After an error the connection is to be closed.
package struct RequestHeadParser {
    /// Some clients send an empty line after a body (RFC 9112, 2.2).
    private static let emptyLinesMax = 2

    private let limits: HTTPLimits
    private var headStart = 0
    private var lineStart = 0
    /// The bytes before this one hold no end of the line that begins at `lineStart`.
    private var position = 0
    private var emptyLines = 0
    private var line: RequestLine?
    private var fields: [HeaderField] = []
    private var control = MessageControl()

    /// Makes a parser for the heads of one connection.
    package init(limits: HTTPLimits) {
        precondition(
            limits.headBytesMax < Int32.max && limits.requestLineBytesMax < Int32.max,
            "The places of header fields have 32 bits.")
        self.limits = limits
    }

    /// Takes a complete head from the front of the buffer; nil while it is incomplete.
    ///
    /// Until then the buffer may only grow at its end.
    package mutating func parse(_ buffer: inout [UInt8]) throws(HTTPError) -> RequestHead? {
        while let range = try nextLine(in: buffer.span) {
            let lineEnd = range.upperBound + 2
            if let line, range.isEmpty {
                let head = try RequestHead(
                    bytes: Array(buffer[..<lineEnd]), line: line, fields: fields,
                    control: control)
                buffer.removeFirst(lineEnd)
                self = RequestHeadParser(limits: limits)
                return head
            }
            if line != nil {
                try readField(buffer, range)
            } else if range.isEmpty {
                try skipEmptyLine()
                headStart = lineEnd
            } else {
                line = try RequestLine(buffer, range)
            }
            lineStart = lineEnd
            position = lineEnd
        }
        return nil
    }

    /// The next line without its CRLF; nil while that has not arrived.
    private mutating func nextLine(in bytes: Span<UInt8>) throws(HTTPError) -> Range<Int>? {
        let limit =
            line == nil
            ? lineStart + limits.requestLineBytesMax + 2 : headStart + limits.headBytesMax
        let end = min(bytes.count, limit)
        position = bytes.firstForbiddenControl(from: position, to: end)
        if position < end {
            let isLast = position + 1 == end
            guard bytes[position] == .carriageReturn, isLast || bytes[position + 1] == .lineFeed
            else { throw .badRequest("The head has a forbidden control character.") }
            if !isLast { return lineStart..<position }
        }
        if end < limit { return nil }
        if line == nil { throw HTTPError(status: 414, message: "The request line is too long.") }
        throw HTTPError(status: 431, message: "The request head is too large.")
    }

    private mutating func skipEmptyLine() throws(HTTPError) {
        guard emptyLines < Self.emptyLinesMax else {
            throw .badRequest("The request line is empty.")
        }
        emptyLines += 1
    }

    private mutating func readField(_ bytes: [UInt8], _ range: Range<Int>) throws(HTTPError) {
        guard fields.count < limits.headersMax else {
            throw HTTPError(status: 431, message: "The request has too many headers.")
        }
        let field = try HeaderField(bytes, range)
        try control.read(field, in: bytes)
        if fields.isEmpty { fields.reserveCapacity(min(16, limits.headersMax)) }
        fields.append(field)
    }
}
