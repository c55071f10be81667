// One character of UTF-8 beyond ASCII.

/// What the bytes of a character must be (RFC 3629, section 4).
enum UTF8Sequence {
    /// The length of the sequence at `index`, whose first byte is not ASCII; 0 when it is not
    /// valid (overlong, a surrogate, above U+10FFFF, cut).
    @safe static func length(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let first = unsafe bytes[index]
        let left = bytes.count - index
        func follows(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
            offset < left && range.contains(unsafe bytes[index + offset])
        }
        switch first {
        case 0xc2...0xdf: return follows(1) ? 2 : 0
        case 0xe0: return follows(1, 0xa0...0xbf) && follows(2) ? 3 : 0
        case 0xed: return follows(1, 0x80...0x9f) && follows(2) ? 3 : 0
        case 0xe1...0xef: return follows(1) && follows(2) ? 3 : 0
        case 0xf0: return follows(1, 0x90...0xbf) && follows(2) && follows(3) ? 4 : 0
        case 0xf1...0xf3: return follows(1) && follows(2) && follows(3) ? 4 : 0
        case 0xf4: return follows(1, 0x80...0x8f) && follows(2) && follows(3) ? 4 : 0
        default: return 0
        }
    }

    /// Whether U+2028 or U+2029 stands at `index`: line ends to some readers of JSON.
    @safe static func isLineSeparator(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Bool {
        unsafe index + 2 < bytes.count && bytes[index] == 0xe2 && bytes[index + 1] == 0x80
            && bytes[index + 2] & 0xfe == 0xa8
    }
}
