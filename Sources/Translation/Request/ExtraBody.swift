// Members that the operator adds to every request (`EXTRA_BODY`, translation 1.1).
internal import JSON

/// A JSON object whose members are merged into requests, one level deep.
package struct ExtraBody: Sendable {
    private let members: [(name: String, json: [UInt8])]
    private let names: Set<String>

    /// Reads the object; `nil` for other JSON.
    package init?(parsing text: String) {
        guard let document = try? JSONDocument(parsing: Array(text.utf8)),
            document.root.kind == .object
        else { return nil }
        members = document.root.members.map { ($0.key.string, Array($0.value.json.utf8)) }
        names = Set(members.map(\.name))
    }

    /// The request with these members behind its own, or in their place.
    func merged(into request: JSONOutput) -> JSONOutput {
        let keys = OpaqueKeys(["messages", "tools"])
        guard !members.isEmpty,
            let document = try? JSONDocument(parsing: request.contiguous(), opaqueKeys: keys)
        else { return request }
        var writer = JSONWriter(reserving: 4096)
        writer.beginObject()
        for (name, value) in document.root.members where !names.contains(name.string) {
            writer.key(name)
            writer.value(value)
        }
        for (name, json) in members {
            writer.key(name)
            writer.raw(json)
        }
        writer.endObject()
        return writer.finish()
    }
}
