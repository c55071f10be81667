// Which words of a refusal tell what (translation 0.9). A new wording is a new line here.
internal import JSON

extension Quirk {
    /// Recognises a refusal that one change would heal; `nil` for all others.
    ///
    /// `known` is what was known when the request was written: a server that refuses again refuses
    /// something else.
    package static func recognise(
        status: Int, body: [UInt8], known: Set<Quirk> = []
    ) -> Quirk? {
        guard let document = try? JSONDocument(parsing: body) else { return nil }
        return recognise(status: status, document.root, known: known)
    }

    /// The same of a refusal that was told inside an answer of 200.
    static func recognise(status: Int, _ root: JSONValue, known: Set<Quirk>) -> Quirk? {
        guard [400, 404, 422, 500].contains(status) else { return nil }
        let words = ErrorWords(root, body: [])
        let message = words.message
        let text = message.lowercased()
        if let wording = wordings.first(where: { $0.matches(text) }) { return wording.quirk }
        // A server that breaks down, or knows no such model, says nothing about parameters.
        guard status == 400 || status == 422 else { return nil }
        if let quirk = limit(message, text) { return quirk }
        let named = words.parameter
        if let quirk = effort(named, text, given: words.input) {
            // Tools without reasoning was the last that could be tried.
            return quirk == .noEffort(.none) && known.contains(.effortNone) ? nil : quirk
        }
        if let quirk = choice(named, text, known) { return quirk }
        guard complaints.contains(where: { text.contains($0) }) else { return nil }
        return parameter(named, text)
    }

    /// What to tell beside the words of a refusal that nothing heals: tools were refused with
    /// reasoning, and then without it.
    package static func hint(status: Int, body: [UInt8], known: Set<Quirk>) -> String? {
        guard known.contains(.effortNone), status == 400,
            let document = try? JSONDocument(parsing: body)
        else { return nil }
        let words = ErrorWords(document.root, body: body)
        let text = words.message.lowercased()
        guard text.contains("reasoning") || words.parameter?.hasPrefix("reasoning") == true else {
            return nil
        }
        return " (the model takes no tools in /chat/completions: choose another for it)"
    }

    /// Words that tell one thing wherever they stand, seen with the server named.
    private struct Wording {
        let quirk: Quirk
        /// All of these, in small letters.
        let words: [String]

        init(_ quirk: Quirk, _ words: String...) {
            self.quirk = quirk
            self.words = words
        }

        func matches(_ text: String) -> Bool { words.allSatisfy { text.contains($0) } }
    }

    private static let wordings =
        [
            // OpenAI, gpt-5.4 and later.
            Wording(.effortNone, "function tools with reasoning_effort are not supported"),
            // Qwen's templates under vLLM, SGLang and llama.cpp; Ollama.
            Wording(.foldedSystem, "system message must be at the beginning"),
            Wording(.foldedSystem, "unexpected role 'system'"),
            Wording(.foldedSystem, "only supports a single system message"),
            // Gemma, Llama 2 and older Mistral templates.
            Wording(.alternatingRoles, "roles must alternate"),
            Wording(.alternatingRoles, "expected last role user or tool"),
            // DeepSeek; Moonshot.
            Wording(.reasoningContent, "reasoning_content", "passed back"),
            Wording(.reasoningContent, "reasoning_content is missing"),
            // Gemini 3.
            Wording(.thoughtSignature, "missing a thought_signature"),
            // llama.cpp; vLLM.
            Wording(.noFormatBesideTools, "cannot use custom grammar constraints with tools"),
            Wording(.noFormatBesideTools, "response_format", "with tools", "not support"),
            // DeepSeek; LM Studio.
            Wording(.noJSONSchema, "this response_format type is unavailable"),
            Wording(.noJSONObject, "response_format.type", "must be 'json_schema'"),
            Wording(.noJSONSchema, "response_format.type", "json_object"),
            // Bedrock behind a gateway: "…: The text field in the ContentBlock object is blank".
            Wording(.nullContent, "the text field in the contentblock", "blank"),
            Wording(.nullContent, "text content blocks must be non-empty"),
            Wording(.emptyContent, "content", "invalid type: null"),
            Wording(.emptyContent, "content", "got null"),
            Wording(.emptyContent, "content", "should be a valid string", "none"),
            Wording(.emptyContent, "content", "expected a string, but got null"),
            // LiteLLM; Bedrock; Anthropic behind a gateway.
            Wording(.toolsNeeded, "must be defined when using tooluse"),
            Wording(.toolsNeeded, "must define `tools`"),
            Wording(.toolsNeeded, "tools= param"),
            Wording(.toolsNeeded, "`tools=` param"),
            // Mistral's tokenizer under vLLM.
            Wording(.nineCharacterToolIDs, "tool call id", "length of 9"),
            // llama.cpp; vLLM's and SGLang's grammar engines.
            Wording(.noPatterns, "failed to parse grammar"),
            Wording(.noPatterns, "pattern", "look"),
            Wording(.noPatterns, "regex", "not supported"),
        ] + images

    /// A picture for a model without eyes: OpenAI, OpenRouter, vLLM, llama.cpp, DeepSeek, Ollama,
    /// LM Studio.
    private static let images = [
        Wording(.noImages, "image_url is only supported by certain models"),
        Wording(.noImages, "no endpoints found that support image input"),
        Wording(.noImages, "is not a multimodal model"),
        Wording(.noImages, "at most 0 image"),
        Wording(.noImages, "image input is not supported"),
        Wording(.noImages, "does not support image"),
        Wording(.noImages, "unknown variant `image_url`"),
        Wording(.noPDF, "unknown variant `file`"),
        Wording(.noPDF, "invalid content type", "file"),
    ]

