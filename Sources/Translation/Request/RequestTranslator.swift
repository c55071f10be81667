// An Anthropic request becomes a Chat Completions request.
package import JSON

/// What a request became.
package enum TranslatedRequest {
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

/// Translates requests; pure, and the same for every thread.
package struct RequestTranslator: Sendable {
    private static let opaqueKeys = OpaqueKeys(["input_schema", "input", "schema"])
    private static let messagesMax = 100_000
    private static let modelBytesMax = 256

    private let models: ModelMap
    private let dialects: EffectiveDialects
    let limits: RequestLimits

    /// A translator for one upstream.
    package init(models: ModelMap, dialect: Dialect, limits: RequestLimits) {
        self.models = models
        dialects = EffectiveDialects(dialect, limits)
        self.limits = limits
    }

    /// Translates a body; `session` is the client's session id, `version` the version of the
    /// interface that it asks for, if it sent any.
    ///
    /// `quirks` tells what was learned about the upstream's model.
    package func translate(
        _ body: [UInt8], session: String?, version: String? = nil,
        quirks: (String) -> Set<Quirk> = { _ in [] }
    ) throws(APIError) -> TranslatedRequest {
        let root = try Self.parse(body).root
        try Self.refuseWhatCannotBe(root)
        try refuseWhatMayNotBe(root, version)
        let compaction = try compaction(root)
        // A summary is written without what only shapes a reply.
        let reply = compaction == nil ? root : nil
        let (model, messages) = try Self.required(root)
        let upstreamModel = models.resolve(model)
        let known = quirks(upstreamModel)
        let dialect = dialects.dialect(for: upstreamModel, known)
        let plan = ExchangePlan(
            requestedModel: model, upstreamModel: upstreamModel,
            isStream: root["stream"]?.bool ?? false)
        plan.dialect = dialect.name
        plan.knownQuirks = known
        plan.options = limits.answers
        plan.tellsSpeed = root["speed"]?.text != nil
        // Four bytes a token: only used when the upstream reports no usage.
        plan.estimatedInputTokens = body.count / 4
        plan.isCompaction = compaction != nil
        plan.thinking = Self.thinking(reply?["thinking"])
        plan.stopSequences = Self.stopSequences(reply?["stop_sequences"])
        var limit = try TokenLimit(root["max_tokens"])
        guard limit.asked != 0 else { return .local(plan: plan) }
        limit.fit(limits, dialect, plan)

        let conversation = try Conversation(messages, dialect.toolIDs)
        plan.usedToolIDs = conversation.toolUseIDs
        var choice = try ToolChoice(reply?["tool_choice"])
        let tools = try tools(reply?["tools"], conversation, choice, dialect)
        if let name = tools.searchName, choice.chosen == name { choice.kind = .auto }
        plan.toolNames = tools.names
        plan.allowsParallelToolUse = !choice.isSequential
        plan.webSearchQuery = tools.searchName.map { _ in conversation.lastWords }
        let asked = OutputFormat.asked(reply)
        let format = asked.flatMap { OutputFormat($0) }
        plan.stripsFences = limits.answers.stripsFences && format != nil
        let emitter = try emit(root, conversation, tools, format, compaction, dialect)
        guard !emitter.messages.isEmpty else {
            throw .invalid("messages: at least one message must have content")
        }
        plan.prefill = emitter.prefill
        plan.losses = tools.losses + emitter.losses + RequestLosses.choice(choice, tools, dialect)
        plan.losses += RequestLosses.fields(root, dialect, limits)
        if asked != nil, format == nil { plan.losses.append("output_format") }
        let level = ReasoningLevel(root, entryEffort: conversation.effort)
        if reply != nil { plan.losses += losses(level, dialect, tools) }
        plan.repairs = tools.repairs + emitter.repairs
        // One that is missing counts too: Anthropic demands it.
        if limit.asked == nil || limit.bounded != limit.asked { plan.repairs.append("max_tokens") }
        if limits.isStrict, let field = plan.losses.first {
            throw RequestLosses.refusal(field, dialect)
        }
        var writer = RequestWriter(
            root: root, dialect: dialect, plan: plan, messages: emitter.messages, tools: tools,
            choice: choice, format: format, maxTokens: limit.sent,
            level: self.level(level))
        identify(&writer, session)
        writer.continuesLast = emitter.continuesLast
        let (output, messagesEnd) = writer.write()
        plan.messagesEnd = messagesEnd
        plan.hasHistory = emitter.messages.contains { $0.isAssistant }
        let extra = ExtraBody(passing: limits.passedFields, of: root, before: limits.extraBody)
        return .upstream(body: extra?.merged(into: output) ?? output, plan: plan)
    }

    /// What the client wants of the model's reasoning and the upstream cannot be told.
    private func losses(
        _ level: ReasoningLevel, _ dialect: Dialect, _ tools: ToolList
    ) -> [String] {
        guard limits.reasoningEffort == nil else { return [] }
        return level.losses(dialect, besideTools: !tools.tools.isEmpty)
    }

    /// The level that the operator wants instead of the client's.
    private func level(_ asked: ReasoningLevel) -> ReasoningLevel {
        if let effort = limits.reasoningEffort { return ReasoningLevel(effort) }
        var level = asked
        if level.kind == .unset, !limits.thinksUnasked { level.kind = .off }
        return level
    }

    /// Who asks, and how dear the answer may be.
    private func identify(_ writer: inout RequestWriter, _ session: String?) {
        let root = writer.root
        writer.session = Identity.session(root, header: session)
        writer.user = limits.forwardsUser ? Identity.user(root) : nil
        let isFast = root["speed"]?.text.map { $0 == "fast" } == true
        writer.fastTier = isFast ? limits.fastTier : nil
    }

    /// The tools to offer; a request for nothing but tools of Anthropic's servers cannot be
    /// answered by anybody here.
    private func tools(
        _ offered: JSONValue?, _ conversation: Conversation, _ choice: ToolChoice,
        _ dialect: Dialect
    ) throws(APIError) -> ToolList {
        var tools = try ToolList(
            offered, changes: conversation.toolChanges, chosen: choice.chosen, dialect,
            limits)
        let isNone = !tools.wasOffered && tools.tools.isEmpty
        if let name = choice.chosen, tools.searchName != name, !isNone,
            !tools.tools.contains(where: { $0.name == name })
        {
            throw .invalid("tool_choice.name: tool not found")
        }
        if tools.wasOffered, tools.tools.isEmpty,
            let family = tools.losses.first(where: { AnthropicTool.families.contains($0) }),
            !(limits.webSearch == .drop && family == "web_search")
        {
            throw .invalid("\(family) is not available through this gateway")
        }
        if let name = choice.chosen, dialect.toolChoices < .named { tools.keep(only: name) }
        if tools.tools.isEmpty, dialect.needsTools, !conversation.toolUseIDs.isEmpty {
            tools.addIdleTool()
        }
        return tools
    }

    private func emit(
        _ root: JSONValue, _ conversation: Conversation, _ tools: ToolList,
        _ format: OutputFormat?, _ compaction: CompactionPrompt?, _ dialect: Dialect
    ) throws(APIError) -> ConversationEmitter {
        var system = system(root)
        if let format, format.means(dialect, hasTools: !tools.tools.isEmpty) < .schema {
            system.append(format.instruction)
        }
        var emitter = ConversationEmitter(dialect, tools.names)
        var thinkingTurns = RequestLosses.thinkingTurns(root)
        if limits.replaysThisTurnAlone {
            thinkingTurns = min(thinkingTurns ?? .max, conversation.turnsSinceLastWords)
        }
        try emitter.emit(system: system, conversation, thinkingTurns: thinkingTurns)
        if let compaction {
            emitter.userMessage([.text(compaction.text)])
        } else if conversation.endsWithPrefill {
            guard !limits.refusesPrefill else { throw .prefillRefused }
            emitter.continueLast(inStream: root["stream"]?.bool ?? false)
        }
        return emitter
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
        if isSet("container") { throw .invalid("container: not supported by this upstream") }
        if let servers = root["mcp_servers"], !servers.elements.isEmpty {
            throw .invalid("mcp_servers: not supported by this gateway")
        }
    }

    /// What the operator wants to be refused.
    private func refuseWhatMayNotBe(_ root: JSONValue, _ version: String?) throws(APIError) {
        if limits.refusesAsAnthropic { try AnthropicRules.check(root, version: version) }
        guard limits.refusesInferenceGeo, let place = root["inference_geo"]?.text else { return }
        guard place == "global" else {
            throw .invalid("inference_geo: no region can be promised by this gateway")
        }
    }

    private func compaction(_ root: JSONValue) throws(APIError) -> CompactionPrompt? {
        let prompt = try CompactionPrompt(root)
        guard prompt == nil || limits.emulatesCompaction else {
            throw .invalid("compaction is not supported by this gateway")
        }
        return prompt
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

    private func system(_ root: JSONValue) -> [TextRun] {
        let system = root["system"]
        if let text = system?.text { return prompt(text).map { [TextRun(pieces: [$0])] } ?? [] }
        return system?.elements.compactMap { block in
            block["text"]?.text.flatMap { prompt($0) }.map {
                TextRun(pieces: [$0], marker: block["cache_control"])
            }
        } ?? []
    }

    /// A block of the system prompt, if anything is in it.
    ///
    /// Claude Code's attribution changes from session to session and would spoil every prefix
    /// cache. It is a block of its own, or the first line of one that somebody has merged.
    private func prompt(_ text: JSONText) -> TextPiece? {
        guard !text.isBlank else { return nil }
        guard limits.stripsAttribution, text.hasPrefix("x-anthropic-billing-header:") else {
            return .text(text)
        }
        let rest = text.string.drop { !$0.isNewline }.drop { $0.isNewline }
        return rest.allSatisfy(\.isWhitespace) ? nil : .plain(String(rest))
    }
}

extension APIError {
    /// In the words of Anthropic's newer models.
    fileprivate static var prefillRefused: APIError {
        .invalid(
            "This model does not support assistant message prefill. "
                + "The conversation must end with a user message.")
    }
}
