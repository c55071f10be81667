// A completion becomes a message (translation 3).
internal import Bytes
internal import JSON

/// A translated answer, and what the books want to know of it.
package struct TranslatedMessage: Sendable {
    /// The message as JSON.
    package var body: [UInt8]
    /// Tokens of the exchange.
    package var usage: Usage
    /// Why the model stopped.
    package var stopReason: StopReason
    /// What was mended, by kind.
    package var repairs: [String]
    /// How many tool use blocks there are.
    package var toolCallCount: Int
}

/// Translates answers that come whole; pure.
package struct MessageTranslator {
    private static let opaqueKeys = OpaqueKeys(["content", "logprobs"])

    private let plan: ExchangePlan
    private var repairs: [String] = []
    private var givenIDs: Set<String> = []

    /// A translator for the answer to one request.
    package init(plan: ExchangePlan) { self.plan = plan }

    /// Translates a Chat Completions body.
    package mutating func translate(
        completion body: [UInt8], mint: inout IdentifierMint
    ) throws(APIError) -> TranslatedMessage {
        let isStream = StreamAggregate.isStream(body)
        let document = try Self.parse(isStream ? StreamAggregate.completion(body) : body)
        let root = document.root
        if let error = UpstreamError.inBand(root) { throw error }
        guard
            let choice = root["choices"]?.elements.min(by: {
                ($0["index"]?.integer ?? 0) < ($1["index"]?.integer ?? 0)
            }), let message = choice["message"] ?? choice["delta"], message.kind == .object
        else { throw .upstreamProtocol("upstream returned no choices") }
        let finish = choice["finish_reason"]?.text.map { FinishReason($0.string) }
        if var failure = finish?.failure {
            if let text = choice["error"]?["message"]?.text?.string { failure.message = text }
            throw failure
        }
        if finish == nil { repairs.append("finish_reason") }
        return write(root, message, finish ?? .stop, &mint)
    }

    private static func parse(_ body: [UInt8]) throws(APIError) -> JSONDocument {
        if let document = try? JSONDocument(parsing: body, opaqueKeys: opaqueKeys) {
            return document
        }
        throw .upstreamProtocol("upstream returned what is no JSON")
    }

    private mutating func write(
        _ root: JSONValue, _ message: JSONValue, _ finish: FinishReason,
        _ mint: inout IdentifierMint
    ) -> TranslatedMessage {
        var content = MessageContent(message, plan)
        var stop = StopScanner(plan.stopSequences)
        if stop.isActive { content.text = stop.feed(content.text) + stop.flush() }
        let calls =
            stop.match == nil ? toolCalls(message, finish, &mint) : []
        var reason = finish.stopReason(hasToolUse: !calls.isEmpty)
        if stop.match != nil { reason = .stopSequence }
        if content.refusal != nil { reason = .refusal }
        let usage =
            root["usage"].flatMap { Usage(upstream: $0) }
            ?? Usage(estimatedInput: plan.estimatedInputTokens, outputBytes: content.text.count)
        let end = MessageEnd(
            stopReason: reason, stopSequence: stop.match, refusal: content.refusal, usage: usage)
        var body: [UInt8] = []
        body.reserveCapacity(content.text.count + 1024)
        body.append(#"{"id":""#)
        body.append(mint.next("msg"))
        body.append(#"","type":"message","role":"assistant","model":""#)
        JSONEscape.append(plan.requestedModel, to: &body)
        body.append(#"","content":["#)
        content.append(to: &body, isAlone: calls.isEmpty)
        for (index, call) in calls.enumerated() {
            if index > 0 || content.hasBlocks { body.append(",") }
            body += call
        }
        body.append("],")
        end.append(to: &body)
        body.append(#","usage":"#)
        usage.append(to: &body)
        body.append("}")
        return TranslatedMessage(
            body: body, usage: usage, stopReason: reason, repairs: repairs,
            toolCallCount: calls.count)
    }

    // MARK: - Tool calls

    /// The tool use blocks, each as JSON; what cannot be trusted to be whole is left out.
    private mutating func toolCalls(
        _ message: JSONValue, _ finish: FinishReason, _ mint: inout IdentifierMint
    ) -> [[UInt8]] {
        guard finish != .contentFilter else { return [] }
        var entries = message["tool_calls"]?.elements.map { $0 } ?? []
        if entries.isEmpty, let legacy = message["function_call"], legacy.kind == .object {
            return [toolUse(nil, legacy, finish, &mint)].compactMap { $0 }
        }
        if !plan.allowsParallelToolUse, entries.count > 1 {
            repairs.append("parallel_tool_use")
            entries.removeLast(entries.count - 1)
        }
        return entries.compactMap { entry in
            let function = entry["function"] ?? entry["custom"]
            return function.flatMap { toolUse(entry["id"]?.text?.string, $0, finish, &mint) }
        }
    }

    private mutating func toolUse(
        _ id: String?, _ function: JSONValue, _ finish: FinishReason, _ mint: inout IdentifierMint
    ) -> [UInt8]? {
        guard let name = function["name"]?.text?.string, !name.isEmpty else {
            repairs.append("tool_name")
            return nil
        }
        let arguments = Self.arguments(function["arguments"] ?? function["input"])
        if let repair = arguments.repair { repairs.append(repair) }
        // Cut by the token limit: an incomplete call must not be executed.
        guard !(arguments.isInvalid && finish == .length) else { return nil }
        var block: [UInt8] = []
        block.append(#"{"type":"tool_use","id":""#)
        block.append(clientID(id, &mint))
        block.append(#"","name":""#)
        JSONEscape.append(plan.toolNames.original(of: name), to: &block)
        block.append(#"","input":"#)
        block += arguments.object
        block.append("}")
        return block
    }

    private static func arguments(_ value: JSONValue?) -> ToolArguments {
        guard let value, !value.isNull else { return ToolArguments([]) }
        if let text = value.text { return ToolArguments(text.decoded()) }
        var writer = JSONWriter()
        writer.value(value)
        return ToolArguments(writer.finish().contiguous())
    }

    private mutating func clientID(_ id: String?, _ mint: inout IdentifierMint) -> String {
        if let id, ToolUseID.isUsable(id), !plan.usedToolIDs.contains(id),
            givenIDs.insert(id).inserted
        {
            return id
        }
        repairs.append("tool_id")
        return mint.next("toolu")
    }
}

/// Reasoning and text of a message.
private struct MessageContent {
    var thinking: [UInt8] = []
    var text: [UInt8] = []
    var refusal: [UInt8]?
    private let emission: ThinkingEmission

    init(_ message: JSONValue, _ plan: ExchangePlan) {
        emission = plan.thinking
        for key in ["reasoning_content", "reasoning", "thinking", "reasoning_text"]
            as [StaticString]
        {
            if let reasoning = message[key]?.text, !reasoning.isEmpty {
                reasoning.appendDecoded(to: &thinking)
                break
            }
        }
        if let content = message["content"] { add(content) }
        if let refused = message["refusal"]?.text, !refused.isEmpty {
            refusal = refused.decoded()
            text += refused.decoded()
        }
        var tags = ThinkTagScanner()
        let first = tags.feed(text)
        let rest = tags.flush()
        thinking += first.thinking + rest.thinking
        text = first.answer + rest.answer
    }

    private mutating func add(_ content: JSONValue) {
        if let text = content.text { return text.appendDecoded(to: &self.text) }
        guard let document = try? content.slice?.parsed() else { return }
        for part in document.root.elements {
            if part["type"]?.text.map({ $0 == "thinking" }) == true {
                for piece in part["thinking"]?.elements.map({ $0 }) ?? [] {
                    piece["text"]?.text?.appendDecoded(to: &thinking)
                }
            } else {
                (part["text"] ?? part["refusal"])?.text?.appendDecoded(to: &text)
            }
        }
    }

    private var showsThinking: Bool { emission != .hidden && !thinking.isEmpty }

    var hasBlocks: Bool { showsThinking || !text.isEmpty }

    /// Appends the blocks; an answer with nothing in it gets an empty text block, without which the
    /// Python SDK's `get_final_text` raises.
    func append(to body: inout [UInt8], isAlone: Bool) {
        if showsThinking {
            body.append(#"{"type":"thinking","thinking":""#)
            if emission == .shown { JSONEscape.append(thinking, to: &body) }
            body.append(#"","signature":""#)
            let carried = emission == .omitted ? String(decoding: thinking, as: UTF8.self) : nil
            body.append(ThinkingSignature(text: carried).encoded)
            body.append(#""}"#)
        }
        guard !text.isEmpty || isAlone else { return }
        if showsThinking { body.append(",") }
        body.append(#"{"type":"text","text":""#)
        JSONEscape.append(text, to: &body)
        body.append(#""}"#)
    }
}