    private static let complaints = [
        "unsupported", "not support", "unrecognized", "unknown", "extra inputs", "not permitted",
        "not allowed", "unexpected keyword", "only the default", "unavailable",
    ]

    // MARK: - Limits

    private static func limit(_ message: String, _ text: String) -> Quirk? {
        switch ContextOverflow(message) {
        case .output(_, let limit): return .outputLimit(limit)
        case .sum(let input, _, let limit):
            // A margin: what the server counts differs a little from one try to the next.
            let room = limit - input - 64
            return room >= 1024 ? .room(room) : nil
        case .prompt: return nil
        case nil: break
        }
        if text.contains("output_tokens"), text.contains("below minimum value"),
            let least = number(after: ">= ", text)
        {
            return .outputMinimum(least)
        }
        if text.contains("description"), text.contains("maximum length 1024") {
            return .shortDescriptions
        }
        return nil
    }

    private static func number(after words: String, _ text: String) -> Int? {
        text.firstRange(of: words).flatMap { range in
            Int(text[range.upperBound...].prefix { $0.isASCII && $0.isNumber })
        }
    }

    // MARK: - Parameters with several values

    /// An effort that is not among the values: “Unsupported value: 'max' is not supported …”.
    ///
    /// The refused one stands before the list of those that are taken, or is told apart, by
    /// pydantic as `input`.
    private static func effort(_ param: String?, _ text: String, given: String?) -> Quirk? {
        guard param?.hasPrefix("reasoning") == true || text.contains("reasoning") else {
            return nil
        }
        let lists = ["supported values", "one of", "must be", "should be", "valid values"]
        let listed = lists.compactMap { text.firstRange(of: $0)?.lowerBound }.min()
        if let refused = quotedEffort(text[..<(listed ?? text.endIndex)]) {
            return .noEffort(refused)
        }
        guard listed != nil else { return nil }
        if let refused = given.flatMap({ Effort(rawValue: $0) }) { return .noEffort(refused) }
        for words in ["input': ", "input_value=", "got ", "received "] {
            if let range = text.firstRange(of: words),
                let refused = quotedEffort(text[range.upperBound...].prefix(10))
            {
                return .noEffort(refused)
            }
        }
        return nil
    }

    /// The first effort that stands in quotes.
    private static func quotedEffort(_ text: Substring) -> Effort? {
        text.split(omittingEmptySubsequences: false) { $0 == "'" || $0 == "\"" || $0 == "`" }
            .dropFirst().dropLast().lazy.compactMap { Effort(rawValue: String($0)) }.first
    }

    /// Thinking models of DeepSeek, Moonshot and Qwen, and Groq, take no demands.
    private static func choice(_ param: String?, _ text: String, _ known: Set<Quirk>) -> Quirk? {
        guard param == "tool_choice" || text.contains("tool_choice"),
            !text.contains("parallel_tool_calls")
        else { return nil }
        let isAboutRequired = text.contains("required") || known.contains(.noNamedChoice)
        return isAboutRequired ? .noRequiredChoice : .noNamedChoice
    }

    private static func parameter(_ named: String?, _ text: String) -> Quirk? {
        let other: Quirk = text.contains("'max_tokens'") ? .maxCompletionTokens : .maxTokens
        let table: [(String, Quirk)] = [
            ("max_completion_tokens", other), ("max_tokens", .maxCompletionTokens),
            ("stream_options", .noStreamOptions), ("parallel_tool_calls", .noParallelToolCalls),
            ("prompt_cache_key", .noPromptCacheKey), ("reasoning_content", .noReasoningContent),
            ("reasoning_details", .noReasoningContent), ("reasoning_effort", .noReasoning),
            ("chat_template_kwargs", .noReasoning), ("thinking_budget_tokens", .noReasoning),
            ("enable_thinking", .noReasoning), ("reasoning_format", .noReasoning),
            ("reasoning", text.contains("messages.") ? .noReasoningContent : .noReasoning),
            ("thinking", .noReasoning), ("json_schema", .noJSONSchema),
            ("response_format", .noJSONSchema), ("temperature", .noSampling),
            ("top_p", .noSampling), ("top_k", .noTopK), ("safety_identifier", .noUser),
            ("service_tier", .noServiceTier), ("strict", .noStrictTools), ("prefix", .noPrefix),
            ("continue_final_message", .noPrefix), ("stop", .noStop),
        ]
        // Too common a word to be looked for in a sentence.
        if named == "user" { return .noUser }
        if let named, let found = table.first(where: { $0.0 == named }) { return found.1 }
        return table.first { name, _ in isNamed(name, text) }?.1
    }

    /// Whether a text names a parameter rather than using its word: in quotes, behind a colon, or
    /// as a path like `messages.1.reasoning_content:`.
    private static func isNamed(_ name: String, _ text: String) -> Bool {
        if text.contains(": \(name)") || text.hasPrefix("\(name):") { return true }
        return text.ranges(of: name).contains { range in
            guard range.lowerBound > text.startIndex, range.upperBound < text.endIndex else {
                return false
            }
            let before = text[text.index(before: range.lowerBound)]
            let after = text[range.upperBound]
            return "'\"`.".contains(before)
                && ("'\"`".contains(after) || before == "." && after == ":")
        }
    }
}
