// Single content blocks as parts and text (translation 2.2 and 2.5b).
internal import JSON

extension ConversationEmitter {
    /// Adds a block of a user turn to the parts of its message.
    mutating func part(
        _ block: ContentBlock, isLast: Bool, _ parts: inout [ContentPart]
    ) throws(APIError) {
        switch block {
        case .text(let text): parts.append(.text(TextRun(pieces: [.text(text)])))
        case .toolUse: note(loss: "tool_use")
        case .toolResult: break
        case .other("image", let value): parts.append(try image(value))
        case .other("document", let value): parts += try document(value, refuses: isLast)
        case .other("search_result", let value): parts.append(.text(searchResult(value)))
        case .other("container_upload", _):
            throw .invalid("container_upload blocks are not supported by this gateway")
        case .other("thinking", _), .other("redacted_thinking", _): note(loss: "thinking")
        case .other(let type, let value):
            note(loss: LossField.block(type))
            let text = value["text"]?.text.map { [TextPiece.text($0)] }
            parts.append(
                .text(TextRun(pieces: text ?? [.plain("[unsupported content block: \(type)]")])))
        }
    }

    /// The text of a tool result; what is no text goes to the message after the tool messages.
    mutating func toolResult(
        _ value: JSONValue, id: String, lifting parts: inout [ContentPart]
    ) throws(APIError) -> TextRun {
        var run = TextRun()
        guard let content = value["content"], !content.isNull else { return marked(run, value) }
        if let text = content.text { run.pieces = [.text(text)] }
        var images = 0
        for block in content.elements {
            guard let type = block["type"]?.text?.string else { continue }
            switch type {
            case "text":
                if let text = block["text"]?.text { run.add([.text(text)], separator: #"\n"#) }
            case "image":
                images += 1
                let place = "tool result \(id)"
                let marker = "[image \(images) of \(place) follows in the next message]"
                run.add([.plain(marker)], separator: #"\n"#)
                parts.append(.text(TextRun(pieces: [.plain("Image \(images) from \(place):")])))
                parts.append(try image(block))
            case "tool_reference":
                let name = block["tool_name"]?.text?.string ?? ""
                run.add([.plain("[tool available: \(name)]")], separator: #"\n"#)
            case "document":
                for part in try document(block, refuses: false) {
                    if case .text(let text) = part {
                        run.add(text.pieces, separator: #"\n"#)
                    } else {
                        parts.append(part)
                    }
                }
            case "search_result": run.add(searchResult(block).pieces, separator: #"\n"#)
            default:
                note(loss: LossField.block(type))
                run.add([.plain("[unsupported content block: \(type)]")], separator: #"\n"#)
            }
        }
        return marked(run, value)
    }

    /// OpenAI has no flag for failed tools; the text says it, unless it does already.
    private func marked(_ run: TextRun, _ value: JSONValue) -> TextRun {
        guard value["is_error"]?.bool == true else { return run }
        if case .text(let text)? = run.pieces.first {
            let start = text.string.drop { $0 == " " || $0 == "\n" || $0 == "\t" }.prefix(16)
            if start.hasPrefix("<tool_use_error>") || start.lowercased().hasPrefix("error") {
                return run
            }
        }
        return TextRun(pieces: [.literal("Error: ")] + run.pieces)
    }

    private func image(_ block: JSONValue) throws(APIError) -> ContentPart {
        guard let source = block["source"], let type = source["type"]?.text?.string else {
            throw .invalid("image.source: Field required")
        }
        switch type {
        case "base64":
            guard let data = source["data"]?.text else {
                throw .invalid("image.source.data: Field required")
            }
            return .imageData(mediaType: source["media_type"]?.text, data: data)
        case "url":
            guard let url = source["url"]?.text else {
                throw .invalid("image.source.url: Field required")
            }
            guard fetchesImages else {
                throw .invalid("image URLs are not supported by this upstream; send base64")
            }
            return .imageURL(url)
        default: throw .invalid("image \(type) sources are not supported")
        }
    }

    /// A document; a PDF that the server cannot read is refused where the user has just sent it,
    /// and becomes a note in older turns, where a refusal would end the session for good.
    private mutating func document(
        _ block: JSONValue, refuses: Bool
    ) throws(APIError) -> [ContentPart] {
        if block["citations"]?["enabled"]?.bool == true { note(loss: "citations") }
        let title = block["title"]?.text
        guard let source = block["source"], let type = source["type"]?.text?.string else {
            throw .invalid("document.source: Field required")
        }
        switch type {
        case "base64":
            let name = TextRun(pieces: [title.map { .text($0) } ?? .literal("document.pdf")])
            if acceptsPDF, let data = source["data"]?.text {
                return [.file(name: name, data: data)]
            }
            guard !refuses else {
                throw .invalid("PDF documents are not supported by this upstream")
            }
            note(loss: "document")
            return [
                .text(
                    TextRun(
                        pieces: [.literal(#"[PDF \""#)] + name.pieces
                            + [
                                .literal(
                                    #"\" not shown: the upstream model cannot read PDF files]"#)
                            ]))
            ]
        case "text": return [.text(wrapped(block, source["data"]?.text.map { [.text($0)] } ?? []))]
        case "content": return try contentDocument(block, source["content"])
        default: throw .invalid("document \(type) sources are not supported by this gateway")
        }
    }

    private func contentDocument(
        _ block: JSONValue, _ content: JSONValue?
    ) throws(APIError) -> [ContentPart] {
        if let text = content?.text { return [.text(wrapped(block, [.text(text)]))] }
        var pieces: [TextPiece] = []
        var images: [ContentPart] = []
        for element in content?.elements.map({ $0 }) ?? [] {
            if let text = element["text"]?.text { pieces.append(.text(text)) }
            if element["type"]?.text.map({ $0 == "image" }) == true {
                images.append(try image(element))
            }
        }
        return [.text(wrapped(block, pieces))] + images
    }

    private func wrapped(_ block: JSONValue, _ content: [TextPiece]) -> TextRun {
        var run = TextRun(pieces: [.literal("<document")])
        if let title = block["title"]?.text {
            run.pieces += [.literal(#" title=\""#), .text(title), .literal(#"\""#)]
        }
        run.pieces.append(.literal(#">\n"#))
        if let context = block["context"]?.text {
            run.pieces += [.literal("<context>"), .text(context), .literal(#"</context>\n"#)]
        }
        run.pieces += content + [.literal(#"\n</document>"#)]
        return run
    }

    private func searchResult(_ block: JSONValue) -> TextRun {
        var run = TextRun(pieces: [.literal("<search_result")])
        for (name, literal) in [("source", #" source=\""#), ("title", #" title=\""#)]
            as [(StaticString, StaticString)]
        {
            guard let text = block[name]?.text else { continue }
            run.pieces += [.literal(literal), .text(text), .literal(#"\""#)]
        }
        run.pieces.append(.literal(#">\n"#))
        for element in block["content"]?.elements.map({ $0 }) ?? [] {
            if let text = element["text"]?.text { run.pieces += [.text(text), .literal(#"\n"#)] }
        }
        run.pieces.append(.literal("</search_result>"))
        return run
    }
}

/// Names of losses for the metric: a closed set, whatever clients send.
enum LossField {
    private static let blocks: Set<String> = [
        "server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
        "code_execution_tool_result", "mcp_tool_use", "mcp_tool_result", "compaction", "fallback",
    ]

    /// The name for a content block of that type.
    static func block(_ type: String) -> String { blocks.contains(type) ? type : "unknown_block" }
}
