// What a thinking block's signature carries from one turn to the next (translation 3.3).
internal import JSON

/// A signature of ours: `oai1.` and base64url of a small JSON object.
///
/// Clients send it back verbatim. It is theirs to forge: what comes back is only ever sent upstream
/// as reasoning.
package struct ThinkingSignature: Sendable {
    private static let tag = "oai1."
    private static let bytesMax = 256 * 1024

    /// The dialect of the server that the opaque data is of.
    package var dialect: String?
    /// Reasoning that the block does not show (display `omitted`).
    package var text: String?
    /// OpenRouter's `reasoning_details`, a JSON array to be sent back as it is.
    package var details: [UInt8]?
    /// Gemini's thought signatures by the client's ids of the tool calls they belong to.
    package var toolSignatures: [String: String] = [:]

    /// A signature that carries what is given.
    package init(text: String? = nil) { self.text = text }

    /// Reads a signature; `nil` for foreign and malformed ones.
    package init?(parsing signature: String) {
        guard signature.hasPrefix(Self.tag), signature.utf8.count <= 2 * Self.bytesMax,
            let bytes = Base64.decoded(signature.utf8.dropFirst(Self.tag.utf8.count)),
            let document = try? JSONDocument(parsing: bytes), document.root.kind == .object
        else { return nil }
        let root = document.root
        dialect = root["d"]?.text?.string
        text = root["t"]?.text?.string
        if let array = root["rd"], array.kind == .array, !array.elements.isEmpty {
            var writer = JSONWriter()
            writer.value(array)
            details = writer.finish().contiguous()
        }
        for (id, value) in root["gs"]?.members.map({ $0 }) ?? [] {
            toolSignatures[id.string] = value.text?.string
        }
    }

    /// The signature's text; never empty, since clients take an empty one for a missing one.
    package var encoded: String {
        var writer = JSONWriter()
        writer.beginObject()
        if let dialect, details != nil || !toolSignatures.isEmpty {
            writer.key("d")
            writer.string(dialect)
        }
        if let text, text.utf8.count < Self.bytesMax / 2 {
            writer.key("t")
            writer.string(text)
        }
        if let details, details.count < Self.bytesMax {
            writer.key("rd")
            writer.raw(details)
        }
        if !toolSignatures.isEmpty {
            writer.key("gs")
            writer.beginObject()
            for (id, signature) in toolSignatures.sorted(by: { $0.key < $1.key })
            where signature.utf8.count < Self.bytesMax {
                writer.key(id)
                writer.string(signature)
            }
            writer.endObject()
        }
        writer.endObject()
        return Self.tag + Base64.encoded(writer.finish().contiguous())
    }
}
