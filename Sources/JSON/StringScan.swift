// What a string literal is made of: its end, its escapes, and whether it is valid at all.
internal import CScan

/// Reads one string literal and checks it: escapes, control characters, UTF-8.
@safe struct StringScan {
    /// Behind the closing quote.
    private(set) var end: Int
    private(set) var hasEscape = false
    private(set) var hasLoneSurrogate = false

    /// Reads a string's content from `start`, which lies behind the opening quote.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(JSONError) {
        end = start
        // Most strings are short and plain: one look at sixteen bytes tells.
        if start &+ 16 <= bytes.count {
            let block = unsafe bytes.loadUnaligned(fromByteOffset: start, as: SIMD16<UInt8>.self)
            if let stop = block.specials.firstNonzero, unsafe bytes[start &+ stop] == 0x22 {
                end = start &+ stop &+ 1
                return
            }
        }
        try unsafe read(bytes)
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        let start = end
        var index = start
        while index < bytes.count {
            switch unsafe bytes[index] {
            case 0x22:
                end = index + 1
                return
            case 0x5c: index = try unsafe escape(bytes, at: index)
            case 0x80...:
                let length = UTF8Sequence.length(bytes, at: index)
                guard length > 0 else { throw .syntax(reason: "invalid UTF-8", offset: index) }
                index += length
            case ..<0x20:
                throw .syntax(reason: "an unescaped control character in a string", offset: index)
            default: index = unsafe skipPlain(bytes, from: index + 1)
            }
        }
        throw .syntax(reason: "a string does not end", offset: start - 1)
    }

    /// Goes on to the first byte that needs a look: a quote, an escape that is not one of the
    /// common ones, a control character, or one that is not ASCII.
    ///
    /// The byte before `start` must not be a backslash.
    private mutating func skipPlain(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = bytes.baseAddress else { return start }
        return unsafe cscan_string(base, start, bytes.count, &hasEscape)
    }

    /// Checks the escape at `index` and notes a surrogate without its other half.
    private mutating func escape(
        _ bytes: UnsafeRawBufferPointer, at index: Int
    ) throws(JSONError) -> Int {
        hasEscape = true
        guard index + 1 < bytes.count else {
            throw .syntax(reason: "a string does not end", offset: index)
        }
        switch unsafe bytes[index + 1] {
        case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: return index + 2
        case 0x75: break
        default: throw .syntax(reason: "an unknown escape in a string", offset: index)
        }
        guard let escape = UnicodeEscape(bytes, at: index) else {
            throw .syntax(reason: "an escape without four hexadecimal digits", offset: index)
        }
        if escape.scalar == nil { hasLoneSurrogate = true }
        return index + escape.length
    }
}
