// What Anthropic's own interface refuses and we mostly do not (translation 0.12).
internal import JSON

/// The refusals of Anthropic's interface, for operators who want to hear of them here already
/// (`STRICT_ANTHROPIC`).
enum AnthropicRules {
    /// The version that ended sampling parameters, and documents and citations that come from
    /// nobody; versions are dates.
    private static let newVersion = "2026-10-21"

    /// Refuses what a version of the interface does.
    static func check(_ root: JSONValue, version: String?) throws(APIError) {
        guard let limit = root["max_tokens"], !limit.isNull else {
            throw .invalid("max_tokens: Field required")
        }
        guard let version, version >= newVersion else { return }
        for (name, value) in [
            ("temperature", root["temperature"]), ("top_p", root["top_p"]),
            ("top_k", root["top_k"]),
        ] where value?.isNull == false {
            throw .invalid("\(name): not supported by version \(version) of the API")
        }
        guard let messages = root["messages"], messages.kind == .array else { return }
        for (index, message) in messages.elements.enumerated() {
            try check(message, at: "messages.\(index)")
        }
    }

    private static func check(_ message: JSONValue, at place: String) throws(APIError) {
        let isAssistant = message["role"]?.text.map { $0 == "assistant" } == true
        guard let content = message["content"], content.kind == .array else { return }
        for (index, block) in content.elements.enumerated() {
            let type = block["type"]?.text
            if isAssistant, type.map({ $0 == "document" }) == true {
                throw .invalid("\(place).content.\(index): documents are not the assistant's")
            }
            if !isAssistant, type.map({ $0 == "text" }) == true,
                block["citations"]?.elements.isEmpty == false
            {
                throw .invalid("\(place).content.\(index).citations: not supported in user text")
            }
        }
    }
}
