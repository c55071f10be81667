// Writes JSON; long pieces of a source document are spliced in, not copied.
internal import Bytes

/// A finished JSON text as pieces of two buffers; crosses threads and stays valid by itself.
package struct JSONOutput: Sendable {
    fileprivate enum Piece {
        case own(Range<Int>)
        case source(Range<Int>)
    }

    fileprivate let own: [UInt8]
    fileprivate let source: [UInt8]
    fileprivate let order: [Piece]
    /// Length in bytes.
    package let count: Int

    fileprivate init(own: [UInt8], source: [UInt8], order: [Piece]) {
        self.own = own
        self.source = source
        self.order = order
        count = order.reduce(0) { total, piece in
            switch piece {
            case .own(let range), .source(let range): total + range.count
            }
        }
    }

    /// The text in order, piece by piece.
    package var pieces: [ArraySlice<UInt8>] {
        order.map { piece in
            switch piece {
            case .own(let range): own[range]
            case .source(let range): source[range]
            }
        }
    }

    /// The text in one buffer.
    package func contiguous() -> [UInt8] {
        if case .own(let range)? = order.first, order.count == 1, range.count == own.count {
            return own
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for piece in pieces { bytes.append(contentsOf: piece) }
        return bytes
    }
}

/// Builds one JSON text.
///
/// Commas come by themselves; order is the caller's.
package struct JSONWriter {
    /// From this length on a slice is referred to instead of copied.
    private static let splicedBytesMin = 1024

    private var buffer: [UInt8] = []
    private var source: [UInt8] = []
    private var order: [JSONOutput.Piece] = []
    /// Where in `buffer` the part begins that is not yet in `order`.
    private var pieceStart = 0
    private var needsComma = false

    /// An empty text.
    package init(reserving capacity: Int = 1024) { buffer.reserveCapacity(capacity) }

    /// Bytes so far.
    package var count: Int {
        order.reduce(buffer.count) { total, piece in
            if case .source(let range) = piece { total + range.count } else { total }
        }
    }

    /// Opens an object.
    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    /// Closes an object.
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Opens an array.
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    /// Closes an array.
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// A member's name: a literal that needs no escapes.
    package mutating func key(_ name: StaticString) {
        buffer.append(needsComma ? ",\"" : "\"", name, "\":")
        needsComma = false
    }

    /// A member's name as it came.
    package mutating func key(_ name: JSONText) {
        string(name)
        endKey()
    }

    /// A member's name, escaped.
    @_disfavoredOverload
    package mutating func key(_ name: String) {
        string(name)
        endKey()
    }

    /// A member's name as it came, quotes included.
    package mutating func key(slice name: JSONSlice) {
        value(name)
        endKey()
    }

    /// A literal that needs no escapes.
    package mutating func string(_ value: StaticString) {
        buffer.append(needsComma ? ",\"" : "\"", value, "\"")
        needsComma = true
    }

    /// Any text, escaped.
    ///
    /// A literal would be one by default; it is to be the static kind, which is copied as it is.
    @_disfavoredOverload
    package mutating func string(_ value: String) {
        beginString()
        part(escaping: value)
        endString()
    }

    /// A string of a document, as it came.
    package mutating func string(_ value: JSONText) {
        beginString()
        part(value)
        endString()
    }

    /// A number.
    package mutating func integer(_ value: Int) {
        separate()
        buffer.append(decimal: value)
    }

    /// A truth value.
    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    /// `null`.
    package mutating func null() { raw("null") }

    /// A value of a document: as its bytes came where it was lifted, else from jansson's tree.
    package mutating func value(_ value: JSONValue) {
        if let slice = value.slice { return self.value(slice) }
        switch value.kind {
        case .object:
            beginObject()
            for (name, member) in value.members {
                key(name)
                self.value(member)
            }
            endObject()
        case .array:
            beginArray()
            for element in value.elements { self.value(element) }
            endArray()
        case .bool: bool(value.bool == true)
        case .null, .string, .number: null()
        }
    }

    /// A value as its bytes came.
    package mutating func value(_ value: JSONSlice) {
        separate()
        append(value.source, value.range, mending: value.hasLoneSurrogate)
    }

    /// A literal that is JSON.
    package mutating func raw(_ json: StaticString) {
        separate()
        buffer.append(json)
    }

    /// A literal that begins one value or more and ends where the next value must stand:
    /// `{"type":`.
    package mutating func begin(_ json: StaticString) {
        separate()
        buffer.append(json)
        needsComma = false
    }

    /// Bytes that are known to be one JSON value.
    package mutating func raw(_ json: [UInt8]) {
        separate()
        buffer.append(contentsOf: json)
    }

    /// Opens a string that is put together from parts; close it with `endString`.
    package mutating func beginString() {
        separate()
        buffer.append(UInt8(ascii: "\""))
    }

    /// Part of an open string: a literal that is already escaped (`\\n\\n` for two newlines).
    package mutating func part(_ escaped: StaticString) { buffer.append(escaped) }

    /// Part of an open string: text of a document, as it came.
    package mutating func part(_ text: JSONText) {
        if let range = text.sourceRange, range.count >= Self.splicedBytesMin {
            append(text.source, range, mending: text.hasLoneSurrogate)
        } else {
            text.appendEscaped(to: &buffer)
        }
    }

    /// Part of an open string: any text, escaped.
    package mutating func part(escaping text: String) { JSONEscape.append(text, to: &buffer) }

    /// Part of an open string: any UTF-8 bytes, escaped.
    package mutating func part(escaping bytes: [UInt8]) { JSONEscape.append(bytes, to: &buffer) }

    /// Part of an open string: JSON inside the JSON string, escaped once more.
    package mutating func part(quoting json: JSONSlice) {
        guard !json.hasLoneSurrogate else {
            var mended: [UInt8] = []
            unsafe json.withBytes { JSONEscape.appendMended($0, to: &mended) }
            return JSONEscape.append(mended, to: &buffer)
        }
        unsafe json.withBytes { JSONEscape.append($0, to: &buffer) }
    }

    /// Closes an open string.
    package mutating func endString() { buffer.append(UInt8(ascii: "\"")) }

    /// The text; the writer is used up.
    package consuming func finish() -> JSONOutput {
        endPiece()
        return JSONOutput(own: buffer, source: source, order: order)
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        buffer.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        buffer.append(bracket)
        needsComma = true
    }

    private mutating func endKey() {
        buffer.append(UInt8(ascii: ":"))
        needsComma = false
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { buffer.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Takes a range of a source: by reference when it is long and of the one source that a text
    /// refers to, by copy otherwise.
    private mutating func append(_ bytes: [UInt8], _ range: Range<Int>, mending: Bool) {
        if mending {
            return unsafe bytes.withUnsafeBytes {
                unsafe JSONEscape.appendMended(
                    UnsafeRawBufferPointer(rebasing: $0[range]), to: &buffer)
            }
        }
        guard range.count >= Self.splicedBytesMin, refers(to: bytes) else {
            return buffer.append(contentsOf: bytes[range])
        }
        endPiece()
        order.append(.source(range))
    }

    private mutating func refers(to bytes: [UInt8]) -> Bool {
        if source.isEmpty { source = bytes }
        return unsafe source.withUnsafeBytes { mine in
            unsafe bytes.withUnsafeBytes { unsafe $0.baseAddress == mine.baseAddress }
        }
    }

    private mutating func endPiece() {
        if buffer.count > pieceStart { order.append(.own(pieceStart..<buffer.count)) }
        pieceStart = buffer.count
    }
}
