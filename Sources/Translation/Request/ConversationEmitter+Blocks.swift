// Single content blocks as parts and text (translation 2.2 and 2.5b).
internal import JSON

extension ConversationEmitter {
    /// Adds a block of a user turn to the parts of its message.
    mutating func part(
        _ block: ContentBlock, refuses: Bool, _ parts: inout [ContentPart]
    ) throws(APIError) {
        switch block {
        case .text(let text, let marker):
            guard !text.isBlank else { break }
            parts.append(.text(TextRun(pieces: [.text(text)], marker: marker)))
        case .toolUse, .serverToolUse: note(loss: "tool_use")
        case .toolResult: break
        case .other("image", let value): parts.append(try image(value, refuses: refuses))
        case .other("document", let value): parts += try document(value, refuses: refuses)
        case .other("search_result", let value):
            var run = searchResult(value)
            run.marker = value["cache_control"]
            parts.append(.text(run))
        case .other("compaction", let value):
            if let text = value["content"]?.text { parts.append(.text(Self.summary(text))) }
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
            run.marker = block["cache_control"] ?? run.marker
            switch block["type"]?.text?.string {
            case "text":
                if let text = block["text"]?.text { run.add([.text(text)], separator: #"\n"#) }
            case "image":
                images += 1
                try self.image(block, number: images, of: id, &run, lifting: &parts)
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
            case let type:
                note(loss: LossField.block(type ?? ""))
                run.add([.plain(block.json)], separator: #"\n"#)
            }
        }
        return marked(run, value)
    }

    /// An image of a tool result: OpenAI's tool messages hold text alone, so it follows them.
    private mutating func image(
        _ block: JSONValue, number: Int, of id: String, _ run: inout TextRun,
        lifting parts: inout [ContentPart]
    ) throws(APIError) {
        let part = try image(block, refuses: false)
        if case .text(let note) = part { return run.add(note.pieces, separator: #"\n"#) }
        if !dialect.acceptsImagesInTools {
            let place = "tool result \(id)"
            let marker = "[image \(number) of \(place) follows in the next message]"
            run.add([.plain(marker)], separator: #"\n"#)
            parts.append(.text(TextRun(pieces: [.plain("Image \(number) from \(place):")])))
        }
        parts.append(part)
    }

    /// OpenAI has no flag for failed tools; the text says it, unless it does already.
    private func marked(_ run: TextRun, _ value: JSONValue) -> TextRun {
        guard value["is_error"]?.bool == true else { return run }
        if case .text(let text)? = run.pieces.first {
            // Spaces, tabs, line feeds.
            let start = text.decodedPrefix(ofEscaped: 100).drop {
                $0 == 0x20 || $0 == 0x09 || $0 == 0x0a
            }
            if start.starts(with: "<tool_use_error>".utf8) || Self.isErrorWord(start) { return run }
        }
        return TextRun(pieces: [.literal("Error: ")] + run.pieces, marker: run.marker)
    }

    /// Whether a text begins with the word "error", and not with one like "errors".
    private static func isErrorWord(_ text: ArraySlice<UInt8>) -> Bool {
        guard zip(text.prefix(5), "error".utf8).allSatisfy({ $0 | 0x20 == $1 }), text.count > 4
        else { return false }
        let next = String(decoding: text.dropFirst(5).prefix(4), as: UTF8.self).unicodeScalars.first
        return next.map { !$0.properties.isAlphabetic && $0.properties.numericType == nil } ?? true
            && next != "_"
    }

    /// An image; one that the model cannot see is refused where the user has just sent it, and
    /// becomes a note in older turns and in tool results.
    mutating func image(
        _ block: JSONValue, refuses: Bool
    ) throws(APIError) -> ContentPart {
        guard dialect.acceptsImages else {
            guard !refuses else {
                throw .invalid("images are not supported by the upstream model")
            }
            note(loss: "image")
            return .text(TextRun(pieces: [.literal(Self.unseen)]))
        }
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
            guard dialect.fetchesImages else {
                guard !refuses else {
                    throw .invalid("image URLs are not supported by this upstream; send base64")
                }
                note(loss: "image")
                return .text(TextRun(pieces: [.literal(Self.unloaded)]))
            }
            return .imageURL(url)
        default: throw .invalid("image \(type) sources are not supported")
        }
    }

    private static let unseen: StaticString =
        "[image omitted: the upstream model does not accept images]"
    private static let unloaded: StaticString =
        "[image not shown: the upstream does not load images from URLs]"
}

/// Names of losses for the metric: a closed set, whatever clients send.
enum LossField {
    private static let blocks: Set<String> = [
        "image", "document", "browser_state", "fallback", "container_upload", "mcp_tool_listing",
        "tool_use", "tool_result",
    ]

    /// The name for a content block of that type.
    static func block(_ type: String) -> String { blocks.contains(type) ? type : "unknown_block" }
}
