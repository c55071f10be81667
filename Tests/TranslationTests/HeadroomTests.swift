// Room to reason within for requests whose limit is meant for text (translation 1.1).
import Foundation
import JSON
import Testing

@testable import Translation

private func sent(
    _ more: String, _ dialect: Dialect = .generic, quirks: Set<Quirk> = [],
    _ change: (inout RequestLimits) -> Void = { _ in }
) throws -> (limit: Int?, plan: ExchangePlan) {
    var limits = RequestLimits()
    change(&limits)
    let translator = RequestTranslator(
        models: ModelMap(rules: []), dialect: dialect, limits: limits)
    let body = Array(
        #"{"model":"m","messages":[{"role":"user","content":"hi"}]\#(more)}"#.utf8)
    guard
        case .upstream(let output, let plan) = try translator.translate(
            body, session: nil, quirks: { _ in quirks })
    else { throw APIError.invalid("answered without an upstream") }
    let chat = try JSONSerialization.jsonObject(with: Data(output.contiguous()))
    return ((chat as? [String: Any])?["max_tokens"] as? Int, plan)
}

/// A plan of a request for so many tokens of text that the upstream was asked for more.
private func plan(_ tokens: Int?, lacksHeadroom: Bool = false) -> ExchangePlan {
    let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
    plan.textTokensMax = tokens
    plan.lacksHeadroom = lacksHeadroom
    return plan
}

private func completion(
    _ message: String, finish: String = "stop", _ usage: String = ""
) -> [UInt8] {
    Array(
        (#"{"choices":[{"index":0,"message":\#(message),"finish_reason":"\#(finish)"}]"#
            + (usage.isEmpty ? "" : #","usage":\#(usage)"#) + "}").utf8)
}

private func message(
    _ completion: [UInt8], _ plan: ExchangePlan
) throws -> (text: String, reason: String, output: Int, report: StreamReport) {
    var mint = IdentifierMint(seed: (1, 2))
    let translated = try MessageTranslator(plan: plan).translate(
        completion: completion, mint: &mint)
    let object = try #require(
        try JSONSerialization.jsonObject(with: Data(translated.body)) as? [String: Any])
    let blocks = object["content"] as? [[String: Any]] ?? []
    let usage = object["usage"] as? [String: Any]
    return (
        blocks.compactMap { $0["text"] as? String }.joined(),
        object["stop_reason"] as? String ?? "", usage?["output_tokens"] as? Int ?? -1,
        translated.report
    )
}

private func chunk(_ delta: String, finish: String? = nil) -> ArraySlice<UInt8> {
    let reason = finish.map { #""\#($0)""# } ?? "null"
    return ArraySlice(
        (#"data: {"choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(reason)}]}"# + "\n\n")
            .utf8)
}

private func text(_ run: StreamRun) -> String {
    run.lines.filter { $0.hasPrefix("delta 0 text ") }.map { $0.dropFirst(13) }.joined()
}

@Suite struct HeadroomTests {
    // MARK: - What is sent

    @Test(arguments: [
        (#","max_tokens":64"#, 2112, 64),
        (#","max_tokens":64,"thinking":{"type":"disabled"}"#, 2112, 64),
        (#","max_tokens":64,"thinking":{"type":"adaptive"}"#, 64, nil),
        (#","max_tokens":1"#, 1, nil),
        ("", nil, nil),
    ])
    func aModelThatReasonsUnaskedGetsRoomForIt(
        more: String, limit: Int?, ofText: Int?
    ) throws {
        let known = try sent(more, quirks: [.reasoningHeadroom])
        #expect(known.limit == limit && known.plan.textTokensMax == ofText)
        #expect(known.plan.repairs == (more.isEmpty ? ["max_tokens"] : []))
        #expect(!known.plan.lacksHeadroom)
        #expect(try sent(more).plan.textTokensMax == nil)
    }

    @Test func theOperatorsRoomHoldsFromTheStartAndHisCeilingForAll() throws {
        let ask = #","max_tokens":64"#
        #expect(try sent(ask) { $0.reasoningHeadroom = 100 }.limit == 164)
        let most = try sent(ask, quirks: [.reasoningHeadroom]) { $0.maxTokens = 1000 }
        #expect(most.limit == 1000 && most.plan.textTokensMax == 64)
        let full = try sent(ask, quirks: [.reasoningHeadroom, .outputLimit(64)])
        #expect(full.limit == 64 && full.plan.textTokensMax == nil)
        let huge = try sent(#","max_tokens":9223372036854775807"#, quirks: [.reasoningHeadroom])
        #expect(huge.limit == Int.max && huge.plan.textTokensMax == nil)
    }

    // MARK: - What teaches it

    private static let reasoned = #"{"content":"","reasoning_content":"Let me see"}"#
    private static let counted =
        #"{"prompt_tokens":5,"completion_tokens":64,"completion_tokens_details":"#
        + #"{"reasoning_tokens":64}}"#

    @Test(arguments: [
        (reasoned, "length", "", true),
        // Reasoning that is not shown is counted.
        (#"{"content":null}"#, "length", counted, true),
        (#"{"content":"<think>Let me"}"#, "length", "", true),
        (#"{"content":""}"#, "length", "", false),
        (reasoned, "stop", "", false),
        (#"{"content":"so","reasoning_content":"Let me see"}"#, "length", "", false),
        (
            #"{"reasoning":"r","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}"#,
            "length", "", false
        ),
    ])
    func anAnswerOfNothingButReasoningTeachesIt(
        message content: String, finish: String, usage: String, isStarved: Bool
    ) throws {
        let body = completion(content, finish: finish, usage)
        #expect(try message(body, plan(nil, lacksHeadroom: true)).report.isStarved == isStarved)
        #expect(try !message(body, plan(64)).report.isStarved)
        var translator = StreamTranslator(
            plan: plan(nil, lacksHeadroom: true), messageID: "m", requestID: "r",
            mint: IdentifierMint(seed: (1, 2)))
        var events: [UInt8] = []
        translator.feed(Array(chunk(content, finish: finish)), into: &events)
        if !usage.isEmpty {
            translator.feed(Array(#"data: {"choices":[],"usage":\#(usage)}"#.utf8), into: &events)
        }
        translator.finish(.endOfStream, into: &events)
        #expect(translator.report.isStarved == isStarved)
    }

    // MARK: - The cut

    @Test func aWholeAnswerIsCutByTheServersCount() throws {
        let words = "one two three four five six seven eight nine ten"
        let content = #"{"reasoning":"Hm.","content":"\#(words)"}"#
        func usage(_ output: Int, reasoning: Int) -> String {
            #"{"prompt_tokens":9,"completion_tokens":\#(output),"completion_tokens_details":"#
                + #"{"reasoning_tokens":\#(reasoning)}}"#
        }
        let whole = try message(completion(content, usage(110, reasoning: 100)), plan(10))
        #expect(whole.text == words && whole.reason == "end_turn" && whole.output == 110)
        let half = try message(completion(content, usage(110, reasoning: 100)), plan(5))
        #expect(words.hasPrefix(half.text) && (20...28).contains(half.text.count))
        // What the client pays is what was made.
        #expect(half.reason == "max_tokens" && half.output == 110)
    }

    @Test func aStreamIsCutByAnEstimate() {
        let limit = 50
        var run = StreamRun(plan: plan(limit))
        run.feed(chunk(#"{"reasoning_content":"Let me see."}"#))
        for _ in 0..<100 { run.feed(chunk(#"{"content":" word"}"#)) }
        run.feed(chunk("{}", finish: "stop"))
        run.end()
        #expect((limit...limit * 6 / 5).contains(text(run).count / 5))
        #expect(run.grammarError == nil)
        #expect(run.lines.contains { $0.hasPrefix("message_delta max_tokens 1 ") })
    }

    @Test func textThatFitsIsWholeAndEndsAsTheUpstreamSays() {
        var run = StreamRun(plan: plan(50))
        for _ in 0..<49 { run.feed(chunk(#"{"content":" word"}"#)) }
        run.feed(chunk("{}", finish: "stop"))
        run.end()
        #expect(text(run) == String(repeating: " word", count: 49))
        #expect(run.lines.contains { $0.hasPrefix("message_delta end_turn") })
    }

    /// Whatever the limit and wherever the text is cut, it is text: UTF-8, and the beginning.
    @Test(arguments: 1...12)
    func noCharacterIsCutInTwo(limit: Int) throws {
        let words = "Grüße 😀 中文 и другие 😀😀"
        let half = try message(completion(#"{"content":"\#(words)"}"#), plan(limit))
        #expect(words.hasPrefix(half.text) && !half.text.contains("\u{fffd}"))
        let counted =
            #"{"prompt_tokens":9,"completion_tokens":13,"completion_tokens_details":"#
            + #"{"reasoning_tokens":0}}"#
        let share = try message(completion(#"{"content":"\#(words)"}"#, counted), plan(limit))
        #expect(words.hasPrefix(share.text) && share.reason == "max_tokens")
    }

    @Test func aStopSequenceInFrontOfTheLimitWins() throws {
        let plan = plan(4)
        plan.stopSequences = ["STOP"]
        let content = "a b STOP c d e f g h i j k"
        let met = try message(completion(#"{"content":"\#(content)"}"#), plan)
        #expect(met.text == "a b " && met.reason == "stop_sequence")
        plan.stopSequences = ["k"]
        let cut = try message(completion(#"{"content":"\#(content)"}"#), plan)
        #expect(content.hasPrefix(cut.text) && cut.reason == "max_tokens")
    }

    /// Half a call is of no use to anybody, and the upstream's own limit holds for it.
    @Test func aCallIsNotCut() throws {
        let arguments = String(repeating: "word ", count: 40)
        let call =
            #"{"content":"Hm","tool_calls":[{"id":"a","function":{"name":"f","arguments":"#
            + #""{\"x\":\"\#(arguments)\"}"}}]}"#
        let answer = try message(completion(call, finish: "tool_calls"), plan(4))
        #expect(answer.reason == "tool_use" && answer.report.toolCallCount == 1)
    }
}
