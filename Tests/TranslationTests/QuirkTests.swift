// What is learned from refusals, and what it changes (translation 0.9).
import Foundation
import JSON
import Testing

@testable import Translation

private let user = #"{"role":"user","content":"hi"}"#

/// A refusal in the shape of OpenAI's.
private func refusal(_ message: String, _ param: String? = nil) throws -> [UInt8] {
    let error: [String: Any] = ["message": message, "param": param ?? NSNull()]
    return Array(try JSONSerialization.data(withJSONObject: ["error": error]))
}

private func chat(
    _ body: [UInt8], _ dialect: Dialect, _ quirks: Set<Quirk>
) throws -> (chat: String, plan: ExchangePlan) {
    let translator = RequestTranslator(
        models: ModelMap(rules: []), dialect: dialect, limits: RequestLimits())
    let translated = try translator.translate(body, session: "s") { _ in quirks }
    guard case .upstream(let output, let plan) = translated else {
        throw APIError.invalid("answered without an upstream")
    }
    return (String(decoding: output.contiguous(), as: UTF8.self), plan)
}

@Suite struct QuirkTests {
    @Test(
        arguments: [
            // OpenAI
            (
                "Function tools with reasoning_effort are not supported for gpt-5.6-terra in "
                    + "/v1/chat/completions. To use function tools, use /v1/responses or set "
                    + "reasoning_effort to 'none'.", nil, .effortNone
            ),
            (
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                    + "Use 'max_completion_tokens' instead.", "max_tokens", .maxCompletionTokens
            ),
            (
                "Unsupported value: 'temperature' does not support 0.7 with this model. "
                    + "Only the default (1) value is supported.", "temperature", .noSampling
            ),
            (
                "Unsupported parameter: 'stop' is not supported with this model.", "stop", .noStop
            ),
            (
                "Unsupported value: 'reasoning_effort' does not support 'max' with this model. "
                    + "Supported values are: 'none', 'low', 'medium', and 'high'.",
                "reasoning_effort", .noEffort(.max)
            ),
            (
                "Unsupported value: 'none' is not supported with the 'gpt-6-astra' model. "
                    + "Supported values are: 'low', 'medium', and 'high'.", "reasoning_effort",
                .noEffort(.none)
            ),
            (
                "Unrecognized request argument supplied: reasoning_effort", nil, .noReasoning
            ),
            (
                "max_tokens is too large: 128000. This model supports at most 16384 completion "
                    + "tokens, whereas you provided 128000.", "max_tokens", .outputLimit(16384)
            ),
            (
                "Invalid 'max_output_tokens': integer below minimum value. "
                    + "Expected a value >= 16, but got 1 instead.", "max_output_tokens",
                .outputMinimum(16)
            ),
            (
                "Invalid content type. image_url is only supported by certain models.",
                "messages.[1].content.[0].type", .noImages
            ),
            (
                "Invalid 'tools[0].function.description': string too long. Expected a string with "
                    + "maximum length 1024, but instead got a string with length 2345 instead.",
                "tools[0].function.description", .shortDescriptions
            ),
            ("Unknown parameter: 'prompt_cache_key'.", "prompt_cache_key", .noPromptCacheKey),
            (
                "This model's maximum context length is 131072 tokens. However, you requested "
                    + "163072 tokens (35072 in the messages, 128000 in the completion).",
                "messages", .room(95936)
            ),
            // DeepSeek
            (
                "The reasoning_content in the thinking mode must be passed back to the API.", nil,
                .reasoningContent
            ),
            ("This response_format type is unavailable now", nil, .noJSONSchema),
            ("deepseek-reasoner does not support this tool_choice", nil, .noNamedChoice),
            (
                "Failed to deserialize the JSON body into the target type: messages[2]: content: "
                    + "invalid type: null, expected a string", nil, .emptyContent
            ),
            (
                "Failed to deserialize the JSON body into the target type: messages[0]: unknown "
                    + "variant `image_url`, expected `text`", nil, .noImages
            ),
            // Moonshot, Qwen
            (
                "tool_choice 'specified' is incompatible with thinking enabled", nil,
                .noNamedChoice
            ),
            (
                "The tool_choice parameter does not support being set to required or object in "
                    + "thinking mode", nil, .noRequiredChoice
            ),
            // Gemini
            (
                "Function call is missing a thought_signature in functionCall parts.", nil,
                .thoughtSignature
            ),
            // Groq, Mistral, vLLM and chat templates
            ("'parallel_tool_calls' is not supported by this model", nil, .noParallelToolCalls),
            ("Extra inputs are not permitted: stream_options", nil, .noStreamOptions),
            ("System message must be at the beginning.", nil, .foldedSystem),
            ("Unexpected role 'system' after role 'user'", nil, .foldedSystem),
            (
                "Conversation roles must alternate user/assistant/user/assistant/...", nil,
                .alternatingRoles
            ),
            ("At most 0 image(s) may be provided in one prompt.", nil, .noImages),
            (
                "Tool call id was toolu_1 but must be a-z, A-Z, 0-9, with a length of 9.", nil,
                .nineCharacterToolIDs
            ),
            // llama.cpp, Ollama, LM Studio
            ("Cannot use custom grammar constraints with tools.", nil, .noFormatBesideTools),
            ("failed to parse grammar", nil, .noPatterns),
            (
                "image input is not supported - hint: if this is unexpected, you may need to "
                    + "provide the mmproj", nil, .noImages
            ),
            ("'response_format.type' must be 'json_schema' or 'text'", nil, .noJSONObject),
            // Gateways to Bedrock and Anthropic
            (
                "The toolConfig field must be defined when using toolUse and toolResult content "
                    + "blocks.", nil, .toolsNeeded
            ),
            (
                "The text field in the ContentBlock object at messages.1.content.0 is blank.", nil,
                .nullContent
            ),
            ("No endpoints found that support image input", nil, .noImages),
            ("property 'reasoning_content' is unsupported", nil, .noReasoningContent),
            (
                "Additional properties are not allowed ('strict' was unexpected)", nil,
                .noStrictTools
            ),
        ] as [(String, String?, Quirk)])
    func aRefusalIsUnderstood(message: String, param: String?, quirk: Quirk) throws {
        #expect(Quirk.recognise(status: 400, body: try refusal(message, param)) == quirk)
    }

