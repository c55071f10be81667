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
                if state == .firstDigit, let end = Self.wholeChunk(bytes, at: index, into: &body) {
                    index = end
                    continue
                }
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

    /// Takes a chunk that is there to its last byte and has neither extensions nor a long size, as
    /// those of a stream mostly are; `nil` for any other, which is read byte by byte.
    private static func wholeChunk(
        _ bytes: Span<UInt8>, at start: Int, into body: inout [UInt8]
    ) -> Int? {
        var (size, index) = (0, start)
        while index < bytes.count, index < start + 4, let digit = digit(bytes[index]) {
            size = size << 4 | digit
            index += 1
        }
        let data = index + 2
        let end = data + size + 2
        guard size > 0, end <= bytes.count,
            bytes[index] == .carriageReturn, bytes[index + 1] == .lineFeed,
            bytes[end - 2] == .carriageReturn, bytes[end - 1] == .lineFeed
        else { return nil }
        body.append(bytes.extracting(data..<end - 2))
        return end
    }

    /// What a hexadecimal digit stands for.
    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte) - 0x61 + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 0x41 + 10
        default: nil
        }
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
        guard let digit = Self.digit(byte) else {
            throw .badRequest("A chunk size is malformed.")
        }
        guard digits < Self.digitsMax, remaining <= Int.max >> 4 else {
            throw .badRequest("A chunk size is too large.")
        }
        remaining = remaining << 4 | digit
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
