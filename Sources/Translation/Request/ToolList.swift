// The tools of a request (translation 1.5).
internal import JSON

/// One tool as it is offered upstream.
struct OfferedTool {
    enum Schema {
        case slice(JSONSlice)
        case value(JSONValue)
        case literal(StaticString)
        case empty
    }

    var name: String
    var upstreamName: String
    var description: JSONText?
    var schema: Schema
}

/// Which tools go upstream, and in which order.
struct ToolList {
    private(set) var tools: [OfferedTool] = []
    private(set) var names = ToolNames()
    private(set) var losses: [String] = []
    /// Whether the client offered any tool at all, whatever became of them.
    private(set) var wasOffered = false

    /// Reads `tools`; deferred ones count once the conversation refers to them.
    init(
        _ tools: JSONValue?, referenced: [String], chosen: String?
    ) throws(APIError) {
        guard let tools, !tools.isNull else { return }
        guard tools.kind == .array else { throw .invalid("tools: Input should be an array") }
        wasOffered = !tools.elements.isEmpty
        var deferred: [String: JSONValue] = [:]
        var order: [String] = []
        var searchesServerSide = false
        for (index, tool) in tools.elements.enumerated() {
            let type = tool["type"]?.text?.string ?? "custom"
            if type.hasPrefix("tool_search_tool_") {
                searchesServerSide = true
            } else if tool["defer_loading"]?.bool == true {
                let name = tool["name"]?.text?.string ?? ""
                if deferred.updateValue(tool, forKey: name) == nil { order.append(name) }
            } else {
                try offer(tool, type: type, at: index)
            }
        }
        // Placeholder of Claude Code: says itself that it must never be called.
        order.removeAll { $0 == "DeferredToolPlaceholder" }
        let all = searchesServerSide || (self.tools.isEmpty && referenced.isEmpty)
        let active = all ? order : (referenced + [chosen].compactMap { $0 })
        // Behind the stable tools and in order of appearance, so that a prefix stays a prefix.
        for name in active {
            guard let tool = deferred.removeValue(forKey: name), name != "DeferredToolPlaceholder"
            else { continue }
            try offer(tool, type: tool["type"]?.text?.string ?? "custom", at: 0)
        }
    }

    private mutating func offer(_ tool: JSONValue, type: String, at index: Int) throws(APIError) {
        guard tool.kind == .object else {
            throw .invalid("tools.\(index): Input should be an object")
        }
        let isCustom = type == "custom"
        let known = isCustom ? nil : AnthropicTool.schema(of: type)
        guard isCustom || known != nil || tool["input_schema"] != nil else {
            losses.append(AnthropicTool.lossField(of: type))
            return
        }
        guard let name = tool["name"]?.text?.string, !name.isEmpty else {
            throw .invalid("tools.\(index).name: Field required")
        }
        guard !names.offered.contains(name) else {
            losses.append("duplicate_tool")
            return
        }
        var schema = OfferedTool.Schema.empty
        if let known {
            schema = .literal(known)
        } else if let value = tool["input_schema"], value.kind == .object {
            schema = value.slice.map { .slice($0) } ?? .value(value)
        }
        tools.append(
            OfferedTool(
                name: name, upstreamName: names.offer(name),
                description: tool["description"]?.text, schema: schema))
    }
}

/// Tools that Anthropic defines and the client executes; any model can call them by a schema.
enum AnthropicTool {
    /// The schema for a dated type; `nil` for tools that a server would have to execute.
    static func schema(of type: String) -> StaticString? {
        if type.hasPrefix("bash_") { return bash }
        if type.hasPrefix("text_editor_") { return textEditor }
        if type.hasPrefix("memory_") { return memory }
        if type.hasPrefix("computer_2") { return computer }
        return nil
    }

    /// The name of the loss when a tool is not offered upstream.
    static func lossField(of type: String) -> String {
        for family in ["web_search", "web_fetch", "code_execution", "advisor", "mcp_toolset"]
        where type.hasPrefix(family) {
            return family
        }
        return "unknown_tool"
    }

    private static let bash: StaticString = #"""
        {"type":"object","properties":{\#
        "command":{"type":"string"},"restart":{"type":"boolean"}}}
        """#

    private static let textEditor: StaticString = #"""
        {"type":"object","properties":{\#
        "command":{"type":"string",\#
        "enum":["view","create","str_replace","insert","undo_edit"]},\#
        "path":{"type":"string"},"file_text":{"type":"string"},\#
        "old_str":{"type":"string"},"new_str":{"type":"string"},\#
        "insert_line":{"type":"integer"},"insert_text":{"type":"string"},\#
        "view_range":{"type":"array","items":{"type":"integer"}}},\#
        "required":["command","path"]}
        """#

    private static let memory: StaticString = #"""
        {"type":"object","properties":{\#
        "command":{"type":"string",\#
        "enum":["view","create","str_replace","insert","delete","rename"]},\#
        "path":{"type":"string"},"file_text":{"type":"string"},\#
        "old_str":{"type":"string"},"new_str":{"type":"string"},\#
        "insert_line":{"type":"integer"},"insert_text":{"type":"string"},\#
        "old_path":{"type":"string"},"new_path":{"type":"string"},\#
        "view_range":{"type":"array","items":{"type":"integer"}}},\#
        "required":["command"]}
        """#

    private static let computer: StaticString = #"""
        {"type":"object","properties":{\#
        "action":{"type":"string"},"text":{"type":"string"},"duration":{"type":"number"},\#
        "coordinate":{"type":"array","items":{"type":"integer"}},\#
        "start_coordinate":{"type":"array","items":{"type":"integer"}},\#
        "scroll_amount":{"type":"integer"},\#
        "scroll_direction":{"type":"string","enum":["up","down","left","right"]}},\#
        "required":["action"]}
        """#
}

extension JSONWriter {
    /// `tools`, each a function.
    mutating func tools(_ tools: [OfferedTool]) {
        key("tools")
        beginArray()
        for tool in tools {
            beginObject()
            key("type")
            string("function")
            key("function")
            beginObject()
            key("name")
            string(tool.upstreamName)
            if let description = tool.description {
                key("description")
                string(description)
            }
            key("parameters")
            switch tool.schema {
            case .slice(let slice): schema(slice)
            case .value(let value): self.value(value)
            case .literal(let literal): raw(literal)
            case .empty: raw(#"{"type":"object","properties":{}}"#)
            }
            endObject()
            endObject()
        }
        endArray()
    }

    /// A tool's schema as it came, but for what servers refuse at its root (translation 2.8):
    /// `$schema` goes, a missing `type` or `properties` comes.
    ///
    /// What is inside keeps its bytes.
    private mutating func schema(_ slice: JSONSlice) {
        let members = slice.members
        var hasType = false
        var hasProperties = false
        beginObject()
        for (name, member) in members {
            if name.isString("$schema") { continue }
            if name.isString("type"), member.kind == .null { continue }
            hasType = hasType || name.isString("type")
            hasProperties = hasProperties || name.isString("properties")
            key(slice: name)
            value(member)
        }
        if !hasType {
            key("type")
            string("object")
        }
        if !hasProperties {
            key("properties")
            raw("{}")
        }
        endObject()
    }
}
