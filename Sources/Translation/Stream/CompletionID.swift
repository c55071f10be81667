// The upstream's own name for an answer (translation 3.1).
internal import JSON

/// The `id` of a completion, fit for a header and a line of the log.
enum CompletionID {
    /// Servers' ids have about forty bytes.
    private static let bytesMax = 128

    /// What of the id may stand in a header; `nil` when that is nothing.
    static func read(_ completion: JSONValue) -> String? {
        guard let text = completion["id"]?.text, !text.isEmpty else { return nil }
        var whole = text.string
        // As ids are: nothing to leave out.
        if whole.withUTF8({ unsafe $0.count <= bytesMax && $0.allSatisfy(isHarmless) }) {
            return whole
        }
        let harmless = whole.utf8.filter(isHarmless)
        let id = String(decoding: harmless.prefix(bytesMax), as: UTF8.self)
        return id.isEmpty ? nil : id
    }

    /// Bytes of a token (RFC 9110, 5.6.2), and the two that ids are put together with.
    private static func isHarmless(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~:/".utf8.contains(byte)
        }
    }
}
