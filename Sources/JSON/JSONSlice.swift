// A JSON value that is carried as bytes.

/// A whole JSON value as the bytes it came in: valid JSON, never parsed into a tree.
package struct JSONSlice: Sendable {
    /// What the slice is cut from.
    package let source: [UInt8]
    /// Where it lies.
    package let range: Range<Int>
    /// Whether half a surrogate pair in it must leave as U+FFFD.
    let hasLoneSurrogate: Bool

    init(_ source: [UInt8], _ lifted: Lifted) {
        self.source = source
        range = lifted.range
        hasLoneSurrogate = lifted.hasLoneSurrogate
    }

    private init(_ slice: JSONSlice, _ range: Range<Int>) {
        source = slice.source
        self.range = range
        hasLoneSurrogate = slice.hasLoneSurrogate
    }

    /// What the value is, told by its first byte.
    package var kind: JSONValue.Kind { JSONValue.Kind(ofFirst: source[range.lowerBound]) }

    /// Whether this is `{}` or `[]`, white space aside.
    package var isEmptyContainer: Bool {
        guard kind == .object || kind == .array else { return false }
        return unsafe withBytes { bytes in
            unsafe JSONGrammar.skipSpace(bytes, from: 1) == bytes.count - 1
        }
    }

    /// The members of an object slice, in order, without a parse of what is inside them.
    ///
    /// The key comes with its quotes. Empty for anything else.
    package var members: [(key: JSONSlice, value: JSONSlice)] {
        guard kind == .object else { return [] }
        var members: [(key: JSONSlice, value: JSONSlice)] = []
        var key: JSONSlice?
        for part in parts() {
            if let name = key {
                members.append((name, part))
                key = nil
            } else {
                key = part
            }
        }
        return members
    }

    /// The elements of an array slice; empty for anything else.
    package var elements: [JSONSlice] { kind == .array ? parts() : [] }

    /// Whether this is a string whose decoded content equals a literal.
    package func isString(_ literal: StaticString) -> Bool {
        guard kind == .string, range.count - 2 >= literal.utf8CodeUnitCount else { return false }
        return unsafe withBytes { bytes in
            let content = unsafe UnsafeRawBufferPointer(rebasing: bytes[1..<bytes.count - 1])
            if unsafe content.equals(literal) { return true }
            guard content.count > literal.utf8CodeUnitCount, unsafe content.contains(0x5c) else {
                return false
            }
            var decoded: [UInt8] = []
            JSONEscape.appendDecoded(content, to: &decoded)
            return unsafe decoded.withUnsafeBytes { unsafe $0.equals(literal) }
        }
    }

    /// The decoded content of a string slice; `nil` for anything else.
    package var string: String? {
        guard kind == .string else { return nil }
        var decoded: [UInt8] = []
        unsafe withBytes { bytes in
            unsafe JSONEscape.appendDecoded(
                UnsafeRawBufferPointer(rebasing: bytes[1..<bytes.count - 1]), to: &decoded)
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Parses the slice into a document of its own (a copy).
    package func parsed(opaqueKeys: OpaqueKeys = .none) throws(JSONError) -> JSONDocument {
        try JSONDocument(parsing: Array(source[range]), opaqueKeys: opaqueKeys)
    }

    /// The bytes for the length of a call.
    package func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try unsafe source.withUnsafeBytes {
            try unsafe body(UnsafeRawBufferPointer(rebasing: $0[range]))
        }
    }

    /// The values directly inside a container, names of members among them, in order.
    ///
    /// The bytes were checked when they were lifted; a walk cannot fail, and stops if it does.
    private func parts() -> [JSONSlice] {
        var parts: [JSONSlice] = []
        unsafe withBytes { bytes in
            var index = unsafe JSONGrammar.skipSpace(bytes, from: 1)
            while index < bytes.count - 1 {
                var grammar = unsafe JSONGrammar(bytes)
                guard let end = try? grammar.value(at: index, depth: 0) else { return }
                let start = range.lowerBound + index
                parts.append(JSONSlice(self, start..<range.lowerBound + end))
                index = unsafe JSONGrammar.skipSpace(bytes, from: end)
                if index < bytes.count - 1 {  // a comma or a colon
                    index = unsafe JSONGrammar.skipSpace(bytes, from: index + 1)
                }
            }
        }
        return parts
    }
}
