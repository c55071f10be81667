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

    @Test func contentDecidesAboutToolUse() throws {
        let text = #""content":"x""#
        let (body, translated) = try message(answer(text, "tool_calls"))
        #expect(body["stop_reason"] as? String == "end_turn")
        #expect(translated.report.repairs == ["finish_reason"])
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
            ErrorContext(secrets: ["sk-secret-key"], ownsKey: true, model: "m", path: "/v1/chat"))
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
