// The content of a JSON string, still escaped.

/// The content of a JSON string without its quotes, as it stands in the source: valid UTF-8, valid
/// escapes; a lone surrogate half is still the escape that came and leaves as U+FFFD.
package struct JSONText {
    let document: JSONDocument

    /// Length of the escaped content in bytes.
    package var count: Int { 0 }
    /// Whether the string is `""`.
    package var isEmpty: Bool { count == 0 }
    /// Whether nothing but white space (also escaped: `\n`, `\t`, `\r`) is in it.
    package var isBlank: Bool { true }

    /// Whether the decoded content equals a literal.
    package static func == (text: JSONText, literal: StaticString) -> Bool { false }
    /// Whether the decoded content begins with a literal of plain ASCII.
    package func hasPrefix(_ literal: StaticString) -> Bool { false }

    /// The escaped bytes for the length of a call.
    package func withEscapedBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        unsafe try body(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// Appends the decoded UTF-8 content; a lone surrogate becomes U+FFFD.
    package func appendDecoded(to bytes: inout [UInt8]) {}
    /// The decoded content.
    package var string: String { "" }
}

/// A whole JSON value as the bytes it came in: valid JSON, never parsed into a tree.
package struct JSONSlice: Sendable {
    /// What the slice is cut from.
    package let source: [UInt8]
    /// Where it lies.
    package let range: Range<Int>

    /// What the value is, told by its first byte.
    package var kind: JSONValue.Kind { .null }
    /// The members of an object slice, in order, without a parse of what is inside them: the key with
    /// its quotes, and the value. Empty for anything else.
    package var members: [(key: JSONSlice, value: JSONSlice)] { [] }
    /// The elements of an array slice; empty for anything else.
    package var elements: [JSONSlice] { [] }
    /// Whether this is a string whose decoded content equals a literal.
    package func isString(_ literal: StaticString) -> Bool { false }
    /// Parses the slice into a document of its own (a copy).
    package func parsed() throws(JSONError) -> JSONDocument { throw .tooDeep(offset: 0) }
    /// The bytes for the length of a call.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        unsafe try body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}
