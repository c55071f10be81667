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
            if let place = block.specials.firstNonzero { return index &+ place }
            index &+= 16
        }
        // The last bytes once more with some before them, which are known to be plain.
        if index < bytes.count, bytes.count &- start >= 16 {
            let last = bytes.count &- 16
            let block = unsafe bytes.loadUnaligned(fromByteOffset: last, as: SIMD16<UInt8>.self)
            return block.specials.firstNonzero.map { last &+ $0 } ?? bytes.count
        }
        while index < bytes.count {
            let byte = unsafe bytes[index]
            if byte == 0x22 || byte == 0x5c || byte < 0x20 || byte >= 0x80 { return index }
            index &+= 1
        }
        return index
    }
}

extension SIMD16<UInt8> {
    /// 0xff for each byte that equals another.
    ///
    /// Written as a comparison by size: that one is a single instruction, while `.==` compiles to
    /// a loop over the lanes.
    @inline(__always)
    private func equal(_ byte: UInt8) -> SIMD16<UInt8> {
        unsafe unsafeBitCast(
            (self ^ SIMD16(repeating: byte)) .< SIMD16(repeating: 1), to: SIMD16<UInt8>.self)
    }

    /// Not zero for each byte that is more than itself in a string: a quote, a backslash, a control
    /// character, and what is not ASCII.
    @inline(__always)
    var specials: SIMD16<UInt8> { controlsAndHighs | equal(0x22) | equal(0x5c) }

    /// 0xff for each byte below 0x20 and above 0x7f.
    @inline(__always)
    private var controlsAndHighs: SIMD16<UInt8> {
        unsafe unsafeBitCast(
            unsafeBitCast(self, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20),
            to: SIMD16<UInt8>.self)
    }

    /// The place of the first byte that is not zero.
    @inline(__always)
    var firstNonzero: Int? {
        let words = unsafe unsafeBitCast(self, to: SIMD2<UInt64>.self)
        if words[0] != 0 { return words[0].trailingZeroBitCount >> 3 }
        if words[1] != 0 { return 8 &+ words[1].trailingZeroBitCount >> 3 }
        return nil
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
