// Writes JSON; long pieces of source documents are spliced in, not copied.

/// A finished JSON text as pieces of several buffers; crosses threads and stays valid by itself.
package struct JSONOutput: Sendable {
    /// Length in bytes.
    package var count: Int { 0 }
    /// The text in order, piece by piece.
    package var pieces: [ArraySlice<UInt8>] { [] }
    /// The text in one buffer.
    package func contiguous() -> [UInt8] { [] }
}

/// Builds one JSON text. Commas come by themselves. Order is the caller's.
package struct JSONWriter {
    /// An empty text.
    package init(reserving capacity: Int = 1024) {}

    package mutating func beginObject() {}
    package mutating func endObject() {}
    package mutating func beginArray() {}
    package mutating func endArray() {}
    /// A member's name: a literal that needs no escapes.
    package mutating func key(_ name: StaticString) {}
    package mutating func key(_ name: JSONText) {}
    package mutating func key(_ name: String) {}

    /// A literal that needs no escapes.
    package mutating func string(_ value: StaticString) {}
    /// Any text, escaped.
    package mutating func string(_ value: String) {}
    /// A string of a document, as it came.
    package mutating func string(_ value: JSONText) {}
    package mutating func integer(_ value: Int) {}
    package mutating func bool(_ value: Bool) {}
    package mutating func null() {}
    /// A value of a document as its bytes came, or written from jansson's tree.
    package mutating func value(_ value: JSONValue) {}
    package mutating func value(_ value: JSONSlice) {}
    /// A literal that is JSON.
    package mutating func raw(_ json: StaticString) {}
    /// Bytes that are known to be one JSON value.
    package mutating func raw(_ json: [UInt8]) {}

    /// Opens a string that is put together from parts; close it with `endString`.
    package mutating func beginString() {}
    /// Part of an open string: a literal that is already escaped (`\\n\\n` for two newlines).
    package mutating func part(_ escaped: StaticString) {}
    /// Part of an open string: text of a document, as it came.
    package mutating func part(_ text: JSONText) {}
    /// Part of an open string: any text, escaped.
    package mutating func part(escaping text: String) {}
    /// Part of an open string: any UTF-8 bytes, escaped.
    package mutating func part(escaping bytes: [UInt8]) {}
    /// Part of an open string: JSON inside the JSON string, escaped once more.
    package mutating func part(quoting json: JSONSlice) {}
    package mutating func endString() {}

    /// The text; the writer is used up.
    package consuming func finish() -> JSONOutput { JSONOutput() }
}
