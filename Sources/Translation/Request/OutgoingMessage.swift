// Chat Completions messages before they are written.
internal import JSON

/// A piece of text that is put together without being decoded.
enum TextPiece {
    /// Already escaped.
    case literal(StaticString)
    case text(JSONText)
    case plain(String)
    /// Text inside the quotes of an attribute.
    case attribute(JSONText)
    /// JSON shown as text.
    case json(JSONSlice)

    var isEmpty: Bool {
        switch self {
        case .literal(let literal): literal.utf8CodeUnitCount == 0
        case .text(let text), .attribute(let text): text.isEmpty
        case .plain(let text): text.isEmpty
        case .json: false
        }
    }
}

/// Text from several sources, in order.
struct TextRun {
    var pieces: [TextPiece] = []
    /// `cache_control`, for the servers that take it.
    var marker: JSONValue?

    var isEmpty: Bool { pieces.allSatisfy(\.isEmpty) }

    /// Adds pieces behind a separator, which is left out at the start.
    mutating func add(_ more: [TextPiece], separator: StaticString) {
        if !isEmpty { pieces.append(.literal(separator)) }
        pieces += more
    }

    /// The text itself, decoded.
    var string: String {
        var writer = JSONWriter()
        writer.string(self)
        let document = try? JSONDocument(parsing: writer.finish().contiguous())
        return document?.root.text?.string ?? ""
    }
}

/// A part of a user message.
enum ContentPart {
    case text(TextRun)
    /// An image by URL, or the data and media type of one.
    case imageURL(JSONText)
    case imageData(mediaType: JSONText?, data: JSONText)
    /// A file by URL, or its data.
    case file(name: TextRun, url: JSONText)
    case fileData(name: TextRun, data: JSONText)

    var isImage: Bool {
        switch self {
        case .imageURL, .imageData: true
        case .text, .file, .fileData: false
        }
    }
}

/// A tool call of an assistant message.
struct OutgoingToolCall {
    var id: String
    var name: String
    var input: JSONValue?
    /// Gemini's signature of the thought that led to the call.
    var thoughtSignature: String?
}

/// Reasoning that goes back with an assistant message (translation 2.4).
enum OutgoingReasoning {
    /// `reasoning_content`.
    case content(TextRun)
    /// `reasoning_content` and `reasoning`.
    case bothNames(TextRun)
    /// `reasoning`.
    case plain(TextRun)
    /// Elements of `reasoning_details`.
    case details([UInt8])
    /// A part before the text.
    case parts(TextRun)
}

/// An assistant message.
struct AssistantMessage {
    var text: TextRun
    var calls: [OutgoingToolCall] = []
    var reasoning: OutgoingReasoning?
    /// Whether the model is to go on with it.
    var isPrefix = false
}

/// A message as it goes upstream.
enum OutgoingMessage {
    case system([TextRun])
    case user([ContentPart])
    case assistant(AssistantMessage)
    /// Images stand here only where the server takes them.
    case tool(id: String, TextRun, images: [ContentPart])
}

extension OutgoingMessage {
    /// Drops all cache markers but the last `left`.
    mutating func keepLastMarkers(_ left: inout Int) {
        func keep(_ run: inout TextRun) {
            guard let marker = run.marker, !marker.isNull else { return }
            if left > 0 { left -= 1 } else { run.marker = nil }
        }
        switch self {
        case .system(var runs):
            for index in runs.indices.reversed() { keep(&runs[index]) }
            self = .system(runs)
        case .user(var parts):
            for index in parts.indices.reversed() {
                guard case .text(var run) = parts[index] else { continue }
                keep(&run)
                parts[index] = .text(run)
            }
            self = .user(parts)
        case .tool(let id, var run, let images):
            keep(&run)
            self = .tool(id: id, run, images: images)
        case .assistant: break
        }
    }

    var isAssistant: Bool { if case .assistant = self { true } else { false } }

    func write(to writer: inout JSONWriter, _ dialect: Dialect) {
        switch self {
        case .system(let runs):
            writer.begin(#"{"role":"#)
            writer.string(dialect.usesDeveloperRole ? "developer" : "system")
            writer.key("content")
            writer.content(runs.map { .text($0) }, dialect.cacheMarkers)
        case .user(let parts):
            writer.begin(#"{"role":"user","content":"#)
            writer.content(parts, dialect.cacheMarkers)
        case .tool(let id, let content, let images):
            writer.begin(#"{"role":"tool","tool_call_id":"#)
            writer.string(id)
            writer.key("content")
            if images.isEmpty, dialect.cacheMarkers == .none {
                writer.string(content)
            } else {
                writer.content([.text(content)] + images, dialect.cacheMarkers)
            }
        case .assistant(let message): writer.assistant(message, dialect)
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
            case .attribute(let text):
                part(escaping: text.string.replacing("\"", with: "&quot;"))
            case .json(let slice): part(quoting: slice)
            }
        }
        endString()
    }

    fileprivate mutating func assistant(_ message: AssistantMessage, _ dialect: Dialect) {
        begin(#"{"role":"assistant","content":"#)
        if case .parts(let thoughts)? = message.reasoning {
            thinkingParts(thoughts, message.text)
        } else if message.text.isEmpty, dialect.nullsEmptyContent {
            null()
        } else {
            string(message.text)
        }
        switch message.reasoning {
        case nil, .parts: break
        case .content(let text):
            key("reasoning_content")
            string(text)
        case .bothNames(let text):
            for name in ["reasoning_content", "reasoning"] as [StaticString] {
                key(name)
                string(text)
            }
        case .plain(let text):
            key("reasoning")
            string(text)
        case .details(let elements):
            key("reasoning_details")
            beginArray()
            raw(elements)
            endArray()
        }
        if message.isPrefix {
            key("prefix")
            bool(true)
        }
        if !message.calls.isEmpty { toolCalls(message.calls) }
    }

    /// Mistral's own shape: `content` as the model gave it.
    private mutating func thinkingParts(_ thoughts: TextRun, _ text: TextRun) {
        beginArray()
        beginObject()
        key("type")
        string("thinking")
        key("thinking")
        textParts([thoughts])
        endObject()
        if !text.isEmpty { textPart(text) }
        endArray()
    }

    private mutating func textParts(_ runs: [TextRun]) {
        beginArray()
        for run in runs { textPart(run) }
        endArray()
    }

    private mutating func textPart(_ run: TextRun) {
        beginObject()
        key("type")
        string("text")
        key("text")
        string(run)
        endObject()
    }

    fileprivate mutating func toolCalls(_ calls: [OutgoingToolCall]) {
        key("tool_calls")
        beginArray()
        for call in calls {
            begin(#"{"id":"#)
            string(call.id)
            begin(#""type":"function","function":{"name":"#)
            string(call.name)
            key("arguments")
            arguments(call.input)
            endObject()
            if let signature = call.thoughtSignature {
                key("extra_content")
                beginObject()
                key("google")
                beginObject()
                key("thought_signature")
                string(signature)
                endObject()
                endObject()
            }
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
