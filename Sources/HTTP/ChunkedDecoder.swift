// Takes the chunked transfer coding off a body (RFC 9112, 7.1).

internal import Bytes

/// Decodes one chunked body, however its bytes are split; after an error close the connection.
package struct ChunkedDecoder: Sendable {
    private enum State {
        case firstDigit, digits, extensions, sizeLineFeed
        case data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed
        case finished
    }

    private static let digitsMax = 16
    private static let extensionBytesMax = 256
    private static let trailerBytesMax = 8192

    private var state = State.firstDigit
    /// The size while it is read, then what is left of the chunk.
    private var remaining = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerBytes = 0

    /// Makes a decoder that expects the first chunk's size.
    package init() {}

    /// Whether the body has ended, its trailers and final CRLF included.
    package var isFinished: Bool { state == .finished }

    /// Appends the decoded bytes to the body and returns how many bytes were consumed.
    ///
    /// All of them, unless the body ended before; trailers are checked and dropped.
    package mutating func decode(
        _ bytes: Span<UInt8>, into body: inout [UInt8]
    ) throws(HTTPError) -> Int {
        var index = 0
        while index < bytes.count, state != .finished {
            guard state == .data else {
                try step(bytes[index])
                index += 1
                continue
            }
            let end = index + min(remaining, bytes.count - index)
            body.append(bytes.extracting(index..<end))
            remaining -= end - index
            if remaining == 0 { state = .dataReturn }
            index = end
        }
        return index
    }

    /// Reads one byte that is not data.
    private mutating func step(_ byte: UInt8) throws(HTTPError) {
        switch state {
        case .firstDigit: try readDigit(byte)
        case .digits: try readSize(byte)
        case .extensions: try readExtension(byte)
        case .sizeLineFeed:
            try expect(byte, .lineFeed, then: remaining > 0 ? .data : .trailerStart)
        case .dataReturn: try expect(byte, .carriageReturn, then: .dataLineFeed)
        case .dataLineFeed:
            try expect(byte, .lineFeed, then: .firstDigit)
            (digits, extensionBytes) = (0, 0)
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed:
            try readTrailer(byte)
        case .endLineFeed: try expect(byte, .lineFeed, then: .finished)
        case .data, .finished: preconditionFailure("Data is copied, and the end is the end.")
        }
    }

    private mutating func readSize(_ byte: UInt8) throws(HTTPError) {
        switch byte {
        case .carriageReturn: state = .sizeLineFeed
        case UInt8(ascii: ";"): try readExtension(byte)
        default: try readDigit(byte)
        }
    }

    private mutating func readDigit(_ byte: UInt8) throws(HTTPError) {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
        default: throw .badRequest("A chunk size is malformed.")
        }
        guard digits < Self.digitsMax, remaining <= Int.max >> 4 else {
            throw .badRequest("A chunk size is too large.")
        }
        remaining = remaining << 4 | Int(digit)
        digits += 1
        state = .digits
    }

    private mutating func readExtension(_ byte: UInt8) throws(HTTPError) {
        if byte == .carriageReturn {
            state = .sizeLineFeed
            return
        }
        guard !byte.isForbiddenControl else {
            throw .badRequest("A chunk extension has a forbidden control character.")
        }
        guard extensionBytes < Self.extensionBytesMax else {
            throw .badRequest("A chunk extension is too long.")
        }
        extensionBytes += 1
        state = .extensions
    }

    private mutating func readTrailer(_ byte: UInt8) throws(HTTPError) {
        if state == .trailerStart, byte == .carriageReturn {
            state = .endLineFeed
            return
        }
        guard trailerBytes < Self.trailerBytesMax else {
            throw HTTPError(status: 431, message: "The trailers are too large.")
        }
        trailerBytes += 1
        if state == .trailerLineFeed {
            try expect(byte, .lineFeed, then: .trailerStart)
        } else if state == .trailerValue {
            if byte == .carriageReturn {
                state = .trailerLineFeed
            } else if byte.isForbiddenControl {
                throw .badRequest("A trailer has a forbidden control character.")
            }
        } else if state == .trailerName, byte == UInt8(ascii: ":") {
            state = .trailerValue
        } else if byte.isToken {
            state = .trailerName
        } else {
            throw .badRequest("A trailer name is malformed.")
        }
    }

    private mutating func expect(
        _ byte: UInt8, _ expected: UInt8, then next: State
    ) throws(HTTPError) {
        guard byte == expected else { throw .badRequest("A chunk does not end with CRLF.") }
        state = next
    }
}
