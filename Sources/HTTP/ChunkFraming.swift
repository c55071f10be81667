// Puts the chunked transfer coding around what is appended to a buffer.

internal import Bytes

/// Frames a chunk in place: its size is reserved first and written when it is known.
package enum ChunkFraming {
    private static let digits = 8

    /// Reserves the size line of a chunk and returns where it starts.
    package static func open(in buffer: inout [UInt8]) -> Int {
        let start = buffer.count
        buffer.append("00000000\r\n" as StaticString)
        return start
    }

    /// Ends the chunk opened at `start`; one that stayed empty leaves no trace.
    package static func close(_ start: Int, in buffer: inout [UInt8]) {
        var size = buffer.count - start - digits - 2
        precondition(size >= 0 && size <= UInt32.max, "A chunk's size has eight digits.")
        if size == 0 {
            buffer.removeSubrange(start...)
            return
        }
        var line = buffer.mutableSpan
        for index in stride(from: start + digits - 1, through: start, by: -1) where size > 0 {
            let digit = UInt8(truncatingIfNeeded: size & 0x0F)
            line[index] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            size >>= 4
        }
        buffer.append("\r\n" as StaticString)
    }

    /// Ends the body, without trailers.
    package static func end(in buffer: inout [UInt8]) {
        buffer.append("0\r\n\r\n" as StaticString)
    }
}
