// Answers that come whole (translation 8.3).
import Foundation
import Testing

@testable import Translation

private func message(
    _ completion: String, _ change: (inout ExchangePlan) -> Void = { _ in }
) throws -> (body: [String: Any], translated: TranslatedMessage) {
    var plan = ExchangePlan(requestedModel: "m", upstreamModel: "u", isStream: false)
    change(&plan)
    var mint = IdentifierMint(seed: (1, 2))
    let translator = MessageTranslator(plan: plan)
    let translated = try translator.translate(completion: Array(completion.utf8), mint: &mint)
    let body = try JSONSerialization.jsonObject(with: Data(translated.body)) as? [String: Any]
    return (body ?? [:], translated)
}

private func answer(_ message: String, _ finish: String = "stop", _ more: String = "") -> String {
    #"{"choices":[{"index":0,"message":{\#(message)},"finish_reason":"\#(finish)"}]\#(more)}"#
}

private func call(_ arguments: String, id: String = "i", name: String = "f") -> String {
    let text = String(decoding: (try? JSONEncoder().encode(arguments)) ?? Data(), as: UTF8.self)
    return
        #""content":null,"tool_calls":[{"id":"\#(id)","function":{"#
        + #""name":"\#(name)","arguments":\#(text)}}]"#
}

private func blocks(_ body: [String: Any]) -> [[String: Any]] {
    body["content"] as? [[String: Any]] ?? []
}

