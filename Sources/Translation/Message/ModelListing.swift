// What a server tells of its models (translation 6).
internal import JSON

/// The answer to `GET /v1/models`, OpenAI's or Anthropic's: both name a model by `id`.
package enum ModelListing {
    private static let namesMax = 1000
    private static let nameBytesMax = 256

    /// The models' names, each once; `nil` for what is no list of models.
    package static func names(_ body: [UInt8]) -> [String]? {
        guard let root = try? JSONDocument(parsing: body).root else { return nil }
        // Together has no object around the list.
        guard let list = root.kind == .array ? root : root["data"], list.kind == .array else {
            return nil
        }
        var seen: Set<String> = []
        for model in list.elements where seen.count < namesMax {
            guard let name = model["id"]?.text?.string, !name.isEmpty,
                name.utf8.count <= nameBytesMax
            else { continue }
            seen.insert(name)
        }
        return seen.sorted()
    }
}
