// Where one header field stands in the bytes of its head.

/// The places of a field's name and value; 16 bytes, so that a head stays compact.
struct HeaderField: Sendable {
    private let nameStart: UInt32
    private let nameEnd: UInt32
    private let valueStart: UInt32
    private let valueEnd: UInt32

    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

    /// Reads a line that is neither empty nor holds forbidden control characters.
    init(_ bytes: [UInt8], _ line: Range<Int>) throws(HTTPError) {
        if bytes[line.lowerBound].isWhitespace {
            throw .badRequest("A header line is folded.")
        }
        guard let field = HeaderField(of: bytes, line) else {
            throw .badRequest("A header name is malformed.")
        }
        self = field
    }

    /// A line of the same kind; nil without a name that is one.
    init?(of bytes: [UInt8], _ line: Range<Int>) {
        var colon = line.lowerBound
        while colon < line.upperBound, bytes[colon].isToken { colon += 1 }
        guard line.lowerBound < colon, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":")
        else { return nil }
        let value = bytes.trimmed((colon + 1)..<line.upperBound)
        nameStart = UInt32(line.lowerBound)
        nameEnd = UInt32(colon)
        valueStart = UInt32(value.lowerBound)
        valueEnd = UInt32(value.upperBound)
    }
}
