// What tools that another server ran have found, as text (translation 2.4).
internal import JSON

/// Results of server tools, told as tool messages.
enum ServerToolResult {
    /// Whether a block is such a result, told with its call.
    static func isResult(_ type: String) -> Bool {
        type.hasSuffix("_tool_result") && type != "tool_result"
    }

    /// The result of a call, which stands later in the same turn.
    static func render(_ use: ToolUse, in turn: Turn) -> TextRun {
        for case .other(let type, let value) in turn.blocks
        where isResult(type) && value["tool_use_id"]?.text?.string == use.id {
            var run = render(value["content"])
            if value["is_error"]?.bool == true { run.pieces.insert(.literal("Error: "), at: 0) }
            return run
        }
        return TextRun(pieces: [.literal("(no result)")])
    }

    private static func render(_ content: JSONValue?) -> TextRun {
        guard let content else { return TextRun(pieces: [.literal("(no result)")]) }
        if let text = content.text { return TextRun(pieces: [.text(text)]) }
        if let code = content["error_code"]?.text {
            return TextRun(pieces: [.literal("error: "), .text(code)])
        }
        if content["return_code"] != nil || content["stdout"] != nil { return execution(content) }
        if content["url"] != nil { return fetched(content) }
        var run = TextRun()
        for (index, element) in content.elements.enumerated() {
            if element["url"] != nil {
                run.add(found(element, number: index + 1), separator: #"\n"#)
            } else if let text = element["text"]?.text {
                run.add([.text(text)], separator: #"\n"#)
            }
        }
        return run.isEmpty ? json(content) : run
    }

    /// `N. title — url (age)`; what is encrypted is of no use to another model.
    private static func found(_ element: JSONValue, number: Int) -> [TextPiece] {
        var pieces: [TextPiece] = [.plain("\(number). ")]
        if let title = element["title"]?.text { pieces += [.text(title), .literal(" — ")] }
        if let url = element["url"]?.text { pieces.append(.text(url)) }
        if let age = element["page_age"]?.text {
            pieces += [.literal(" ("), .text(age), .literal(")")]
        }
        return pieces
    }

    private static func execution(_ content: JSONValue) -> TextRun {
        var run = TextRun()
        for (key, label) in [("stdout", #"stdout:\n"#), ("stderr", #"stderr:\n"#)]
            as [(StaticString, StaticString)]
        {
            guard let text = content[key]?.text, !text.isEmpty else { continue }
            run.add([.literal(label), .text(text)], separator: #"\n"#)
        }
        if let code = content["return_code"]?.integer {
            run.add([.plain("exit code: \(code)")], separator: #"\n"#)
        }
        return run
    }

    private static func fetched(_ content: JSONValue) -> TextRun {
        var run = TextRun()
        if let url = content["url"]?.text { run.pieces = [.text(url)] }
        if let data = content["content"]?["source"]?["data"]?.text,
            content["content"]?["source"]?["type"]?.text.map({ $0 == "text" }) == true
        {
            run.add([.text(data)], separator: #"\n"#)
        }
        return run
    }

    /// Anything else as JSON, without what is encrypted.
    private static func json(_ content: JSONValue) -> TextRun {
        guard content.kind == .object else { return TextRun(pieces: [.plain(content.json)]) }
        var writer = JSONWriter()
        writer.beginObject()
        for (key, value) in content.members where !key.string.hasPrefix("encrypted_") {
            writer.key(key)
            writer.value(value)
        }
        writer.endObject()
        let json = String(decoding: writer.finish().contiguous(), as: UTF8.self)
        return TextRun(pieces: [.plain(json)])
    }
}

extension JSONValue {
    /// The value as compact JSON.
    var json: String {
        var writer = JSONWriter()
        writer.value(self)
        return String(decoding: writer.finish().contiguous(), as: UTF8.self)
    }
}
