// Answers that come whole (translation 8.3).
import Foundation
import Testing

@testable import Translation

private func message(
    _ completion: String, _ change: (ExchangePlan) -> Void = { _ in }
) throws -> (body: [String: Any], translated: TranslatedMessage) {
    let plan = ExchangePlan(requestedModel: "m", upstreamModel: "u", isStream: false)
    change(plan)
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
