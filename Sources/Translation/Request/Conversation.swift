// The client's messages as turns: normalised, coalesced, paired (translation 2.1, 2.5).
internal import JSON

/// One content block.
enum ContentBlock {
    case text(JSONText)
    case toolUse(ToolUse)
    case toolResult(id: String, value: JSONValue)
    /// Anything else, by its `type`.
    case other(type: String, value: JSONValue)
}

/// A tool use block of the history.
struct ToolUse {
    /// As the client has it.
    var id: String
    /// As it goes upstream: short enough, unique in the conversation.
    var upstreamID: String
    var name: String
    var input: JSONValue?
}

/// A run of messages of one role.
struct Turn {
    enum Role { case user, assistant, system }

    var role: Role
    var blocks: [ContentBlock]
    /// For a system entry that ends with the next user message (`clear_at`).
    var clearsAtNextUser = false

    var toolUses: [ToolUse] {
        blocks.compactMap { if case .toolUse(let use) = $0 { use } else { nil } }
    }

    var hasToolResult: Bool {
        blocks.contains { if case .toolResult = $0 { true } else { false } }
    }
}

/// The history of a request.
struct Conversation {
    private(set) var turns: [Turn] = []
    /// Ids of all tool use blocks, in the client's spelling.
    private(set) var toolUseIDs: Set<String> = []
    /// Names that `tool_reference` blocks have made available, in order of appearance.
    private(set) var referencedTools: [String] = []
    /// The last `output_config.effort` of a system entry.
    private(set) var effort: String?
    private var upstreamIDs: Set<String> = []
    private let toolIDs: Dialect.ToolIDStyle

    /// Reads `messages`.
    init(_ messages: JSONElements, _ toolIDs: Dialect.ToolIDStyle) throws(APIError) {
        self.toolIDs = toolIDs
        turns.reserveCapacity(messages.count)
        for (index, message) in messages.enumerated() { try add(message, at: index) }
    }

    private mutating func add(_ message: JSONValue, at index: Int) throws(APIError) {
        guard message.kind == .object else {
            throw .invalid("messages.\(index): Input should be an object")
        }
        let role = try Self.role(message["role"]?.text, at: index)
        let blocks = try blocks(message["content"], at: index)
        if role == .system {
            if let effort = message["output_config"]?["effort"]?.text {
                self.effort = effort.string
            }
            guard !blocks.isEmpty else { return }
            let clears = message["clear_at"]?.text.map { $0 == "next_user_message" } == true
            turns.append(Turn(role: role, blocks: blocks, clearsAtNextUser: clears))
        } else {
            place(Turn(role: role, blocks: blocks))
        }
    }

    /// Joins a turn with its predecessor of the same role; system entries do not come between tool
    /// calls and their results.
    private mutating func place(_ turn: Turn) {
        var end = turns.count
        if turn.role == .user, turn.hasToolResult {
            while end > 0, turns[end - 1].role == .system { end -= 1 }
            let follows =
                end > 0 && (turns[end - 1].role == .user || !turns[end - 1].toolUses.isEmpty)
            if !follows { end = turns.count }
        }
        if turn.role == .user, !turn.hasToolResult { turns.removeAll { $0.clearsAtNextUser } }
        end = min(end, turns.count)
        if end > 0, turns[end - 1].role == turn.role {
            turns[end - 1].blocks += turn.blocks
        } else {
            turns.insert(turn, at: end)
        }
    }

    private static func role(_ text: JSONText?, at index: Int) throws(APIError) -> Turn.Role {
        guard let text else { throw .invalid("messages.\(index).role: Field required") }
        if text == "user" { return .user }
        if text == "assistant" { return .assistant }
        if text == "system" { return .system }
        throw .invalid("messages.\(index).role: unexpected role")
    }

    private mutating func blocks(
        _ content: JSONValue?, at index: Int
    ) throws(APIError) -> [ContentBlock] {
        guard let content, !content.isNull else { return [] }
        if let text = content.text { return text.isEmpty ? [] : [.text(text)] }
        guard content.kind == .array else {
            throw .invalid("messages.\(index).content: Input should be a string or an array")
        }
        var blocks: [ContentBlock] = []
        blocks.reserveCapacity(content.elements.count)
        for (place, value) in content.elements.enumerated() {
            guard value.kind == .object else {
                throw .invalid("messages.\(index).content.\(place): Input should be an object")
            }
            if let block = block(value) { blocks.append(block) }
        }
        return blocks
    }

    /// A block; `nil` for an empty text, which poisons a history when it is replayed.
    private mutating func block(_ value: JSONValue) -> ContentBlock? {
        guard let type = value["type"]?.text else { return .other(type: "", value: value) }
        if type == "text" {
            guard let text = value["text"]?.text, !text.isEmpty else { return nil }
            return .text(text)
        }
        if type == "tool_use" {
            return .toolUse(toolUse(value))
        }
        if type == "tool_result" {
            noteReferences(value["content"])
            return .toolResult(id: value["tool_use_id"]?.text?.string ?? "", value: value)
        }
        return .other(type: type.string, value: value)
    }

    private mutating func toolUse(_ value: JSONValue) -> ToolUse {
        let id = value["id"]?.text?.string ?? ""
        toolUseIDs.insert(id)
        var upstreamID = upstreamToolID(id)
        var occurrence = 2
        while !upstreamIDs.insert(upstreamID).inserted {
            upstreamID = upstreamToolID("\(id)_\(occurrence)")
            occurrence += 1
        }
        let name = value["name"]?.text?.string ?? ""
        return ToolUse(id: id, upstreamID: upstreamID, name: name, input: value["input"])
    }

    private mutating func noteReferences(_ content: JSONValue?) {
        for block in content?.elements.map({ $0 }) ?? [] {
            guard block["type"]?.text.map({ $0 == "tool_reference" }) == true,
                let name = block["tool_name"]?.text?.string, !referencedTools.contains(name)
            else { continue }
            referencedTools.append(name)
        }
    }

    /// An id as the server takes it: a pure function of the client's, so that prefixes stay stable
    /// (translation 2.6; OpenAI refuses more than 40 characters).
    private func upstreamToolID(_ id: String) -> String {
        switch toolIDs {
        case .atMost40:
            guard id.isEmpty || id.utf8.count > 40 else { return id }
            return "call_" + Digest.base62(id, count: 24)
        case .nineAlphanumerics:
            let isFine =
                id.utf8.count == 9
                && id.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x41...0x5a).contains($0)
                        || (0x61...0x7a).contains($0)
                }
            return isFine ? id : Digest.base62(id, count: 9)
        }
    }
}
