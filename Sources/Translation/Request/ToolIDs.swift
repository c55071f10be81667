// Ids of tool calls as a server takes them (translation 2.6).

/// Gives every tool call of a conversation its id: a pure function of what came before it, so that
/// a conversation that grows keeps its beginning.
struct ToolIDs {
    private let style: Dialect.ToolIDStyle
    /// All ids of calls: as the client has them, and as they were given.
    private(set) var known: Set<String> = []
    /// By an id that came more than once: the first number behind it that was not tried yet.
    ///
    /// Without it a history in which one id stands everywhere takes time with its square.
    private var occurrences: [String: Int] = [:]
    private var count = 0

    /// For about so many calls.
    init(_ style: Dialect.ToolIDStyle, expecting count: Int = 0) {
        self.style = style
        if count > Self.fewMax { known.reserveCapacity(count) }
    }

    /// Room for so few is not worth asking for.
    private static let fewMax = 8

    /// The id for the next call; no other call of the conversation has it.
    mutating func next(_ id: String, name: String) -> String {
        defer { count += 1 }
        if style == .functionsAndNumber {
            known.insert(id)
            return "functions.\(ToolNames().upstreamName(of: name)):\(count)"
        }
        var candidate = shaped(id)
        if candidate != id { known.insert(id) }
        if known.insert(candidate).inserted { return candidate }
        var occurrence = occurrences[id] ?? 2
        repeat {
            candidate = shaped("\(id)_\(occurrence)")
            occurrence += 1
        } while !known.insert(candidate).inserted
        occurrences[id] = occurrence
        return candidate
    }

    /// OpenAI refuses more than 40 characters; Mistral wants exactly nine letters and digits.
    private func shaped(_ id: String) -> String {
        guard style == .nineAlphanumerics else {
            return id.isEmpty || id.utf8.count > 40 ? "call_" + Digest.base62(id, count: 24) : id
        }
        let isFine =
            id.utf8.count == 9
            && id.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: false
                }
            }
        return isFine ? id : Digest.base62(id, count: 9)
    }
}
