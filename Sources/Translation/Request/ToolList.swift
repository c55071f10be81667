// The tools of a request (translation 1.5).
internal import JSON

/// One tool as it is offered upstream.
struct OfferedTool {
    enum Schema {
        case slice(JSONSlice)
        case literal(StaticString)
        case empty
    }

    var name: String
    var upstreamName: String
    var description: TextRun?
    var schema: Schema
    var isStrict = false

    /// Puts examples of the input behind the description, each in a line of its own.
    mutating func show(_ examples: JSONElements) {
        var run = description ?? TextRun()
        run.add([.literal("Examples of its input:")], separator: #"\n\n"#)
        for example in examples { run.add([.plain(example.json)], separator: #"\n"#) }
        description = run
    }
}

/// Which tools go upstream, and in which order.
struct ToolList {
    private(set) var tools: [OfferedTool] = []
    private(set) var names: ToolNames
    private(set) var losses: [String] = []
    private(set) var repairs: [String] = []
    /// Whether the client offered any tool at all, whatever became of them.
    private(set) var wasOffered = false
    /// What the client calls the search that the upstream does itself.
    private(set) var searchName: String?
    private let acceptsStrict: Bool
    private let searches: Bool
    private let includesDeferred: Bool
    private let showsExamples: Bool

    /// Reads `tools`; deferred ones count once the conversation refers to them.
    init(
        _ tools: JSONValue?, changes: [ToolChange], chosen: String?, _ dialect: Dialect,
        _ limits: RequestLimits
    ) throws(APIError) {
        names = ToolNames(reserved: limits.reservedToolNames)
        searches = limits.webSearch == .upstream && dialect.webSearch != .none
        acceptsStrict = dialect.acceptsStrictTools
        includesDeferred = limits.includesDeferredTools
        showsExamples = limits.showsInputExamples
        guard tools?.isNull ?? true || tools?.kind == .array else {
            throw .invalid("tools: Input should be an array")
        }
        let deferred = try offerStable(tools?.elements.map { $0 } ?? [])
        try apply(changes, chosen, deferred)
    }

    /// Offers the tools that are there from the start; the others, by name and in order.
    private mutating func offerStable(_ all: [JSONValue]) throws(APIError) -> [JSONValue] {
        wasOffered = !all.isEmpty
        var deferred: [JSONValue] = []
        var searchesServerSide = false
        for (index, tool) in all.enumerated() {
            let type = tool["type"]?.text?.string ?? "custom"
            if type.hasPrefix("tool_search_tool_") {
                searchesServerSide = true
            } else if tool["name"]?.text.map({ $0 == "DeferredToolPlaceholder" }) == true {
                // Of Claude Code, which says in it that it must never be called.
                continue
            } else if tool["defer_loading"]?.bool == true, !includesDeferred {
                deferred.append(tool)
            } else {
                try offer(tool, at: index)
            }
        }
        guard searchesServerSide else { return deferred }
        // Nobody else makes them known to the model.
        for tool in deferred { try offer(tool, at: 0) }
        return []
    }

    /// What the conversation changed, behind the stable tools and in order of appearance, so that
    /// a prefix stays a prefix.
    private mutating func apply(
        _ changes: [ToolChange], _ chosen: String?, _ deferred: [JSONValue]
    ) throws(APIError) {
        func named(_ name: String) -> JSONValue? {
            deferred.first { $0["name"]?.text?.string == name }
        }
        var removed: [String: OfferedTool] = [:]
        for change in changes + [chosen].compactMap({ $0 }).map({ ToolChange.add(name: $0) }) {
            switch change {
            case .add(let name):
                if let tool = removed.removeValue(forKey: name) {
                    tools.append(tool)
                } else if let tool = named(name), !names.offered.contains(name) {
                    try offer(tool, at: 0)
                }
            case .define(let tool):
                let name = tool["name"]?.text?.string ?? ""
                tools.removeAll { $0.name == name }
                removed[name] = nil
                names.withdraw(name)
                try offer(tool, at: 0)
            case .remove(let name):
                removed[name] = tools.first { $0.name == name }
                tools.removeAll { $0.name == name }
            }
        }
        guard tools.isEmpty, changes.isEmpty else { return }
        for tool in deferred { try offer(tool, at: 0) }
    }

    private mutating func offer(_ tool: JSONValue, at index: Int) throws(APIError) {
        guard tool.kind == .object else {
            throw .invalid("tools.\(index): Input should be an object")
        }
        let type = tool["type"]?.text?.string ?? "custom"
        let known = type == "custom" ? nil : AnthropicTool.schema(of: type)
        guard type == "custom" || known != nil || tool["input_schema"] != nil else {
            if searches, type.hasPrefix("web_search_") {
                searchName = tool["name"]?.text?.string ?? "web_search"
                // No server is told where to look, and where not.
                let filters: [StaticString] = [
                    "allowed_domains", "blocked_domains", "user_location",
                ]
                if filters.contains(where: { tool[$0]?.isNull == false }) {
                    losses.append("web_search_filter")
                }
            } else {
                losses.append(AnthropicTool.lossField(of: type))
            }
            return
        }
        let callers = tool["allowed_callers"]?.elements.map { $0 } ?? []
        guard callers.isEmpty || callers.contains(where: { $0.text.map { $0 == "direct" } == true })
        else {
            // Only a program in Anthropic's sandbox may call it.
            losses.append("allowed_callers")
            return
        }
        guard let name = tool["name"]?.text?.string, !name.isEmpty else {
            throw .invalid("tools.\(index).name: Field required")
        }
        guard !names.offered.contains(name) else {
            losses.append("duplicate_tool")
            return
        }
        if type.hasPrefix("computer_2") { repairs.append("computer_tool") }
        if type != "custom", known == nil { repairs.append("unknown_tool") }
        var offered = OfferedTool(
            name: name, upstreamName: names.offer(name),
            description: tool["description"]?.text.map { TextRun(pieces: [.text($0)]) },
            schema: .empty)
        if let known {
            offered.schema = .literal(known)
            offered.description = offered.description ?? AnthropicTool.description(of: tool, type)
        } else if let slice = tool["input_schema"].flatMap({ Self.slice($0) }) {
            offered.schema = .slice(slice)
            if slice.members.contains(where: {
                SchemaCleaner.isBranch($0.key) || SchemaCleaner.isOutOfPlace($0.key)
            }) {
                repairs.append("schema")
            }
            if tool["strict"]?.bool == true {
                offered.isStrict = acceptsStrict && slice.isStrictSchema
                if !offered.isStrict { losses.append("strict") }
            }
        }
        if let examples = tool["input_examples"], !examples.elements.isEmpty {
            if showsExamples {
                offered.show(examples.elements)
            } else {
                losses.append("input_examples")
            }
        }
        tools.append(offered)
    }

    /// The schema's bytes; written anew when its key was spelled with escapes.
    private static func slice(_ schema: JSONValue) -> JSONSlice? {
        guard schema.kind == .object else { return nil }
        if let slice = schema.slice { return slice }
        let wrapped = try? JSONDocument(
            parsing: Array(#"{"schema":\#(schema.json)}"#.utf8), opaqueKeys: OpaqueKeys(["schema"]))
        return wrapped?.root["schema"]?.slice
    }

    /// Keeps nothing but one tool, for servers that know `required` but no names.
    mutating func keep(only name: String) { tools.removeAll { $0.name != name } }

    /// Adds a tool that does nothing, for servers that want `tools` where the history has calls.
    mutating func addIdleTool() {
        tools.append(
            OfferedTool(
                name: "no_tool", upstreamName: "no_tool",
                description: TextRun(pieces: [.literal("Does nothing. Do not call it.")]),
                schema: .empty))
    }
}

extension JSONWriter {
    /// `tools`, each a function.
    mutating func tools(_ tools: [OfferedTool], _ dialect: Dialect) {
        var rules = SchemaRules(dialect)
        key("tools")
        beginArray()
        for tool in tools {
            begin(#"{"type":"function","function":{"name":"#)
            string(tool.upstreamName)
            if let description = tool.description {
                key("description")
                self.description(description, dialect)
            }
            key("parameters")
            switch tool.schema {
            case .slice(let slice): toolSchema(slice, &rules)
            case .literal(let literal): raw(literal)
            case .empty: raw(#"{"type":"object","properties":{}}"#)
            }
            if tool.isStrict {
                key("strict")
                bool(true)
            }
            endObject()
            endObject()
        }
        endArray()
    }

    private mutating func description(_ run: TextRun, _ dialect: Dialect) {
        guard let longest = dialect.descriptionMax else { return string(run) }
        let text = run.string
        string(text.count > longest ? String(text.prefix(longest - 1)) + "…" : text)
    }
}
