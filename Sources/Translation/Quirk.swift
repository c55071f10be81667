// What a server turns out not to accept, learned from its refusals (translation 0.9).
internal import JSON

/// One habit of a server that its dialect does not know of.
package enum Quirk: Hashable, Sendable {
    case noStop, noSampling, noTopK, noParallelToolCalls, noStreamOptions, noPromptCacheKey
    case noReasoning, noJSONSchema
    /// The token limit goes by the other name.
    case maxCompletionTokens, maxTokens
    /// Tools work only with reasoning switched off by name.
    case effortNone
    /// System entries belong into user messages.
    case foldedSystem
    /// Reasoning must come back with every tool call.
    case reasoningContent
    /// No more output than this.
    case outputLimit(Int)
    /// No more output than this beside the prompt of this one request.
    case roomForOutput(Int)

    /// The name for logs.
    package var name: String {
        if case .outputLimit = self { return "outputLimit" }
        if case .roomForOutput = self { return "roomForOutput" }
        return "\(self)"
    }

    /// Whether it says nothing about the next request.
    package var isOfOneRequest: Bool {
        if case .roomForOutput = self { true } else { false }
    }

    /// Recognises a refusal that one change would heal; `nil` for all others.
    ///
    /// Servers agree on neither codes nor words; these are OpenAI's, vLLM's, llama.cpp's and those
    /// of chat templates.
    package static func recognise(status: Int, body: [UInt8]) -> Quirk? {
        guard status == 400 || status == 422 || status == 500,
            let document = try? JSONDocument(parsing: body)
        else { return nil }
        let words = ErrorWords(document.root, body: body)
        let text = words.message.lowercased()
        if text.contains("function tools with reasoning_effort are not supported") {
            return .effortNone
        }
        if text.contains("system message must be at the beginning")
            || text.contains("unexpected role 'system'") || text.contains("roles must alternate")
        {
            return .foldedSystem
        }
        guard status != 500 else { return nil }
        if text.contains("reasoning_content"), text.contains("passed back") {
            return .reasoningContent
        }
        if let overflow = ContextOverflow(words) {
            if case .output(_, let limit) = overflow { return .outputLimit(limit) }
            return overflow.fittingOutput.map { .roomForOutput($0) }
        }
        guard complaints.contains(where: { text.contains($0) }) else { return nil }
        return parameter(document.root["error"]?["param"]?.text?.string, text)
    }

    private static let complaints = [
        "unsupported", "not support", "unrecognized", "unknown", "extra inputs", "not permitted",
        "not allowed", "unexpected keyword", "only the default",
    ]

    private static func parameter(_ named: String?, _ text: String) -> Quirk? {
        let table: [(String, Quirk)] = [
            (
                "max_completion_tokens",
                text.contains("'max_tokens'") ? .maxCompletionTokens : .maxTokens
            ),
            ("max_tokens", .maxCompletionTokens), ("stream_options", .noStreamOptions),
            ("parallel_tool_calls", .noParallelToolCalls), ("prompt_cache_key", .noPromptCacheKey),
            ("reasoning_effort", .noReasoning), ("chat_template_kwargs", .noReasoning),
            ("reasoning", .noReasoning), ("thinking", .noReasoning),
            ("response_format", .noJSONSchema), ("json_schema", .noJSONSchema),
            ("temperature", .noSampling), ("top_p", .noSampling), ("top_k", .noTopK),
            ("stop", .noStop),
        ]
        if let named, let found = table.first(where: { $0.0 == named }) { return found.1 }
        return table.first { name, _ in
            text.contains("'\(name)'") || text.contains("\"\(name)\"") || text.contains("`\(name)`")
                || text.contains(": \(name)")
        }?.1
    }
}

extension Dialect {
    /// This dialect with what was learned about one server and model.
    func applying(_ quirks: Set<Quirk>) -> Dialect {
        var dialect = self
        for quirk in quirks {
            switch quirk {
            case .noStop: dialect.acceptsStop = false
            case .noSampling: dialect.acceptsSampling = false
            case .noTopK: dialect.acceptsTopK = false
            case .noParallelToolCalls: dialect.acceptsParallelToolCalls = false
            case .noStreamOptions: dialect.acceptsStreamOptions = false
            case .noPromptCacheKey: dialect.wantsPromptCacheKey = false
            case .noReasoning: dialect.reasoning = .none
            case .noJSONSchema: dialect.acceptsJSONSchema = false
            case .maxCompletionTokens: dialect.usesMaxCompletionTokens = true
            case .maxTokens: dialect.usesMaxCompletionTokens = false
            case .effortNone: dialect.forcesEffortNone = true
            case .foldedSystem: dialect.systemEntries = .fold
            case .reasoningContent: dialect.replay = .everyToolCall
            case .outputLimit(let limit), .roomForOutput(let limit):
                dialect.outputTokensMax = min(limit, dialect.outputTokensMax ?? limit)
            }
        }
        return dialect
    }
}
