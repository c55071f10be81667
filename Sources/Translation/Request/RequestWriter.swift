// A Chat Completions request is written (translation 1.1).
internal import JSON

/// Everything that goes into one request, and the order in which it does.
///
/// Messages come first: what a server has cached of a conversation is found by its beginning.
struct RequestWriter {
    var root: JSONValue
    var dialect: Dialect
    let plan: ExchangePlan
    var messages: [OutgoingMessage]
    var tools: ToolList
    var choice: ToolChoice
    var format: OutputFormat?
    var maxTokens: Int?
    var level: ReasoningLevel
    var session: String?
    var user: String?
    /// The `service_tier` of a fast answer, when one is wanted.
    var fastTier: String?
    /// Whether the server goes on with the last message.
    var continuesLast = false

    private var hasTools: Bool { !tools.tools.isEmpty }

    /// The body, and how much of it goes before the end of the messages.
    func write() -> (body: JSONOutput, messagesEnd: Int) {
        var writer = JSONWriter(reserving: 4096)
        writer.beginObject()
        writer.key("model")
        writer.string(plan.upstreamModel)
        writer.key("messages")
        writer.beginArray()
        for message in placed { message.write(to: &writer, dialect) }
        let messagesEnd = writer.count
        writer.endArray()
        if hasTools {
            writer.tools(tools.tools, dialect)
            writer.toolChoice(choice, plan.toolNames, dialect)
        }
        if let maxTokens {
            writer.key(dialect.usesMaxCompletionTokens ? "max_completion_tokens" : "max_tokens")
            writer.integer(maxTokens)
        }
        sampling(to: &writer)
        reasoning(to: &writer)
        if let format {
            writer.responseFormat(format, format.means(dialect, hasTools: hasTools))
        }
        if tools.searchName != nil { search(to: &writer) }
        identity(to: &writer)
        if continuesLast {
            writer.key("continue_final_message")
            writer.bool(true)
            writer.key("add_generation_prompt")
            writer.bool(false)
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
        return (writer.finish(), messagesEnd)
    }

    /// The messages with no more cache markers than OpenAI takes; the last reach furthest.
    private var placed: [OutgoingMessage] {
        guard dialect.cacheMarkers == .breakpoint else { return messages }
        var placed = messages
        var left = 4
        for index in placed.indices.reversed() { placed[index].keepLastMarkers(&left) }
        return placed
    }

    private func sampling(to writer: inout JSONWriter) {
        let names: [(StaticString, Bool)] = [
            ("temperature", dialect.acceptsSampling), ("top_p", dialect.acceptsSampling),
            ("top_k", dialect.acceptsTopK),
        ]
        for (name, isAccepted) in names {
            guard isAccepted, let value = root[name], value.kind == .number else { continue }
            writer.key(name)
            writer.value(value)
        }
        guard !plan.stopSequences.isEmpty, dialect.acceptsStop else { return }
        writer.key("stop")
        writer.beginArray()
        for sequence in plan.stopSequences.prefix(dialect.stopsMax) { writer.string(sequence) }
        writer.endArray()
    }

    private func reasoning(to writer: inout JSONWriter) {
        if dialect.forcesEffortNone, hasTools {
            writer.key("reasoning_effort")
            writer.string("none")
        } else {
            // With tools the details are wanted back, so they are never left out.
            let hides = plan.thinking == .omitted && !hasTools
            writer.reasoning(level, dialect.reasoning, hides: hides)
        }
    }

    private func search(to writer: inout JSONWriter) {
        switch dialect.webSearch {
        case .none: break
        case .plugin:
            writer.key("plugins")
            writer.raw(#"[{"id":"web"}]"#)
        case .options:
            writer.key("web_search_options")
            writer.raw("{}")
        }
    }

    private func identity(to writer: inout JSONWriter) {
        let isStandard = root["service_tier"]?.text.map { $0 == "standard_only" } == true
        if dialect.acceptsServiceTier, let tier = fastTier ?? (isStandard ? "default" : nil) {
            writer.key("service_tier")
            writer.string(tier)
        }
        if let user, dialect.acceptsUser {
            writer.key(dialect.usesSafetyIdentifier ? "safety_identifier" : "user")
            writer.string(user)
        }
        if dialect.wantsPromptCacheKey, let session {
            writer.key("prompt_cache_key")
            writer.string(Digest.hexadecimal(session, count: 32))
        }
    }
}
