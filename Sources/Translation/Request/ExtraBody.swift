// Members that requests get besides ours (`EXTRA_BODY`, `EXTRA_PASSTHROUGH`, translation 1.1).
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

    /// The client's members of these names, and behind them what the operator adds; `nil` when
    /// there are none.
    init?(passing fields: Set<String>, of root: JSONValue, before own: ExtraBody?) {
        var passed: [(name: String, json: [UInt8])] = []
        if !fields.isEmpty {
            for (key, value) in root.members where fields.contains(key.string) {
                guard own?.names.contains(key.string) != true else { continue }
                passed.append((key.string, Array(value.json.utf8)))
            }
        }
        guard !passed.isEmpty || own != nil else { return nil }
        members = passed + (own?.members ?? [])
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
