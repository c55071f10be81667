// Finding the bytes that matter in JSON text, eight at a time.

/// Word-at-a-time searches over UTF-8 text.
///
/// Plain 64-bit arithmetic: generic SIMD comparisons compile to loops over single lanes.
@safe enum Scan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The first byte at or after `start` that is a quote, a backslash, a control character or not
    /// ASCII; `bytes.count` when there is none.
    @inline(__always)
    static func special(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index &+ 8 <= bytes.count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let found =
                (zeros(word ^ 0x2222_2222_2222_2222) | zeros(word ^ 0x5c5c_5c5c_5c5c_5c5c)
                    | (word &- 0x2020_2020_2020_2020) | word) & highs
            // The subtraction borrows over a byte below 0x20 only from bytes behind the first hit.
            if found != 0 { return index &+ found.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < bytes.count {
            let byte = unsafe bytes[index]
            if byte == 0x22 || byte == 0x5c || byte < 0x20 || byte >= 0x80 { return index }
            index &+= 1
        }
        return index
    }

    /// The high bit of each zero byte, exact for the first one.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

    /// The length of the UTF-8 sequence at `index`, whose first byte is not ASCII; 0 when it is not
    /// valid (overlong, a surrogate, above U+10FFFF, cut).
    static func sequence(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
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

    /// The code unit that four hexadecimal digits name; `nil` when they do not.
    static func codeUnit(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt16? {
        guard index + 4 <= bytes.count else { return nil }
        var unit: UInt16 = 0
        for offset in 0..<4 {
            let byte = unsafe bytes[index + offset]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}

/// What a string literal is made of.
struct StringScan {
    /// Behind the closing quote, or the end of the content where there is no quote to find.
    var end: Int
    var hasEscape = false
    var hasLoneSurrogate = false

    /// Reads a string's content from `start`, which lies behind the opening quote.
    @safe init(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(JSONError) {
        var index = start
        end = start
        while true {
            index = unsafe Scan.special(bytes, from: index)
            guard index < bytes.count else {
                throw .syntax(reason: "a string does not end", offset: start - 1)
            }
            switch unsafe bytes[index] {
            case 0x22:
                end = index + 1
                return
            case 0x5c:
                hasEscape = true
                index = try unsafe escape(bytes, at: index)
            case 0x80...:
                let length = unsafe Scan.sequence(bytes, at: index)
                guard length > 0 else { throw .syntax(reason: "invalid UTF-8", offset: index) }
                index += length
            default:
                throw .syntax(reason: "an unescaped control character in a string", offset: index)
            }
        }
    }

    /// Checks the escape at `index` and notes a surrogate without its other half.
    private mutating func escape(
        _ bytes: UnsafeRawBufferPointer, at index: Int
    ) throws(JSONError) -> Int {
        guard index + 1 < bytes.count else {
            throw .syntax(reason: "a string does not end", offset: index)
        }
        switch unsafe bytes[index + 1] {
        case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: return index + 2
        case 0x75: break
        default: throw .syntax(reason: "an unknown escape in a string", offset: index)
        }
        guard let unit = unsafe Scan.codeUnit(bytes, at: index + 2) else {
            throw .syntax(reason: "an escape without four hexadecimal digits", offset: index)
        }
        switch unit {
        case 0xd800...0xdbff:
            let next = index + 6
            if next + 6 <= bytes.count, unsafe bytes[next] == 0x5c, unsafe bytes[next + 1] == 0x75,
                let low = unsafe Scan.codeUnit(bytes, at: next + 2), (0xdc00...0xdfff).contains(low)
            {
                return next + 6
            }
            hasLoneSurrogate = true
        case 0xdc00...0xdfff: hasLoneSurrogate = true
        default: break
        }
        return index + 6
    }
}
