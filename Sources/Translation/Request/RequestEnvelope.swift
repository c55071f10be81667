// What can be told of a request without looking inside it.
internal import JSON

/// The model and the form of answer that a request asks for; its conversation is not parsed.
package struct RequestEnvelope: Sendable {
    /// The model name, as the client wrote it.
    package let model: String
    /// Whether the client asked for server-sent events.
    package let isStream: Bool
    /// Where the model's name stands in the body, quotes included.
    private let modelRange: Range<Int>

    private static let opaqueKeys = OpaqueKeys([
        "messages", "system", "tools", "tool_choice", "metadata", "thinking", "output_config",
        "stop_sequences", "mcp_servers", "context_management",
    ])

    /// Reads a body; what is no request is told as the translator would tell it.
    package init(_ body: [UInt8]) throws(APIError) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: body, opaqueKeys: Self.opaqueKeys)
        } catch {
            throw .invalid("request body is not valid JSON: \(error.message)")
        }
        let root = document.root
        guard root.kind == .object else { throw .invalid("request body is not a JSON object") }
        guard let name = root["model"], !name.isNull else {
            throw .invalid("model: Field required")
        }
        guard let model = name.text?.string, let slice = name.slice else {
            throw .invalid("model: Input should be a valid string")
        }
        guard !model.isEmpty else { throw .invalid("model: Field required") }
        self.model = model
        modelRange = slice.range
        isStream = root["stream"]?.bool ?? false
    }

    /// The body with another model name; the rest of it is not copied.
    package func body(_ body: [UInt8], model: String) -> [ArraySlice<UInt8>] {
        guard model != self.model else { return [body[...]] }
        var name: [UInt8] = [UInt8(ascii: "\"")]
        JSONEscape.append(model, to: &name)
        name.append(UInt8(ascii: "\""))
        return [body[..<modelRange.lowerBound], name[...], body[modelRange.upperBound...]]
    }
}
