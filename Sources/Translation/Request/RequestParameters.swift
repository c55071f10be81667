// Tool choice, structured output and identity (translation 1.6 to 1.8).
internal import JSON

/// `tool_choice`.
struct ToolChoice {
    enum Kind: Equatable { case auto, any, none, tool(String) }

    var kind = Kind.auto
    /// `disable_parallel_tool_use`.
    var isSequential = false

    init(_ value: JSONValue?) throws(APIError) {
        guard let value, !value.isNull else { return }
        isSequential = value["disable_parallel_tool_use"]?.bool == true
        switch value["type"]?.text?.string {
        case "auto": kind = .auto
        case "any": kind = .any
        case "none": kind = .none
        case "tool":
            guard let name = value["name"]?.text?.string else {
                throw .invalid("tool_choice.name: Field required")
            }
            kind = .tool(name)
        default: throw .invalid("tool_choice.type: expected auto, any, tool or none")
        }
    }

    var chosen: String? { if case .tool(let name) = kind { name } else { nil } }
}

extension JSONWriter {
    /// `tool_choice` and `parallel_tool_calls` (translation 1.6).
    mutating func toolChoice(_ choice: ToolChoice, _ names: ToolNames, _ dialect: Dialect) {
        switch choice.kind {
        case .auto: break
        case .none:
            key("tool_choice")
            string("none")
        case .any, .tool:
            if dialect.toolChoices == .named, let name = choice.chosen {
                namedChoice(names.upstreamName(of: name))
            } else if dialect.toolChoices >= .required {
                key("tool_choice")
                string("required")
            }
        }
        if choice.isSequential, dialect.acceptsParallelToolCalls {
            key("parallel_tool_calls")
            bool(false)
        }
    }

    private mutating func namedChoice(_ name: String) {
        key("tool_choice")
        beginObject()
        key("type")
        string("function")
        key("function")
        beginObject()
        key("name")
        string(name)
        endObject()
        endObject()
    }
}

/// What the client wants the answer to look like (`output_config.format`).
struct OutputFormat {
    let schema: JSONSlice

    /// What a request says of it, here or where older clients say it.
    static func asked(_ root: JSONValue?) -> JSONValue? {
        let format = root?["output_config"]?["format"] ?? root?["output_format"]
        return format?.isNull == false ? format : nil
    }

    init?(_ format: JSONValue) {
        guard let schema = format["schema"]?.slice, schema.kind == .object else { return nil }
        self.schema = schema
    }

    /// How it is asked for; grammars and tools do not go together everywhere.
    func means(_ dialect: Dialect, hasTools: Bool) -> Dialect.StructuredOutput {
        hasTools && !dialect.constrainsBesideTools ? .instruction : dialect.structuredOutput
    }

    /// The schema in words, for servers that cannot be given it; DeepSeek wants to read "JSON".
    var instruction: TextRun {
        TextRun(pieces: [
            .literal("Answer with nothing but a JSON object, without code fences. "),
            .literal(#"It must match this JSON schema:\n"#), .json(schema),
        ])
    }

    /// `title` as servers take names, or `response`.
    fileprivate var name: String {
        guard let title = schema.member("title")?.string, !title.isEmpty else { return "response" }
        return ToolNames().upstreamName(of: title)
    }
}

extension JSONWriter {
    /// `response_format` (translation 1.7).
    ///
    /// The schema goes over as it came; making it strict would change what it means.
    mutating func responseFormat(_ format: OutputFormat, _ means: Dialect.StructuredOutput) {
        switch means {
        case .instruction: break
        case .object:
            key("response_format")
            raw(#"{"type":"json_object"}"#)
        case .schema:
            key("response_format")
            beginObject()
            key("type")
            string("json_schema")
            key("json_schema")
            beginObject()
            key("name")
            string(format.name)
            key("strict")
            bool(format.schema.isStrictSchema)
            key("schema")
            value(format.schema)
            endObject()
            endObject()
        }
    }
}

/// Who is asking, without telling who it is (translation 1.8).
enum Identity {
    /// What tells one conversation from another: Claude Code's session, from its header, from the
    /// JSON in `metadata.user_id`, or from the older form `user_…_session_…`.
    static func session(_ root: JSONValue, header: String?) -> String? {
        if let header { return header }
        guard let user = root["metadata"]?["user_id"]?.text else { return nil }
        let document = try? JSONDocument(parsing: user.decoded())
        if let session = document?.root["session_id"]?.text?.string { return session }
        let text = user.string
        guard let range = text.ranges(of: "_session_").last, text.hasPrefix("user_") else {
            return text
        }
        return String(text[range.upperBound...])
    }

    /// The end user as a digest.
    static func user(_ root: JSONValue) -> String? {
        root["metadata"]?["user_id"]?.text.map {
            "u_" + Digest.hexadecimal($0.string, count: 32)
        }
    }
}
