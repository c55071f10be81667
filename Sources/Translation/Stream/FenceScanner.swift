// A code fence around an answer that was to be JSON.
internal import JSON

/// Takes the fence off a text when there is nothing but JSON in it (`STRIP_JSON_FENCES`).
///
/// Text that begins with a fence is held back to its end; any other goes through.
struct FenceScanner: Sendable {
    private static let fence = Array("```".utf8)

    /// Whether the text may still turn out to be fenced.
    private var isActive: Bool
    private var held: [UInt8] = []

    init(isOn: Bool) { isActive = isOn }

    /// Takes text; what can go out now.
    mutating func feed(_ text: [UInt8]) -> [UInt8] {
        guard isActive, !text.isEmpty else { return text }
        held += text
        let begun = held.drop { $0 <= 0x20 }.prefix(Self.fence.count)
        let mayBeFenced = Self.fence.starts(with: begun)
        guard !mayBeFenced || held.count > StreamTranslator.heldBytesMax else { return [] }
        isActive = false
        defer { held = [] }
        return held
    }

    /// What was held back, when no more text comes; without its fence where it had one.
    mutating func flush() -> (text: [UInt8], isStripped: Bool) {
        defer { held = [] }
        // A text behind a call, or behind reasoning, may have a fence of its own.
        guard let inner = inner(), (try? JSONDocument(parsing: inner)) != nil else {
            return (held, false)
        }
        return (inner, true)
    }

    /// What is between the line of the opening fence and the closing one.
    private func inner() -> [UInt8]? {
        let text = Self.trimmed(held[...])
        guard text.count > 2 * Self.fence.count, text.starts(with: Self.fence),
            text.suffix(Self.fence.count).elementsEqual(Self.fence),
            let lineEnd = text.firstIndex(of: 0x0a)
        else { return nil }
        guard lineEnd < text.endIndex - Self.fence.count else { return nil }
        return Array(Self.trimmed(text[lineEnd...].dropLast(Self.fence.count)))
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop { $0 <= 0x20 }
        while let last = text.last, last <= 0x20 { text.removeLast() }
        return text
    }
}
