// Chat Completions messages before they are written.
internal import JSON

/// A piece of text that is put together without being decoded.
enum TextPiece {
    /// Already escaped.
    case literal(StaticString)
    case text(JSONText)
    case plain(String)
    /// JSON shown as text.
    case json(JSONSlice)

    var isEmpty: Bool {
        switch self {
        case .literal(let literal): literal.utf8CodeUnitCount == 0
        case .text(let text): text.isEmpty
        case .plain(let text): text.isEmpty
        case .json: false
        }
    }
}

/// Text from several sources, in order.
struct TextRun {
    var pieces: [TextPiece] = []

    var isEmpty: Bool { pieces.allSatisfy(\.isEmpty) }

    /// Adds pieces behind a separator, which is left out at the start.
    mutating func add(_ more: [TextPiece], separator: StaticString) {
        if !isEmpty { pieces.append(.literal(separator)) }
        pieces += more
    }
}

/// A part of a user message.
enum ContentPart {
    case text(TextRun)
    /// An image by URL, or the data and media type of one.
    case imageURL(JSONText)
    case imageData(mediaType: JSONText?, data: JSONText)
    case file(name: TextRun, data: JSONText)
}

/// A tool call of an assistant message.
struct OutgoingToolCall {
    var id: String
    var name: String
    var input: JSONValue?
}

/// A message as it goes upstream.
enum OutgoingMessage {
    case system(TextRun)
    case user([ContentPart])
    case assistant(text: TextRun, calls: [OutgoingToolCall], reasoning: TextRun?)
    case tool(id: String, content: TextRun)
}

extension OutgoingMessage {
    func write(to writer: inout JSONWriter, _ dialect: Dialect) {
        writer.beginObject()
        writer.key("role")
        switch self {
        case .system(let text):
            writer.string("system")
            writer.key("content")
            writer.string(text)
        case .user(let parts):
            writer.string("user")
            writer.key("content")
            writer.content(parts)
        case .tool(let id, let content):
            writer.string("tool")
            writer.key("tool_call_id")
            writer.string(id)
            writer.key("content")
            writer.string(content)
        case .assistant(let text, let calls, let reasoning):
            writer.string("assistant")
            writer.key("content")
            if text.isEmpty, dialect.nullsEmptyContent {
                writer.null()
            } else {
                writer.string(text)
            }
            if let reasoning {
                writer.key("reasoning_content")
                writer.string(reasoning)
            }
            if !calls.isEmpty { writer.toolCalls(calls) }
        }
        writer.endObject()
    }
}

extension JSONWriter {
    mutating func string(_ run: TextRun) {
        beginString()
        for piece in run.pieces {
            switch piece {
            case .literal(let literal): part(literal)
            case .text(let text): part(text)
            case .plain(let text): part(escaping: text)
            case .json(let slice): part(quoting: slice)
            }
        }
        endString()
    }

    /// Text alone is one string, blocks apart by an empty line: many servers take no parts.
    fileprivate mutating func content(_ parts: [ContentPart]) {
        var whole = TextRun()
        for part in parts {
            guard case .text(let run) = part else { return array(parts) }
            whole.add(run.pieces, separator: #"\n\n"#)
        }
        string(whole)
    }

    private mutating func array(_ parts: [ContentPart]) {
        beginArray()
        for part in parts {
            beginObject()
            key("type")
            switch part {
            case .text(let run):
                string("text")
                key("text")
                string(run)
            case .imageURL(let url): image { $0.part(url) }
            case .imageData(let mediaType, let data):
                image { writer in
                    writer.part("data:")
                    if let mediaType { writer.part(mediaType) } else { writer.part("image/png") }
                    writer.part(";base64,")
                    writer.part(data)
                }
            case .file(let name, let data):
                string("file")
                key("file")
                beginObject()
                key("filename")
                string(name)
                key("file_data")
                beginString()
                self.part("data:application/pdf;base64,")
                self.part(data)
                endString()
                endObject()
            }
            endObject()
        }
        endArray()
    }

    private mutating func image(_ url: (inout JSONWriter) -> Void) {
        string("image_url")
        key("image_url")
        beginObject()
        key("url")
        beginString()
        url(&self)
        endString()
        endObject()
    }

    fileprivate mutating func toolCalls(_ calls: [OutgoingToolCall]) {
        key("tool_calls")
        beginArray()
        for call in calls {
            beginObject()
            key("id")
            string(call.id)
            key("type")
            string("function")
            key("function")
            beginObject()
            key("name")
            string(call.name)
            key("arguments")
            arguments(call.input)
            endObject()
            endObject()
        }
        endArray()
    }

    /// `function.arguments`: the input's own bytes, quoted once (translation 2.4).
    private mutating func arguments(_ input: JSONValue?) {
        guard let input, !input.isNull else { return string("{}") }
        if let text = input.text {
            // Claude Code replays arguments that did not parse as a string.
            let holdsObject = (try? JSONDocument(parsing: text.decoded()))?.root.kind == .object
            if holdsObject { return string(text) }
            beginString()
            part(#"{\"input\":"#)
            if let slice = input.slice {
                part(quoting: slice)
            } else {
                part(escaping: "\"\(text.string)\"")
            }
            part("}")
            return endString()
        }
        guard let slice = input.slice else {
            var inner = JSONWriter()
            inner.value(input)
            beginString()
            part(escaping: inner.finish().contiguous())
            return endString()
        }
        beginString()
        part(quoting: slice)
        endString()
    }
}