@Suite struct MessageTests {
    @Test(arguments: [
        ("", "{}"), ("  ", "{}"), ("null", "{}"), (#"{"a":1}"#, #"{"a":1}"#),
        (#""{\"a\":1}""#, #"{"a":1}"#), (#"{"a":1}{"a":1}"#, #"{"a":1}"#),
        (#"{"a":1}}"#, #"{"a":1}"#),
        ("```json\n{\"a\":1}\n```", #"{"a":1}"#), ("{\"a\":\"x\ny\"}", #"{"a":"x\ny"}"#),
        ("[1]", #"{"value":[1]}"#), ("7", #"{"value":7}"#),
        (#"{"a":"#, #"{"_invalid_arguments":"{\"a\":"}"#),
    ])
    func argumentsBecomeAnObject(arguments: String, expected: String) {
        #expect(
            String(decoding: ToolArguments(Array(arguments.utf8)).object, as: UTF8.self) == expected
        )
    }

    @Test func aCallCutByTheTokenLimitIsLeftOut() throws {
        let (body, _) = try message(answer(call(#"{"a":"#), "length"))
        #expect(body["stop_reason"] as? String == "max_tokens")
        #expect(blocks(body).map { $0["type"] as? String } == ["text"])
    }

    @Test func contentDecidesAboutToolUse() throws {
        #expect(try message(answer(call("{}"))).body["stop_reason"] as? String == "tool_use")
        let text = #""content":"x""#
        #expect(
            try message(answer(text, "tool_calls")).body["stop_reason"] as? String == "end_turn")
    }

    @Test(arguments: ["functions.Bash:0", "", "used"])
    func idsThatCannotBeUsedAreMinted(id: String) throws {
        let (body, _) = try message(answer(call("{}", id: id))) { $0.usedToolIDs = ["used"] }
        let given = blocks(body).first?["id"] as? String ?? ""
        #expect(given.hasPrefix("toolu_") && given.count == 30)
    }

    @Test func aRefusalIsToldAsOne() throws {
        let (body, _) = try message(answer(#""content":null,"refusal":"I can't""#))
        #expect(body["stop_reason"] as? String == "refusal")
        #expect((body["stop_details"] as? [String: Any])?["explanation"] as? String == "I can't")
        #expect(blocks(body).first?["text"] as? String == "I can't")
    }

    @Test func cachedTokensAreSubtracted() throws {
        let usage =
            #","usage":{"prompt_tokens":1000,"completion_tokens":10,"prompt_tokens_details":"#
            + #"{"cached_tokens":900,"cache_write_tokens":50},"#
            + #""completion_tokens_details":{"reasoning_tokens":4}}"#
        let (_, translated) = try message(answer(#""content":"x""#, "stop", usage))
        var expected = Usage()
        expected.inputTokens = 50
        expected.cacheReadTokens = 900
        expected.cacheCreationTokens = 50
        expected.outputTokens = 10
        expected.thinkingTokens = 4
        #expect(translated.report.usage == expected)
    }

    @Test func reasoningShowsOnlyWhenAskedFor() throws {
        let text = #""content":"t","reasoning":"r","reasoning_content":"r""#
        #expect(blocks(try message(answer(text)).body).count == 1)
        let shown = blocks(try message(answer(text)) { $0.thinking = .shown }.body)
        #expect(shown.map { $0["type"] as? String } == ["thinking", "text"])
        #expect(shown.first?["thinking"] as? String == "r")
    }

    @Test func anEmptyAnswerHasAnEmptyTextBlock() throws {
        let only = blocks(try message(answer(#""content":"""#)).body)
        #expect(only.count == 1 && only.first?["text"] as? String == "")
    }

    @Test func aStopSequenceCutsTheText() throws {
        let (body, _) = try message(answer(#""content":"3</severity> because""#)) {
            $0.stopSequences = ["</severity>"]
        }
        #expect(blocks(body).first?["text"] as? String == "3")
        #expect(body["stop_sequence"] as? String == "</severity>")
    }

    @Test(arguments: [
        ("<html>", 502), (#"{"choices":[]}"#, 502), (#"{"error":{"message":"x","code":429}}"#, 429),
        ("data: {\"choices\":[]}\n\n", 502),
    ])
    func whatIsNoCompletionIsAnError(body: String, status: Int) {
        do {
            _ = try message(body)
            Issue.record("translated")
        } catch let error as APIError {
            #expect(error.status == status)
        } catch { Issue.record("\(error)") }
    }

    @Test func everyTruncationIsAnErrorAndNoCrash() {
        let whole = answer(call(#"{"a":1}"#), "tool_calls")
        for count in 0..<whole.utf8.count {
            #expect(throws: APIError.self) { try message(String(whole.prefix(count))) }
        }
    }
}

@Suite struct ErrorTests {
    private func translate(_ status: Int, _ body: String, header: String? = nil) -> APIError {
        UpstreamError.translate(
            status: status, header: { "\($0)" == "retry-after" ? header : nil },
            body: Array(body.utf8),
            ErrorContext(secret: "sk-secret-key", ownsKey: true, model: "m", path: "/v1/chat"))
    }

    @Test(
        arguments: [
            (
                "This model's maximum context length is 8192 tokens. However, "
                    + "your messages resulted in 9001 tokens",
                9001, 8192
            ),
            (
                "Input length (9001 tokens) exceeds the maximum allowed length (8192 tokens).",
                9001, 8192
            ),
            ("prompt too long; exceeded max context length by 4 tokens", nil, nil),
            (
                "the input token count (9001) exceeds the maximum number of tokens allowed (8192).",
                9001, 8192
            ),
        ] as [(String, Int?, Int?)])
    func overflowsAreToldInKnownWords(text: String, input: Int?, limit: Int?) {
        let error = translate(400, #"{"error":{"message":"\#(text)"}}"#)
        #expect(error.kind == .invalidRequest && error.label == .contextOverflow)
        let start = input.flatMap { input in
            limit.map { "prompt is too long: \(input) tokens > \($0) maximum" }
        }
        #expect(error.message.hasPrefix(start ?? "prompt is too long: "))
    }

    @Test func tooMuchOutputIsToldApart() {
        let text =
            "This model's maximum context length is 131072 tokens. However, "
            + "you requested 163072 tokens "
            + "(35072 in the messages, 128000 in the completion)."
        #expect(
            translate(400, #"{"error":{"message":"\#(text)"}}"#).message
                .hasPrefix(
                    "input length and `max_tokens` exceed context limit: 35072 + 128000 > 131072"))
    }

    @Test(arguments: [
        (#"{"error":{"message":"a"}}"#, "a"), (#"{"error":"b"}"#, "b"), (#"{"message":"c"}"#, "c"),
        (#"{"detail":"d"}"#, "d"), (#"{"detail":[{"msg":"e"}]}"#, "e"),
        (#"[{"error":{"message":"f"}}]"#, "f"),
        (#"{"error":{"message":"x","metadata":{"raw":"{\"error\":{\"message\":\"g\"}}"}}}"#, "g"),
        ("<html><body><h1>Bad</h1> thing</body></html>", "Bad thing"),
        ("", "upstream answered 400"),
        (#"{"error":{"message":"key sk-secret-key!"}}"#, "key ***!"),
    ])
    func theWordsAreFoundWhereverTheyStand(body: String, message: String) {
        #expect(translate(400, body).message == message)
    }

    @Test(arguments: [
        (401, 502), (402, 402), (403, 403), (408, 504), (409, 409), (413, 413), (422, 400),
        (429, 429),
        (500, 500), (502, 502), (503, 529), (504, 504), (524, 504), (520, 502), (529, 529),
        (302, 502),
    ])
    func everyStatusHasItsPlace(status: Int, expected: Int) {
        #expect(translate(status, #"{"error":{"message":"x"}}"#).status == expected)
    }

    @Test func retryAfterIsRoundedUp() {
        #expect(translate(429, "{}", header: "2.3").retryAfterSeconds == 3)
        #expect(
            translate(429, #"{"error":{"message":"Please try again in 1.5s."}}"#).retryAfterSeconds
                == 2)
        #expect(RetryAfter.span("6m0s") == 360)
        #expect(RetryAfter.span("250ms") == 1)
    }
}
