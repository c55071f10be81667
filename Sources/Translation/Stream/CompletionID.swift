// The upstream's own name for an answer (translation 3.1).
internal import JSON

/// The `id` of a completion, fit for a header and a line of the log.
enum CompletionID {
    /// Servers' ids have about forty bytes.
    private static let bytesMax = 128

    /// What of the id may stand in a header; `nil` when that is nothing.
    static func read(_ completion: JSONValue) -> String? {
        guard let text = completion["id"]?.text, !text.isEmpty else { return nil }
        if !text.hasEscape, text.count <= bytesMax, isHarmless(text) { return text.string }
        let harmless = text.string.utf8.filter(isHarmless)
        let id = String(decoding: harmless.prefix(bytesMax), as: UTF8.self)
        return id.isEmpty ? nil : id
    }

    private static func isHarmless(_ text: JSONText) -> Bool {
        var isHarmless = true
        text.withEscaped { bytes in
            for place in bytes.indices where !Self.isHarmless(bytes[place]) { isHarmless = false }
        }
        return isHarmless
    }

    /// Letters, digits and other bytes of a token (RFC 9110, 5.6.2) that ids are put together with.
    private static func isHarmless(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f, 0x2e, 0x7e, 0x2b, 0x3a, 0x2f: true
        default: false
        }
    }
}
