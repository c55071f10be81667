// The pass before jansson: payload is lifted out of the text, a skeleton is left.
internal import Bytes

/// A piece of the source that stands behind a short reference in the skeleton.
struct Lifted {
    var start: Int32
    var end: Int32
    /// Whether a string in it names half a surrogate pair, which must leave as U+FFFD.
    var hasLoneSurrogate: Bool

    var range: Range<Int> { Int(start)..<Int(end) }
}

/// Makes the skeleton of one JSON text.
///
/// References are strings like `"~12"`. A string of the source that begins with `~` is lifted
/// itself, so nothing can be taken for a reference. Strings that are long or hold escapes,
/// numbers that are not short integers, and whole values of opaque members are lifted. What stays
/// is plain: jansson neither decodes nor rounds anything that matters.
@safe struct Skeleton {
    /// A string of so many bytes costs less as a reference than in jansson.
    static let liftedStringBytesMin = 32
    /// An integer of so many digits is exact in any reader's hands.
    private static let plainDigitsMax = 15

    private(set) var text: [UInt8] = []
    private(set) var lifted: [Lifted] = []
    /// Whether a member's name was lifted for an escape in it.
    private(set) var hasEscapedKeys = false
    /// Where lifted pieces stand in the skeleton, to find an error's place in the source.
    private var skeletonOffsets: [Int32] = []

    private let bytes: UnsafeRawBufferPointer
    private let opaqueKeys: OpaqueKeys
    private var index = 0
    private var copied = 0
    private var depth = 0

    /// Scans the whole text; `bytes` must stay where they are until `init` returns.
    init(of bytes: UnsafeRawBufferPointer, opaqueKeys: OpaqueKeys) throws(JSONError) {
        unsafe self.bytes = unsafe bytes
        self.opaqueKeys = opaqueKeys
        text.reserveCapacity(min(bytes.count, 1024 + bytes.count / 4))
        while index < bytes.count { try step() }
        copy(upTo: bytes.count)
    }

    /// Where in the source an offset in the skeleton lies; exact outside lifted pieces.
    func sourceOffset(of offset: Int) -> Int {
        var shift = 0
        for (piece, place) in zip(lifted, skeletonOffsets) where Int(place) < offset {
            shift = Int(piece.end) - Int(place) - Self.referenceLength(at: place, in: text)
        }
        return unsafe max(0, min(offset + shift, bytes.count))
    }

    private static func referenceLength(at place: Int32, in text: [UInt8]) -> Int {
        let rest = text[(Int(place) + 1)...]
        return (rest.firstIndex(of: 0x22) ?? text.count - 1) + 1 - Int(place)
    }

    @inline(__always)
    private mutating func step() throws(JSONError) {
        let byte = unsafe bytes[index]
        switch byte {
        case 0x22: try string()
        case 0x2d, 0x30...0x39: try number()
        case 0x7b, 0x5b:
            depth += 1
            guard depth <= JSONDocument.depthMax else { throw .tooDeep(offset: index) }
            index += 1
        case 0x7d, 0x5d:
            depth -= 1
            index += 1
        case 0x80...:
            throw .syntax(reason: "a character that is not JSON", offset: index)
        default: index += 1
        }
    }

    private mutating func string() throws(JSONError) {
        let start = index
        let scan = try unsafe StringScan(bytes, from: start + 1)
        index = scan.end
        let isPlain =
            unsafe !scan.hasEscape && scan.end - start < Self.liftedStringBytesMin
            && bytes[start + 1] != 0x7e
        let isKey = unsafe JSONGrammar.isKey(bytes, after: scan.end)
        if !isPlain {
            if isKey { hasEscapedKeys = hasEscapedKeys || scan.hasEscape }
            lift(start, scan.end, hasLoneSurrogate: scan.hasLoneSurrogate)
        } else if isKey, isOpaque(start + 1, scan.end - 1) {
            let colon = unsafe JSONGrammar.skipSpace(bytes, from: scan.end)
            let value = unsafe JSONGrammar.skipSpace(bytes, from: colon + 1)
            var grammar = unsafe JSONGrammar(bytes, depth: depth)
            index = try grammar.value(at: value)
            lift(value, index, hasLoneSurrogate: grammar.hasLoneSurrogate)
        }
    }

    private mutating func number() throws(JSONError) {
        let start = index
        index = try unsafe JSONGrammar.number(bytes, at: start)
        let first = unsafe bytes[start]
        let isNegativeZero = unsafe first == 0x2d && bytes[start + 1] == 0x30
        var isPlain = index - start <= Self.plainDigitsMax && !isNegativeZero
        for place in start..<index where isPlain {
            let byte = unsafe bytes[place]
            isPlain = byte == 0x2d || (0x30...0x39).contains(byte)
        }
        if !isPlain { lift(start, index, hasLoneSurrogate: false) }
    }

    private func isOpaque(_ start: Int, _ end: Int) -> Bool {
        for key in opaqueKeys.keys where key.utf8CodeUnitCount == end - start {
            let name = unsafe UnsafeRawBufferPointer(
                start: key.utf8Start, count: key.utf8CodeUnitCount)
            if unsafe name.elementsEqual(bytes[start..<end]) { return true }
        }
        return false
    }

    private mutating func lift(_ start: Int, _ end: Int, hasLoneSurrogate: Bool) {
        copy(upTo: start)
        copied = end
        skeletonOffsets.append(Int32(text.count))
        text.append(0x22)
        text.append(0x7e)
        text.append(decimal: lifted.count)
        text.append(0x22)
        lifted.append(
            Lifted(start: Int32(start), end: Int32(end), hasLoneSurrogate: hasLoneSurrogate))
    }

    private mutating func copy(upTo end: Int) {
        guard end > copied else { return }
        unsafe text.append(contentsOf: bytes[copied..<end])
        copied = end
    }
}
