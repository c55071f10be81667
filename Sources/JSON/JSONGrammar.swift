// The grammar of JSON, for what jansson does not see.

/// Checks values that are passed on unread: whatever leaves here is JSON.
@safe struct JSONGrammar {
    private let bytes: UnsafeRawBufferPointer
    /// Open brackets, innermost last: `true` for an object.
    private var open: [Bool] = []
    private let outerDepth: Int
    private(set) var hasLoneSurrogate = false

    init(_ bytes: UnsafeRawBufferPointer, depth: Int) {
        unsafe self.bytes = unsafe bytes
        outerDepth = depth
    }

    /// Checks the value at `start`; the offset behind it.
    mutating func value(at start: Int) throws(JSONError) -> Int {
        var index = start
        while true {
            index = try opening(at: index)
            guard index >= 0 else {
                index = -index
                continue
            }
            // A value is complete: close what it completes, or go on to the next one.
            while let isObject = open.last {
                index = unsafe Self.skipSpace(bytes, from: index)
                let byte = unsafe index < bytes.count ? unsafe bytes[index] : 0
                if byte == 0x2c {
                    index = unsafe Self.skipSpace(bytes, from: index + 1)
                    if isObject { index = try key(at: index) }
                    break
                }
                guard byte == (isObject ? 0x7d : 0x5d) else { throw unexpected(index) }
                open.removeLast()
                index += 1
            }
            if open.isEmpty { return index }
        }
    }

    /// Reads a scalar or an empty container: the offset behind it.
    ///
    /// For a bracket with something in it: the offset of that, negative.
    private mutating func opening(at index: Int) throws(JSONError) -> Int {
        guard unsafe index < bytes.count else { throw unexpected(index) }
        let byte = unsafe bytes[index]
        switch byte {
        case 0x22:
            let scan = try unsafe StringScan(bytes, from: index + 1)
            hasLoneSurrogate = hasLoneSurrogate || scan.hasLoneSurrogate
            return scan.end
        case 0x2d, 0x30...0x39: return try unsafe Self.number(bytes, at: index)
        case 0x74: return try word("true", at: index)
        case 0x66: return try word("false", at: index)
        case 0x6e: return try word("null", at: index)
        case 0x7b, 0x5b:
            let isObject = byte == 0x7b
            guard outerDepth + open.count < JSONDocument.depthMax else {
                throw .tooDeep(offset: index)
            }
            let inner = unsafe Self.skipSpace(bytes, from: index + 1)
            guard unsafe inner < bytes.count else { throw unexpected(inner) }
            if unsafe bytes[inner] == (isObject ? 0x7d : 0x5d) { return inner + 1 }
            open.append(isObject)
            return -(isObject ? try key(at: inner) : inner)
        default: throw unexpected(index)
        }
    }

    /// Reads a member's name and colon; the offset of its value.
    private mutating func key(at index: Int) throws(JSONError) -> Int {
        guard unsafe index < bytes.count, unsafe bytes[index] == 0x22 else {
            throw unexpected(index)
        }
        let scan = try unsafe StringScan(bytes, from: index + 1)
        hasLoneSurrogate = hasLoneSurrogate || scan.hasLoneSurrogate
        let colon = unsafe Self.skipSpace(bytes, from: scan.end)
        guard unsafe colon < bytes.count, unsafe bytes[colon] == 0x3a else {
            throw unexpected(colon)
        }
        return unsafe Self.skipSpace(bytes, from: colon + 1)
    }

    private func word(_ word: StaticString, at index: Int) throws(JSONError) -> Int {
        let end = index + word.utf8CodeUnitCount
        guard unsafe end <= bytes.count,
            unsafe bytes[index..<end].elementsEqual(
                UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else { throw unexpected(index) }
        return end
    }

    private func unexpected(_ index: Int) -> JSONError {
        unsafe index < bytes.count
            ? .syntax(reason: "an unexpected character", offset: index)
            : .syntax(reason: "the text ends too early", offset: bytes.count)
    }

    // MARK: - Pieces that the skeleton needs too

    /// The first byte at or after `start` that is not white space.
    @inline(__always)
    static func skipSpace(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            let byte = unsafe bytes[index]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return index }
            index &+= 1
        }
        return index
    }

    /// Whether a string that ends at `end` is the name of a member.
    static func isKey(_ bytes: UnsafeRawBufferPointer, after end: Int) -> Bool {
        let next = unsafe skipSpace(bytes, from: end)
        return unsafe next < bytes.count && bytes[next] == 0x3a
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
