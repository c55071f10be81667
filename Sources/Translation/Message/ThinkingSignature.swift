// What a thinking block's signature carries from one turn to the next (translation 3.3).
internal import JSON

/// A signature of ours: `oai1.` and base64url of a small JSON object.
///
/// Clients send it back verbatim. It is theirs to forge: what comes back is only ever sent upstream
/// as reasoning.
package struct ThinkingSignature: Sendable {
    private static let tag = "oai1."
    private static let bytesMax = 256 * 1024

    /// Reasoning that the block does not show (display `omitted`).
    package var text: String?

    /// A signature that carries what is given.
    package init(text: String? = nil) { self.text = text }

    /// Reads a signature; `nil` for foreign and malformed ones.
    package init?(parsing signature: String) {
        guard signature.hasPrefix(Self.tag), signature.utf8.count <= Self.bytesMax,
            let bytes = Base64URL.decoded(signature.utf8.dropFirst(Self.tag.utf8.count)),
            let document = try? JSONDocument(parsing: bytes), document.root.kind == .object
        else { return nil }
        text = document.root["t"]?.text?.string
    }

    /// The signature's text; never empty, since clients take an empty one for a missing one.
    package var encoded: String {
        var writer = JSONWriter()
        writer.beginObject()
        if let text, text.utf8.count < Self.bytesMax / 2 {
            writer.key("t")
            writer.string(text)
        }
        writer.endObject()
        return Self.tag + Base64URL.encoded(writer.finish().contiguous())
    }
}

/// Base 64 with the alphabet for URLs and without padding (RFC 4648, section 5).
enum Base64URL {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encoded(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (4 - group.count))
            for _ in 0...group.count {
                text.append(alphabet[Int(bits >> 26)])
                bits <<= 6
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func decoded(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            guard let digit = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(digit)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
