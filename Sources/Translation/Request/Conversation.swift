// The client's messages as turns: normalised, coalesced, paired (translation 2.1, 2.5).
internal import JSON

/// One content block.
enum ContentBlock {
    /// `marker` is its `cache_control`.
    case text(JSONText, marker: JSONValue?)
    case toolUse(ToolUse)
    /// A call that another server ran itself, MCP calls among them.
    case serverToolUse(ToolUse)
    case toolResult(id: String, value: JSONValue)
    /// Anything else, by its `type`.
    case other(type: String, value: JSONValue)

    /// The name of what it is.
    var type: String {
        switch self {
        case .text: "text"
        case .toolUse, .serverToolUse: "tool_use"
        case .toolResult: "tool_result"
        case .other(let type, _): type
        }
    }
}

/// A `tool_addition` or `tool_removal` of the conversation.
enum ToolChange {
    case add(name: String)
    case define(JSONValue)
    case remove(name: String)
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

    /// Whether a person, and not only a tool, has said something.
    var hasOwnWords: Bool {
        blocks.contains { if case .toolResult = $0 { false } else { true } }
    }
}

/// The history of a request.
struct Conversation {
    private(set) var turns: [Turn] = []
    /// Whether a turn goes when the next user turn with words of its own comes.
    private var clearsAtNextUser = false
    /// Which tools became available or unavailable on the way, in order.
    private(set) var toolChanges: [ToolChange] = []
    /// The last `output_config.effort` of a system entry.
    private(set) var effort: String?
    private var toolIDs: ToolIDs

    /// Reads `messages`.
    init(_ messages: JSONElements, _ toolIDs: Dialect.ToolIDStyle) throws(APIError) {
        self.toolIDs = ToolIDs(toolIDs, expecting: messages.count)
        turns.reserveCapacity(messages.count)
        for (index, message) in messages.enumerated() { try add(message, at: index) }
    }

    /// Ids of all tool use blocks, in the client's spelling and in the upstream's.
    var toolUseIDs: Set<String> { toolIDs.known }

    /// Whether the model is to go on with an assistant message (translation 2.9).
    var endsWithPrefill: Bool {
        guard let last = turns.last, last.role == .assistant, case .text? = last.blocks.last else {
            return false
        }
        return last.toolUses.isEmpty
    }

    /// The beginning of what the user said last: what a search by the server looked for.
    var lastWords: String {
        for turn in turns.reversed() where turn.role == .user {
            for case .text(let text, _) in turn.blocks.reversed() {
                return String(text.string.prefix(200))
            }
        }
        return ""
    }

    /// How many assistant turns came since a person last said something.
    var turnsSinceLastWords: Int {
        let last = turns.lastIndex { $0.role == .user && $0.hasOwnWords }
        return turns[(last ?? 0)...].count { $0.role == .assistant }
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
            clearsAtNextUser = clearsAtNextUser || clears
        } else {
            place(Turn(role: role, blocks: blocks))
        }
    }

    /// Joins a turn with its predecessor of the same role; system entries do not come between tool
    /// calls and their results.
    private mutating func place(_ turn: Turn) {
        if clearsAtNextUser, turn.role == .user, turn.hasOwnWords {
            turns.removeAll { $0.clearsAtNextUser }
            clearsAtNextUser = false
        }
        var end = turns.count
        if turn.role == .user, turn.hasToolResult {
            while end > 0, turns[end - 1].role == .system { end -= 1 }
            let follows =
                end > 0 && (turns[end - 1].role == .user || !turns[end - 1].toolUses.isEmpty)
            if !follows { end = turns.count }
        }
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
        if let text = content.text { return text.isEmpty ? [] : [.text(text, marker: nil)] }
        guard content.kind == .array else {
            throw .invalid("messages.\(index).content: Input should be a string or an array")
        }
        var blocks: [ContentBlock] = []
        blocks.reserveCapacity(content.elements.count)
        for (place, value) in content.elements.enumerated() {
            guard value.kind == .object else {
                throw .invalid("messages.\(index).content.\(place): Input should be an object")
            }
            if value["type"]?.text.map({ $0 == "compaction" }) == true {
                if let summary = try summary(value) { blocks = [summary] }
            } else if let block = block(value) {
                blocks.append(block)
            }
        }
        return blocks
    }

    /// A block; `nil` for an empty text, which poisons a history when it is replayed.
    private mutating func block(_ value: JSONValue) -> ContentBlock? {
        guard let type = value["type"]?.text else { return .other(type: "", value: value) }
        if type == "text" {
            guard let text = value["text"]?.text, !text.isEmpty else { return nil }
            return .text(text, marker: value["cache_control"])
        }
        if type == "tool_use" {
            return .toolUse(toolUse(value))
        }
        if type == "tool_result" {
            noteReferences(value["content"])
            return .toolResult(id: value["tool_use_id"]?.text?.string ?? "", value: value)
        }
        if type == "server_tool_use" || type == "mcp_tool_use" {
            return .serverToolUse(toolUse(value))
        }
        if type == "tool_addition" || type == "tool_removal" {
            noteChange(value)
            return nil
        }
        return .other(type: type.string, value: value)
    }

    private mutating func toolUse(_ value: JSONValue) -> ToolUse {
        let id = value["id"]?.text?.string ?? ""
        let name = value["name"]?.text?.string ?? ""
        return ToolUse(
            id: id, upstreamID: toolIDs.next(id, name: name), name: name, input: value["input"])
    }

    /// What stands for everything before it; `nil` when the compaction had failed.
    private mutating func summary(_ value: JSONValue) throws(APIError) -> ContentBlock? {
        for change in value["tool_changes"]?.elements.map({ $0 }) ?? [] { noteChange(change) }
        guard let text = value["content"]?.text, !text.isEmpty else {
            guard value["encrypted_content"].map(\.isNull) ?? true else {
                throw .invalid("compaction blocks without text cannot be read by this upstream")
            }
            return nil
        }
        turns = []
        return .other(type: "compaction", value: value)
    }

    private mutating func noteReferences(_ content: JSONValue?) {
        for block in content?.elements.map({ $0 }) ?? [] {
            guard block["type"]?.text.map({ $0 == "tool_reference" }) == true,
                let name = block["tool_name"]?.text?.string
            else { continue }
            toolChanges.append(.add(name: name))
        }
    }

    private mutating func noteChange(_ value: JSONValue) {
        guard let tool = value["tool"] else { return }
        if value["type"]?.text.map({ $0 == "tool_removal" }) == true {
            if let name = tool["name"]?.text?.string { toolChanges.append(.remove(name: name)) }
        } else if let definition = tool["definition"] {
            toolChanges.append(.define(definition))
        } else if let name = tool["name"]?.text?.string {
            toolChanges.append(.add(name: name))
        }
    }
}
