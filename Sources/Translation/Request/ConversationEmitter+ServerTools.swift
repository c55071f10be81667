// Tools that another server ran in earlier turns, told as ordinary calls (translation 2.4).
internal import JSON

/// A call of a server tool and its result, both from one assistant turn.
struct ServerToolCall {
    let call: OutgoingToolCall
    let result: TextRun

    /// Reads a `server_tool_use` or `mcp_tool_use` block; its result stands later in the turn.
    init(_ value: JSONValue, in turn: Turn, _ toolNames: ToolNames) {
        let id = value["id"]?.text?.string ?? ""
        let name = value["name"]?.text?.string ?? "server_tool"
        call = OutgoingToolCall(
            id: id.utf8.count > 40 || id.isEmpty ? "call_" + Digest.base62(id, count: 24) : id,
            name: toolNames.upstreamName(of: name), input: value["input"])
        for case .other(let type, let candidate) in turn.blocks
        where type.hasSuffix("_tool_result") && candidate["tool_use_id"]?.text?.string == id {
            result = Self.render(candidate["content"])
            return
        }
        result = TextRun(pieces: [.literal("(no result)")])
    }

    /// Whether a block is the beginning of such a pair.
    static func isCall(_ type: String) -> Bool {
        type == "server_tool_use" || type == "mcp_tool_use"
    }

    /// Whether a block is the result of such a pair, told with its call.
    static func isResult(_ type: String) -> Bool {
        type.hasSuffix("_tool_result") && type != "tool_result"
    }

    /// Text as it is, search results as a list, errors by their code, anything else as JSON.
    private static func render(_ content: JSONValue?) -> TextRun {
        guard let content else { return TextRun(pieces: [.literal("(no result)")]) }
        if let text = content.text { return TextRun(pieces: [.text(text)]) }
        if let code = content["error_code"]?.text {
            return TextRun(pieces: [.literal("error: "), .text(code)])
        }
        var run = TextRun()
        for (index, element) in content.elements.enumerated() {
            if let url = element["url"]?.text {
                let title = element["title"]?.text.map { [TextPiece.text($0)] } ?? []
                run.add(
                    [.plain("\(index + 1). ")] + title + [.literal(" — "), .text(url)],
                    separator: #"\n"#)
            } else if let text = element["text"]?.text {
                run.add([.text(text)], separator: #"\n"#)
            }
        }
        guard run.isEmpty else { return run }
        var writer = JSONWriter()
        writer.value(content)
        return TextRun(
            pieces: [.plain(String(decoding: writer.finish().contiguous(), as: UTF8.self))])
    }
}
