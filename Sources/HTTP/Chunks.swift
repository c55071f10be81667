// The chunked coding, both ways.
internal import Bytes

/// Decodes a chunked request body from any pieces; strict, because a lenient decoder is how one
/// request becomes two.
package struct ChunkedDecoder: Sendable {
    private enum State {
        case size, extensionText, sizeLF, data, dataCR, dataLF, trailer, trailerLF, endLF, finished
    }

    private static let extensionBytesMax = 256
    private static let trailerBytesMax = 8 * 1024

    private var state = State.size
    private var size = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    private var trailerLineBytes = 0

    package init() {}

    /// Whether the body's last byte has been taken.
    package var isFinished: Bool { state == .finished }

    /// Takes bytes up to the end of the body; how many it took.
    package mutating func decode(
        _ bytes: Span<UInt8>, into body: inout [UInt8]
    ) throws(HTTPError) -> Int {
        var index = 0
        while index < bytes.count, state != .finished {
            if state == .data {
                let count = min(size, bytes.count - index)
                unsafe bytes.extracting(index..<index + count).withUnsafeBufferPointer {
                    unsafe body.append(contentsOf: $0)
                }
                index += count
                size -= count
                if size == 0 { state = .dataCR }
            } else {
                try step(bytes[index])
                index += 1
            }
        }
        return index
    }

    private mutating func step(_ byte: UInt8) throws(HTTPError) {
        switch state {
        case .size: try sizeByte(byte)
        case .extensionText: try extensionByte(byte)
        case .sizeLF: try expect(0x0a, byte, then: size > 0 ? .data : .trailer)
        case .dataCR: try expect(0x0d, byte, then: .dataLF)
        case .dataLF:
            try expect(0x0a, byte, then: .size)
            (digits, extensionBytes) = (0, 0)
        case .trailer: try trailerByte(byte)
        case .trailerLF:
            try expect(0x0a, byte, then: .trailer)
            trailerLineBytes = 0
        case .endLF: try expect(0x0a, byte, then: .finished)
        case .data, .finished: break
        }
    }

    private mutating func sizeByte(_ byte: UInt8) throws(HTTPError) {
        switch byte {
        case 0x30...0x39: try digit(Int(byte) - 0x30)
        case 0x41...0x46: try digit(Int(byte) - 0x41 + 10)
        case 0x61...0x66: try digit(Int(byte) - 0x61 + 10)
        case 0x0d where digits > 0: state = .sizeLF
        case UInt8(ascii: ";") where digits > 0: state = .extensionText
        default: throw .bad("a malformed chunk size")
        }
    }

    private mutating func digit(_ value: Int) throws(HTTPError) {
        if digits == 0 { size = 0 }
        digits += 1
        guard digits <= 15 else { throw .bad("a chunk size that is too large") }
        size = size << 4 | value
    }

    private mutating func extensionByte(_ byte: UInt8) throws(HTTPError) {
        extensionBytes += 1
        guard extensionBytes <= Self.extensionBytesMax else {
            throw .bad("a chunk extension that is too long")
        }
        if byte == 0x0d { return state = .sizeLF }
        guard HTTPByte.isValue(byte) else { throw .bad("a control character in a chunk extension") }
    }

    private mutating func trailerByte(_ byte: UInt8) throws(HTTPError) {
        trailerBytes += 1
        guard trailerBytes <= Self.trailerBytesMax else {
            throw HTTPError(status: 431, message: "the trailers are too large")
        }
        if byte == 0x0d { return state = trailerLineBytes == 0 ? .endLF : .trailerLF }
        guard HTTPByte.isValue(byte), trailerLineBytes > 0 || HTTPByte.isToken(byte) else {
            throw .bad("a malformed trailer")
        }
        trailerLineBytes += 1
    }

    private mutating func expect(
        _ expected: UInt8, _ byte: UInt8, then next: State
    ) throws(HTTPError) {
        guard byte == expected else { throw .bad("a malformed chunk") }
        state = next
    }
}

/// Puts a growing part of a buffer into one chunk of the chunked coding.
///
/// The size is written afterwards: leading zeros are legal, so its place can be kept free.
package enum ChunkFraming {
    private static let placeholder: StaticString = "00000000\r\n"

    /// Keeps the place of the size free; what is appended from now on is the chunk.
    package static func open(in buffer: inout [UInt8]) -> Int {
        let start = buffer.count
        buffer.append(placeholder)
        return start
    }

    /// Fills in the size of the chunk opened at `start`; takes back one that stayed empty, which
    /// would end the body.
    package static func close(_ start: Int, in buffer: inout [UInt8]) {
        var size = buffer.count - start - placeholder.utf8CodeUnitCount
        guard size > 0 else { return buffer.removeLast(buffer.count - start) }
        var place = start + 7
        while size > 0 {
            let digit = UInt8(size & 15)
            buffer[place] = digit < 10 ? 0x30 + digit : 0x61 + digit - 10
            size >>= 4
            place -= 1
        }
        buffer.append("\r\n")
    }

    /// Ends the body.
    package static func end(in buffer: inout [UInt8]) { buffer.append("0\r\n\r\n") }
}
