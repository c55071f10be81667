// What the built-in demo upstream answers.
internal import JSON

/// One answer of the demo upstream: text in words, then perhaps a tool call.
struct DemoScript {
    var words: [String]
    var toolCall: (id: String, name: String, arguments: String)?
    var model: String
    var isStream: Bool

    /// Decides by the request alone: the first time tools are offered one is called, after its
    /// result comes a closing text; without tools there is text only.
    init(_ request: JSONValue, callNumber: Int) {
        model = request["model"]?.text?.string ?? "demo"
        isStream = request["stream"]?.bool ?? false
        let messages = request["messages"]?.elements.map { $0["role"]?.text?.string ?? "" } ?? []
        let tool = request["tools"].flatMap(Self.callableTool)
        if let tool, messages.last(where: { $0 != "system" }) != "tool" {
            words = Self.words("This is the demo upstream. I will call the tool \(tool.name).")
            toolCall = ("call_demo_\(callNumber)", tool.name, tool.arguments)
        } else if messages.contains("tool") {
            words = Self.words(
                "The tool has answered, and its result came back to me through claude-sidecar. "
                    + "Set OPENAI_BASE_URL and OPENAI_API_KEY to talk to a real model.")
        } else {
            words = Self.words(
                "Hello! I am the demo upstream inside claude-sidecar: a script, not a model. "
                    + "Every word of this came as a Chat Completions chunk and reached you as an "
                    + "Anthropic event.")
        }
    }

    /// A tool that is safe to call, with arguments that fit: Claude Code's Bash with a harmless
    /// command, otherwise the first tool, its required strings filled in.
    private static func callableTool(_ tools: JSONValue) -> (name: String, arguments: String)? {
        let functions = tools.elements.compactMap { $0["function"] }
        let names = functions.compactMap { $0["name"]?.text?.string }
        if names.contains("Bash") {
            let arguments =
                #"{"command":"echo hello from claude-sidecar","description":"Say hello"}"#
            return ("Bash", arguments)
        }
        guard let function = functions.first, let name = names.first else { return nil }
        var writer = JSONWriter()
        writer.beginObject()
        for required in function["parameters"]?["required"]?.elements.map({ $0 }) ?? [] {
            guard let key = required.text else { continue }
            writer.key(key)
            writer.string("demo")
        }
        writer.endObject()
        return (name, String(decoding: writer.finish().contiguous(), as: UTF8.self))
    }

    private static func words(_ text: String) -> [String] {
        text.split(separator: " ").enumerated().map { $0 == 0 ? String($1) : " \($1)" }
    }
}

extension DemoScript {
    private static let usage =
        #"{"prompt_tokens":42,"completion_tokens":17,"total_tokens":59}"#

    /// The chunks of a streamed answer, each the data of one event.
    func chunks() -> [[UInt8]] {
        var chunks = words.map { word in
            chunk { writer in
                writer.key("content")
                writer.string(word)
            }
        }
        if let toolCall {
            chunks.append(
                chunk { writer in
                    writer.key("tool_calls")
                    write(toolCall, at: 0, to: &writer)
                })
        }
        chunks.append(chunk(finish: toolCall == nil ? "stop" : "tool_calls") { _ in })
        chunks.append(
            Array(#"{"object":"chat.completion.chunk","choices":[],"usage":\#(Self.usage)}"#.utf8))
        return chunks
    }

    /// The whole answer in one body.
    func completion() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("object")
        writer.string("chat.completion")
        writer.key("model")
        writer.string(model)
        writer.key("choices")
        writer.beginArray()
        writer.beginObject()
        writer.key("message")
        writer.beginObject()
        writer.key("role")
        writer.string("assistant")
        writer.key("content")
        writer.string(words.joined())
        if let toolCall {
            writer.key("tool_calls")
            write(toolCall, at: nil, to: &writer)
        }
        writer.endObject()
        writer.key("finish_reason")
        writer.string(toolCall == nil ? "stop" : "tool_calls")
        writer.endObject()
        writer.endArray()
        writer.key("usage")
        writer.raw(Array(Self.usage.utf8))
        writer.endObject()
        return writer.finish().contiguous()
    }

    private func chunk(
        finish: String? = nil, _ delta: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("object")
        writer.string("chat.completion.chunk")
        writer.key("model")
        writer.string(model)
        writer.key("choices")
        writer.beginArray()
        writer.beginObject()
        writer.key("index")
        writer.integer(0)
        writer.key("delta")
        writer.beginObject()
        delta(&writer)
        writer.endObject()
        writer.key("finish_reason")
        if let finish { writer.string(finish) } else { writer.null() }
        writer.endObject()
        writer.endArray()
        writer.endObject()
        return writer.finish().contiguous()
    }

    private func write(
        _ call: (id: String, name: String, arguments: String), at index: Int?,
        to writer: inout JSONWriter
    ) {
        writer.beginArray()
        writer.beginObject()
        if let index {
            writer.key("index")
            writer.integer(index)
        }
        writer.key("id")
        writer.string(call.id)
        writer.key("type")
        writer.string("function")
        writer.key("function")
        writer.beginObject()
        writer.key("name")
        writer.string(call.name)
        writer.key("arguments")
        writer.string(call.arguments)
        writer.endObject()
        writer.endObject()
        writer.endArray()
    }
}
