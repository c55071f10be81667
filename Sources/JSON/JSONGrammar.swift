// The grammar of JSON, of what no tree is made of.
internal import Bytes

/// Checks values that are passed on unread: whatever leaves here is JSON.
@safe struct JSONGrammar {
    private let bytes: UnsafeRawBufferPointer
    private(set) var hasLoneSurrogate = false

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    /// Checks the value at `start`, which lies inside `depth` containers; the offset behind it.
    mutating func value(at start: Int, depth: Int) throws(JSONError) -> Int {
        guard unsafe start < bytes.count else { throw unexpected(start) }
        switch unsafe bytes[start] {
        case 0x22: return try string(at: start)
        case 0x7b: return try container(at: start, closing: 0x7d, depth: depth + 1)
        case 0x5b: return try container(at: start, closing: 0x5d, depth: depth + 1)
        case 0x2d, 0x30...0x39: return try unsafe Self.number(bytes, at: start)
        case 0x74: return try word("true", at: start)
        case 0x66: return try word("false", at: start)
        case 0x6e: return try word("null", at: start)
        default: throw unexpected(start)
        }
    }

    private mutating func container(
        at start: Int, closing: UInt8, depth: Int
    ) throws(JSONError) -> Int {
        guard depth <= JSONDocument.depthMax else { throw .tooDeep(offset: start) }
        var index = unsafe Self.skipSpace(bytes, from: start + 1)
        if unsafe index < bytes.count, unsafe bytes[index] == closing { return index + 1 }
        while true {
            if closing == 0x7d { index = try key(at: index) }
            index = try value(at: index, depth: depth)
            index = unsafe Self.skipSpace(bytes, from: index)
            guard unsafe index < bytes.count else { throw unexpected(index) }
            let byte = unsafe bytes[index]
            if byte == closing { return index + 1 }
            guard byte == 0x2c else { throw unexpected(index) }
            index = unsafe Self.skipSpace(bytes, from: index + 1)
        }
    }

    /// Reads a member's name and colon; the offset of its value.
    private mutating func key(at index: Int) throws(JSONError) -> Int {
        guard unsafe index < bytes.count, unsafe bytes[index] == 0x22 else {
            throw unexpected(index)
        }
        let colon = unsafe Self.skipSpace(bytes, from: try string(at: index))
        guard unsafe colon < bytes.count, unsafe bytes[colon] == 0x3a else {
            throw unexpected(colon)
        }
        return unsafe Self.skipSpace(bytes, from: colon + 1)
    }

    private mutating func string(at index: Int) throws(JSONError) -> Int {
        let string = try unsafe StringScan(bytes, from: index + 1)
        if string.hasLoneSurrogate { hasLoneSurrogate = true }
        return string.end
    }

    func word(_ word: StaticString, at index: Int) throws(JSONError) -> Int {
        let end = index + word.utf8CodeUnitCount
        guard unsafe end <= bytes.count,
            unsafe bytes[index..<end].elementsEqual(word.bytes)
        else { throw unexpected(index) }
        return end
    }

    func unexpected(_ index: Int) -> JSONError {
        unsafe index < bytes.count
            ? .syntax(reason: "an unexpected character", offset: index)
            : .syntax(reason: "the text ends too early", offset: bytes.count)
    }

    // MARK: - Pieces that the builder of trees needs too

    /// The first byte at or after `start` that is not white space.
    @inline(__always)
    static func skipSpace(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            let byte = unsafe bytes[index]
            guard byte <= 0x20 else { return index }
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return index }
            index &+= 1
        }
        return index
    }

    /// The offset behind the number at `start`.
    static func number(_ bytes: UnsafeRawBufferPointer, at start: Int) throws(JSONError) -> Int {
        var index = start
        func byte() -> UInt8 { index < bytes.count ? unsafe bytes[index] : 0 }
        func digits() throws(JSONError) {
            guard (0x30...0x39).contains(byte()) else {
                throw .syntax(reason: "a number that is not one", offset: start)
            }
            while (0x30...0x39).contains(byte()) { index += 1 }
        }
        if byte() == 0x2d { index += 1 }
        if byte() == 0x30 { index += 1 } else { try digits() }
        if byte() == 0x2e {
            index += 1
            try digits()
        }
        if byte() | 0x20 == 0x65 {
            index += 1
            if byte() == 0x2b || byte() == 0x2d { index += 1 }
            try digits()
        }
        return index
    }
}
