// Finding the bytes that matter in text, sixteen at a time.

/// Searches over UTF-8 text.
enum Scan {
    /// The first byte at or after `start` that is a quote, a backslash, a control character or not
    /// ASCII; `bytes.count` when there is none.
    @inline(__always)
    @safe static func special(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index &+ 16 <= bytes.count {
            let block = unsafe bytes.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
            let found = block.controlsAndHighs | block.equal(0x22) | block.equal(0x5c)
            if let place = found.firstNonzero { return index &+ place }
            index &+= 16
        }
        // The last bytes once more with some before them, which are known to be plain.
        if index < bytes.count, bytes.count &- start >= 16 {
            let last = bytes.count &- 16
            let block = unsafe bytes.loadUnaligned(fromByteOffset: last, as: SIMD16<UInt8>.self)
            let found = block.controlsAndHighs | block.equal(0x22) | block.equal(0x5c)
            return found.firstNonzero.map { last &+ $0 } ?? bytes.count
        }
        while index < bytes.count {
            let byte = unsafe bytes[index]
            if byte == 0x22 || byte == 0x5c || byte < 0x20 || byte >= 0x80 { return index }
            index &+= 1
        }
        return index
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these are the bytes of a literal.
    ///
    /// Names are short and mostly of different lengths: a loop without iterators.
    @inline(__always)
    func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        var index = 0
        while index < count {
            guard unsafe self[index] == literal.utf8Start[index] else { return false }
            index &+= 1
        }
        return true
    }
}
