// An Anthropic request becomes a Chat Completions request.
package import JSON

/// What a request became.
package enum TranslatedRequest: Sendable {
    /// A body to send upstream.
    case upstream(body: JSONOutput, plan: ExchangePlan)
    /// Nothing to ask a model for: `max_tokens` is 0 (cache pre-warming).
    case local(plan: ExchangePlan)

    /// What must be remembered for the answer.
    package var plan: ExchangePlan {
        switch self {
        case .upstream(_, let plan), .local(let plan): plan
        }
    }
}

/// Bounds that the operator sets.
package struct RequestLimits: Sendable {
    /// Lower bound for `max_tokens`.
    package var minTokens: Int?
    /// Upper bound for `max_tokens`.
    package var maxTokens: Int?
    /// `max_tokens` or `max_completion_tokens`; `nil` leaves it to the dialect.
    package var usesMaxCompletionTokens: Bool?
    /// How hard the model is to think, whatever the client asks for: `off`, or an effort.
    package var reasoningEffort: String?
    /// Whether Claude Code's attribution block, which spoils prefix caches, is left out.
    package var stripsAttribution = true
    /// Refuse what cannot be translated instead of dropping and counting it.
    package var isStrict = false
    /// How answers are shaped.
    package var answers = AnswerOptions()

    /// The defaults.
    package init() {}
}

