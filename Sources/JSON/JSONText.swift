// The content of a JSON string, still escaped.
internal import Bytes

/// The content of a JSON string without its quotes, as it stands in the source.
///
/// Valid UTF-8 and valid escapes. A lone surrogate half is still the escape that came; it leaves as
/// U+FFFD.
@safe package struct JSONText {
    @safe private enum Storage {
        case slice(Range<Int>)
        case node(UnsafeRawPointer?, Int)
    }

    /// Keeps the bytes alive, whoever holds them.
    private let document: JSONDocument
    private let storage: Storage
    /// Whether a backslash is in it.
    package let hasEscape: Bool
    /// Whether half a surrogate pair is in it.
    package let hasLoneSurrogate: Bool

    /// The name of a member, which jansson holds: no escapes in it.
    init(_ document: JSONDocument, _ start: UnsafeRawPointer?, _ count: Int) {
        self.document = document
        storage = unsafe .node(start, count)
        hasEscape = false
        hasLoneSurrogate = false
    }

    /// The content of a lifted string literal.
    init(_ document: JSONDocument, content literal: Lifted) {
        self.document = document
        storage = .slice(literal.range.lowerBound + 1..<literal.range.upperBound - 1)
        hasEscape = literal.hasEscape
        hasLoneSurrogate = literal.hasLoneSurrogate
    }

    /// Length of the escaped content in bytes.
    package var count: Int {
        switch storage {
        case .slice(let range): range.count
        case .node(_, let count): count
        }
    }

    /// Whether the string is `""`.
    package var isEmpty: Bool { count == 0 }

    /// Where the content stands in the source; `nil` for a name that jansson holds.
    var sourceRange: Range<Int>? {
        if case .slice(let range) = storage { range } else { nil }
    }

    var source: [UInt8] { document.source }

    /// Whether nothing but white space (also escaped: `\n`, `\t`, `\r`) is in it.
    package var isBlank: Bool {
        unsafe withEscapedBytes { bytes in
            var index = 0
            while index < bytes.count {
                switch unsafe bytes[index] {
                case 0x20: index += 1
                case 0x5c:
                    let escaped = unsafe bytes[index + 1]
                    guard escaped == 0x6e || escaped == 0x74 || escaped == 0x72 else {
                        return false
                    }
                    index += 2
                default: return false
                }
            }
            return true
        }
    }

    /// Whether the decoded content equals a literal.
    package static func == (text: JSONText, literal: StaticString) -> Bool {
        guard text.hasEscape else {
            return unsafe text.withEscapedBytes { unsafe $0.equals(literal) }
        }
        guard text.count > literal.utf8CodeUnitCount else { return false }
        return unsafe text.decoded().withUnsafeBytes { unsafe $0.equals(literal) }
    }

    /// Whether the decoded content of both is the same.
    package static func == (a: JSONText, b: JSONText) -> Bool {
        if a.hasEscape || b.hasEscape { return a.decoded() == b.decoded() }
        return unsafe a.count == b.count
            && a.withEscapedBytes { left in
                unsafe b.withEscapedBytes { right in unsafe left.elementsEqual(right) }
            }
    }

    /// Whether the escaped content begins with a literal of plain ASCII without escapes.
    package func hasPrefix(_ literal: StaticString) -> Bool {
        unsafe withEscapedBytes { unsafe $0.starts(with: literal.bytes) }
    }

    /// The escaped bytes for the length of a call.
    package func withEscapedBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        switch storage {
        case .slice(let range):
            try unsafe document.source.withUnsafeBytes {
                try unsafe body(UnsafeRawBufferPointer(rebasing: $0[range]))
            }
        case .node(let start, let count):
            try unsafe body(UnsafeRawBufferPointer(start: start, count: count))
        }
    }

    /// Appends the escaped content; a lone surrogate becomes U+FFFD.
    package func appendEscaped(to bytes: inout [UInt8]) {
        unsafe withEscapedBytes { content in
            guard hasLoneSurrogate else { return unsafe bytes.append(contentsOf: content) }
            JSONEscape.appendMended(content, to: &bytes)
        }
    }

    /// Appends the decoded UTF-8 content; a lone surrogate becomes U+FFFD.
    package func appendDecoded(to bytes: inout [UInt8]) {
        unsafe withEscapedBytes { content in
            guard hasEscape else { return unsafe bytes.append(contentsOf: content) }
            JSONEscape.appendDecoded(content, to: &bytes)
        }
    }

    /// The beginning, decoded: what stands in so many bytes of the escaped content, where a
    /// character may be cut.
    package func decodedPrefix(ofEscaped count: Int) -> [UInt8] {
        unsafe withEscapedBytes { content in
            var bytes: [UInt8] = []
            unsafe JSONEscape.appendDecoded(
                UnsafeRawBufferPointer(rebasing: content.prefix(count)), to: &bytes)
            return bytes
        }
    }

    /// The decoded content in UTF-8.
    package func decoded() -> [UInt8] {
        var bytes: [UInt8] = []
        appendDecoded(to: &bytes)
        return bytes
    }

    /// The decoded content.
    package var string: String {
        guard !hasEscape else { return String(decoding: decoded(), as: UTF8.self) }
        return unsafe withEscapedBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
