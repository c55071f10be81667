// Sixteen bytes of text, looked at together.

/// Sixteen bytes inside a string literal: where the scan must stop, and where backslashes are.
///
/// The common escapes (`\n`, `\t`, `\"`) do not stop it: text of many short lines costs as much as
/// text of one line.
@safe struct StringBlock {
    private let stops: SIMD16<UInt8>
    private let backslashes: SIMD16<UInt8>

    /// Looks at the bytes at `index`; the byte before them must be there too.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, at index: Int) {
        let block = unsafe bytes.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
        let shifted = unsafe bytes.loadUnaligned(
            fromByteOffset: index &- 1, as: SIMD16<UInt8>.self)
        let isEscaped = shifted.equal(0x5c)
        let isQuote = block.equal(0x22)
        backslashes = block.equal(0x5c)
        let isCommon = isQuote | block.equal(0x6e) | block.equal(0x74)
        stops = block.controlsAndHighs | (isQuote & ~isEscaped) | (isEscaped & ~isCommon)
    }

    /// Goes over sixty-four bytes at a time for as long as nothing in them must be looked at; notes
    /// whether backslashes are among them.
    @inline(__always)
    static func pass(
        _ bytes: UnsafeRawBufferPointer, from index: inout Int, hasBackslash: inout Bool
    ) {
        var seen = SIMD16<UInt8>()
        while index &+ 64 <= bytes.count {
            let first = unsafe StringBlock(bytes, at: index)
            let second = unsafe StringBlock(bytes, at: index &+ 16)
            let third = unsafe StringBlock(bytes, at: index &+ 32)
            let fourth = unsafe StringBlock(bytes, at: index &+ 48)
            let stops = first.stops | second.stops | third.stops | fourth.stops
            guard stops.isZero else { break }
            seen |= first.backslashes | second.backslashes | third.backslashes
            seen |= fourth.backslashes
            index &+= 64
        }
        hasBackslash = hasBackslash || !seen.isZero
    }

    /// Where the first byte is that must be looked at: the closing quote, a byte that is not
    /// printable ASCII, or one behind a backslash; `nil` when there is none.
    @inline(__always)
    var stop: Int? { stops.firstNonzero }

    @inline(__always)
    var hasBackslash: Bool { backslashes.firstNonzero != nil }

    /// Whether a backslash stands before a place.
    @inline(__always)
    func hasBackslash(before place: Int) -> Bool {
        backslashes.firstNonzero.map { $0 < place } ?? false
    }
}

extension SIMD16<UInt8> {
    /// 0xff for each byte that equals another.
    ///
    /// Written as a comparison by size: that one is a single instruction, while `.==` compiles to
    /// a loop over the lanes.
    @inline(__always)
    func equal(_ byte: UInt8) -> SIMD16<UInt8> {
        unsafe unsafeBitCast(
            (self ^ SIMD16(repeating: byte)) .< SIMD16(repeating: 1), to: SIMD16<UInt8>.self)
    }

    /// 0xff for each byte below 0x20 and above 0x7f.
    @inline(__always)
    var controlsAndHighs: SIMD16<UInt8> {
        unsafe unsafeBitCast(
            unsafeBitCast(self, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20),
            to: SIMD16<UInt8>.self)
    }

    /// Whether all bytes are zero.
    @inline(__always)
    var isZero: Bool {
        let words = unsafe unsafeBitCast(self, to: SIMD2<UInt64>.self)
        return words[0] | words[1] == 0
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