/// Translates requests; pure, and the same for every thread.
package struct RequestTranslator: Sendable {
    private static let opaqueKeys = OpaqueKeys(["input_schema", "input", "schema"])
    private static let messagesMax = 100_000
    private static let modelBytesMax = 256

    private let models: ModelMap
    private let dialect: Dialect
    private let limits: RequestLimits

    /// A translator for one upstream.
    package init(models: ModelMap, dialect: Dialect, limits: RequestLimits) {
        self.models = models
        self.dialect = dialect
        self.limits = limits
    }

    /// Translates a body; `session` is the client's session id, if it sent one.
    ///
    /// `quirks` tells what was learned about the upstream's model.
    package func translate(
        _ body: [UInt8], session: String?, quirks: (String) -> Set<Quirk> = { _ in [] }
    ) throws(APIError) -> TranslatedRequest {
        let document = try Self.parse(body)
        let root = document.root
        try Self.refuseWhatCannotBe(root)
        let (model, messages) = try Self.required(root)
        let upstreamModel = models.resolve(model)
        let dialect = dialect.refined(for: upstreamModel).applying(quirks(upstreamModel))
        var plan = ExchangePlan(
            requestedModel: model, upstreamModel: upstreamModel,
            isStream: root["stream"]?.bool ?? false)
        plan.dialect = dialect.name
        plan.options = limits.answers
        // Four bytes a token: only used when the upstream reports no usage.
        plan.estimatedInputTokens = body.count / 4
        plan.thinking = Self.thinking(root["thinking"])
        plan.stopSequences = Self.stopSequences(root["stop_sequences"])
        let maxTokens = try maxTokens(root["max_tokens"], dialect)
        guard maxTokens != 0 else { return .local(plan: plan) }

        let conversation = try Conversation(messages, dialect.toolIDs)
        plan.usedToolIDs = conversation.toolUseIDs
        let choice = try ToolChoice(root["tool_choice"])
        let tools = try ToolList(
            root["tools"], referenced: conversation.referencedTools, chosen: choice.chosen)
        plan.toolNames = tools.names
        plan.allowsParallelToolUse = !choice.isSequential
        try Self.check(tools, choice)
        var emitter = ConversationEmitter(dialect, tools.names)
        try emitter.emit(system: system(root), conversation)
        guard !emitter.messages.isEmpty else {
            throw .invalid("messages: at least one message must have content")
        }
        plan.losses = tools.losses + emitter.losses + Self.lostFields(root)
        plan.repairs = emitter.repairs
        if limits.isStrict, let field = plan.losses.first {
            throw .invalid("\(field): cannot be translated for this upstream")
        }

        let parts = Parts(
            root: root, model: upstreamModel, messages: emitter.messages, tools: tools,
            choice: choice, maxTokens: maxTokens,
            level: limits.reasoningEffort.map { ReasoningLevel($0) }
                ?? ReasoningLevel(root, entryEffort: conversation.effort),
            session: session)
        return .upstream(body: write(parts, plan, dialect), plan: plan)
    }

    // MARK: - Reading

    private static func parse(_ body: [UInt8]) throws(APIError) -> JSONDocument {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: body, opaqueKeys: opaqueKeys)
        } catch {
            throw .invalid("request body is not valid JSON: \(error.message)")
        }
        guard document.root.kind == .object else {
            throw .invalid("request body is not a JSON object")
        }
        return document
    }

    private static func required(
        _ root: JSONValue
    ) throws(APIError) -> (model: String, messages: JSONElements) {
        guard let name = root["model"], !name.isNull else {
            throw .invalid("model: Field required")
        }
        guard let model = name.text?.string else {
            throw .invalid("model: Input should be a valid string")
        }
        guard !model.isEmpty else { throw .invalid("model: Field required") }
        // A name is looked for in patterns, and told in logs and answers.
        guard model.utf8.count <= modelBytesMax else {
            throw .invalid("model: String should have at most \(modelBytesMax) characters")
        }
        guard let messages = root["messages"], !messages.isNull else {
            throw .invalid("messages: Field required")
        }
        guard messages.kind == .array else {
            throw .invalid("messages: Input should be a valid array")
        }
        guard !messages.elements.isEmpty else {
            throw .invalid("messages: at least one message is required")
        }
        guard messages.elements.count <= messagesMax else {
            throw .invalid("messages: more than \(messagesMax) messages")
        }
        return (model, messages.elements)
    }

    /// What would silently change the answer if it were dropped (translation 0.2).
    private static func refuseWhatCannotBe(_ root: JSONValue) throws(APIError) {
        func isSet(_ key: StaticString) -> Bool { root[key].map { !$0.isNull } ?? false }
        if isSet("thread") {
            // The SDK's tool runner resends the whole history when it sees this code.
            var error = APIError.invalid("thread is not supported by this gateway")
            error.code = "thread_unsupported_request"
            throw error
        }
        if isSet("compaction") { throw .invalid("compaction is not supported by this gateway") }
        if isSet("container") { throw .invalid("container: not supported by this upstream") }
        if let servers = root["mcp_servers"], !servers.elements.isEmpty {
            throw .invalid("mcp_servers: not supported by this gateway")
        }
    }

    /// A request for nothing but tools of Anthropic's servers cannot be answered by anybody here.
    private static func check(_ tools: ToolList, _ choice: ToolChoice) throws(APIError) {
        if let name = choice.chosen, !tools.names.offered.contains(name) {
            throw .invalid("tool_choice.name: tool not found")
        }
        guard tools.wasOffered, tools.tools.isEmpty, let family = tools.losses.first else { return }
        throw .invalid("\(family) is not available through this gateway")
    }

    private static func thinking(_ thinking: JSONValue?) -> ThinkingEmission {
        guard let type = thinking?["type"]?.text, !(type == "disabled") else { return .hidden }
        return thinking?["display"]?.text.map { $0 == "omitted" } == true ? .omitted : .shown
    }

    private static func stopSequences(_ value: JSONValue?) -> [String] {
        var sequences: [String] = []
        for element in value?.elements.map({ $0 }) ?? [] {
            guard let text = element.text?.string, !text.isEmpty, !sequences.contains(text) else {
                continue
            }
            sequences.append(text)
        }
        return sequences
    }

    private func maxTokens(_ value: JSONValue?, _ dialect: Dialect) throws(APIError) -> Int? {
        guard let value, !value.isNull else { return nil }
        guard let asked = value.integer, asked >= 0 else {
            throw .invalid("max_tokens: Input should be a non-negative integer")
        }
        guard asked > 0 else { return 0 }
        let bounded = min(max(asked, limits.minTokens ?? 1), limits.maxTokens ?? Int.max)
        return min(bounded, dialect.outputTokensMax ?? Int.max)
    }

    /// The system prompt as one text; the attribution block of Claude Code changes from session to
    /// session and would spoil every prefix cache.
    private func system(_ root: JSONValue) -> TextRun {
        var run = TextRun()
        let system = root["system"]
        let texts =
            system?.text.map { [$0] } ?? system?.elements.compactMap { $0["text"]?.text } ?? []
        for text in texts where !text.isBlank {
            let isAttribution = text.hasPrefix("x-anthropic-billing-header:")
            if isAttribution, limits.stripsAttribution { continue }
            run.add([.text(text)], separator: #"\n\n"#)
        }
        return run
    }

    /// Fields that mean something to Anthropic's servers and to nobody else.
    private static func lostFields(_ root: JSONValue) -> [String] {
        let fields: [(StaticString, String)] = [
            ("safeguards", "safeguards"), ("speed", "speed"), ("inference_geo", "inference_geo"),
            ("fallbacks", "fallbacks"), ("diagnostics", "diagnostics"),
        ]
        return fields.compactMap { key, name in root[key].flatMap { $0.isNull ? nil : name } }
    }

    // MARK: - Writing

    private struct Parts {
        var root: JSONValue
        var model: String
        var messages: [OutgoingMessage]
        var tools: ToolList
        var choice: ToolChoice
        var maxTokens: Int?
        var level: ReasoningLevel
        var session: String?
    }

    private func write(_ parts: Parts, _ plan: ExchangePlan, _ dialect: Dialect) -> JSONOutput {
        var writer = JSONWriter(reserving: 4096)
        writer.beginObject()
        writer.key("model")
        writer.string(parts.model)
        writer.key("messages")
        writer.beginArray()
        for message in parts.messages { message.write(to: &writer, dialect) }
        writer.endArray()
        if !parts.tools.tools.isEmpty {
            writer.tools(parts.tools.tools)
            var choice = parts.choice
            if let name = choice.chosen {
                choice.kind = .tool(plan.toolNames.upstreamName(of: name))
            }
            writer.toolChoice(choice, dialect)
        }
        if let maxTokens = parts.maxTokens {
            let isCompletion = limits.usesMaxCompletionTokens ?? dialect.usesMaxCompletionTokens
            writer.key(isCompletion ? "max_completion_tokens" : "max_tokens")
            writer.integer(maxTokens)
        }
        sampling(parts.root, dialect, to: &writer)
        if !plan.stopSequences.isEmpty, dialect.acceptsStop {
            writer.key("stop")
            writer.beginArray()
            for sequence in plan.stopSequences.prefix(dialect.stopsMax) { writer.string(sequence) }
            writer.endArray()
        }
        if dialect.forcesEffortNone, !parts.tools.tools.isEmpty {
            writer.reasoning(.off, .effort)
        } else {
            writer.reasoning(parts.level, dialect.reasoning)
        }
        if let schema = Self.outputSchema(parts.root) { writer.responseFormat(schema, dialect) }
        if dialect.wantsPromptCacheKey, let session = Self.session(parts) {
            writer.key("prompt_cache_key")
            writer.string(Digest.hexadecimal(session, count: 32))
        }
        if plan.isStream {
            writer.key("stream")
            writer.bool(true)
            if dialect.acceptsStreamOptions {
                writer.key("stream_options")
                writer.raw(#"{"include_usage":true}"#)
            }
        }
        writer.endObject()
        return writer.finish()
    }

    private func sampling(_ root: JSONValue, _ dialect: Dialect, to writer: inout JSONWriter) {
        let names: [(StaticString, Bool)] = [
            ("temperature", dialect.acceptsSampling), ("top_p", dialect.acceptsSampling),
            ("top_k", dialect.acceptsTopK),
        ]
        for (name, isAccepted) in names {
            guard isAccepted, let value = root[name], value.kind == .number else { continue }
            writer.key(name)
            writer.value(value)
        }
    }

    private static func outputSchema(_ root: JSONValue) -> JSONValue? {
        let format = root["output_config"]?["format"] ?? root["output_format"]
        guard let schema = format?["schema"], schema.kind == .object else { return nil }
        return schema
    }

    /// What tells one conversation from another: Claude Code's session, from its header or from
    /// the JSON in `metadata.user_id`.
    private static func session(_ parts: Parts) -> String? {
        if let session = parts.session { return session }
        guard let user = parts.root["metadata"]?["user_id"]?.text else { return nil }
        let document = try? JSONDocument(parsing: user.decoded())
        return document?.root["session_id"]?.text?.string ?? user.string
    }
}