    @Test func templatesFailWith500AndEndpointsWith404() throws {
        let system = try refusal("System message must be at the beginning.")
        #expect(Quirk.recognise(status: 500, body: system) == .foldedSystem)
        let images = try refusal("No endpoints found that support image input")
        #expect(Quirk.recognise(status: 404, body: images) == .noImages)
    }

    @Test(arguments: [
        (400, "The model `x` does not exist"), (400, "Invalid API key"), (429, "Rate limit"),
        (400, "messages.0.role: Input should be 'user' or 'assistant'"),
        (500, "Unsupported parameter: 'stop'"), (404, "Unsupported parameter: 'stop'"),
        (
            400,
            "This model's maximum context length is 8192 tokens. However, your messages "
                + "resulted in 9001 tokens"
        ),
    ])
    func otherErrorsTeachNothing(status: Int, message: String) throws {
        #expect(Quirk.recognise(status: status, body: try refusal(message)) == nil)
        #expect(Quirk.recognise(status: status, body: Array(message.utf8)) == nil)
    }

    @Test func aSecondRefusalIsAboutSomethingElse() throws {
        let choice = try refusal("model does not support this tool_choice")
        #expect(
            Quirk.recognise(status: 400, body: choice, known: [.noNamedChoice])
                == .noRequiredChoice)
        // Tools without reasoning was the last that could be tried.
        let none = try refusal("Unsupported value: 'none'", "reasoning_effort")
        #expect(Quirk.recognise(status: 400, body: none, known: [.effortNone]) == nil)
    }

    @Test(arguments: [
        (Effort.max, [Effort.max], "xhigh"), (.max, [.max, .xhigh], "high"),
        (.high, [.high, .medium], "low"), (Effort.none, [Effort.none], "minimal"),
        (Effort.none, [Effort.none, .minimal], "low"),
    ])
    func effortsStepTowardsTheMiddle(asked: Effort, refused: [Effort], expected: String) throws {
        let level =
            asked == Effort.none
            ? #","thinking":{"type":"disabled"}"#
            : #","output_config":{"effort":"\#(asked.rawValue)"}"#
        let quirks = Set(refused.map { Quirk.noEffort($0) })
        let text = try chat(request(user, level), .ollama, quirks).chat
        #expect(text.contains(#""reasoning_effort":"\#(expected)""#))
    }

    /// A request with everything that may be refused.
    private static let rich = request(
        user + #",{"role":"assistant","content":[{"type":"thinking","thinking":"t"},"#
            + #"{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},"#
            + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","#
            + #""content":[{"type":"image","source":{"type":"base64","media_type":"image/png","#
            + #""data":"AAAA"}}]}]},{"role":"system","content":"s"}"#,
        #","temperature":0.5,"top_k":3,"stop_sequences":["x"],"stream":true,"#
            + #""tools":[{"name":"f","description":"\#(String(repeating: "d", count: 2000))","#
            + #""input_schema":{"type":"object","properties":{"a":{"type":"string","#
            + #""pattern":"^(?=x)"}}}},{"name":"g"}],"tool_choice":{"type":"tool","name":"f","#
            + #""disable_parallel_tool_use":true},"output_config":{"effort":"high","format":"#
            + #"{"type":"json_schema","schema":{"type":"object"}}}"#)

    @Test(
        arguments: [
            (.noStop, #""stop":["x"]"#, nil), (.noSampling, #""temperature":0.5"#, nil),
            (.noTopK, #""top_k":3"#, nil),
            (.noParallelToolCalls, #""parallel_tool_calls":false"#, nil),
            (.noStreamOptions, "stream_options", nil),
            (.noPromptCacheKey, "prompt_cache_key", nil),
            (.noReasoning, "reasoning_effort", nil),
            (.maxCompletionTokens, #""max_tokens":5"#, #""max_completion_tokens":5"#),
            (.outputLimit(3), #""max_tokens":5"#, #""max_tokens":3"#),
            (.outputMinimum(16), #""max_tokens":5"#, #""max_tokens":16"#),
            (.room(2), #""max_tokens":5"#, #""max_tokens":2"#),
            (.foldedSystem, #"{"role":"system","content":"s"}"#, "<system-reminder>"),
            (.noReasoningContent, "reasoning_content", nil),
            (.noNamedChoice, #""name":"g""#, #""tool_choice":"required""#),
            (.noRequiredChoice, "tool_choice", nil),
            (.noJSONSchema, #""type":"json_schema""#, #"{"type":"json_object"}"#),
            (.noJSONObject, "response_format", "It must match this JSON schema"),
            (.noFormatBesideTools, "response_format", "It must match this JSON schema"),
            (.nullContent, #""assistant","content":"""#, #""assistant","content":null"#),
            (.noImages, "image_url", "does not accept images"),
            (.nineCharacterToolIDs, "toolu_1", nil),
            (.shortDescriptions, String(repeating: "d", count: 1024), "…"),
            (.noPatterns, #""pattern""#, nil),
            (.effortNone, #""reasoning_effort":"high""#, #""reasoning_effort":"none""#),
        ] as [(Quirk, String, String?)])
    func whatIsRefusedGoes(quirk: Quirk, before: String, after: String?) throws {
        var dialect = Dialect.vllm
        dialect.wantsPromptCacheKey = true
        dialect.systemEntries = .preserve
        let first = try chat(Self.rich, dialect, []).chat
        let second = try chat(Self.rich, dialect, [quirk]).chat
        #expect(first.contains(before) && !second.contains(before))
        if let after { #expect(!first.contains(after) && second.contains(after)) }
    }

    @Test func whatIsMissingComes() throws {
        let calls = request(
            user + #",{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f"}]},"#
                + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}"#)
        #expect(try !chat(calls, .generic, []).chat.contains(#""tools""#))
        #expect(try chat(calls, .generic, [.toolsNeeded]).chat.contains(#""name":"no_tool""#))
        #expect(
            try chat(calls, .generic, [.reasoningContent]).chat
                .contains(#""reasoning_content":"""#))
        #expect(
            try chat(calls, .gemini, [.thoughtSignature]).chat
                .contains(#""thought_signature":"skip_thought_signature_validator""#))
        #expect(try chat(calls, .openai, [.emptyContent]).chat.contains(#""content":"""#))
    }

    @Test func aPictureThatWasJustSentIsNotDroppedInSilence() {
        let body = request(
            #"{"role":"user","content":[{"type":"image","source":{"type":"base64","#
                + #""media_type":"image/png","data":"AAAA"}}]}"#)
        #expect(throws: APIError.self) { try chat(body, .openai, [.noImages]) }
    }

    @Test func onlyRoomIsOfOneRequest() {
        #expect(Quirk.room(5).isPassing && !Quirk.outputLimit(5).isPassing)
        #expect(Quirk.noEffort(.max).name == "noMaxEffort" && Quirk.noStop.name == "noStop")
    }
}
