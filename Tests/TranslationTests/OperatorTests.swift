// What the operator may choose about requests and answers (translation 1.1, 1.3, 3.1).
import Foundation
import JSON
import Testing

@testable import Translation

private let user = #"{"role":"user","content":"hi"}"#

private func chat(
    _ more: String, model: String = "m", _ dialect: Dialect = .generic, quirks: Set<Quirk> = [],
    messages: String = user, _ change: (inout RequestLimits) -> Void
) throws -> (body: [String: Any], text: String, plan: ExchangePlan) {
    var limits = RequestLimits()
    change(&limits)
    let translator = RequestTranslator(
        models: ModelMap(rules: [ModelRule(pattern: "m", model: model)]), dialect: dialect,
        limits: limits)
    let translated = try translator.translate(request(messages, more), session: nil) { _ in quirks }
    guard case .upstream(let output, let plan) = translated else {
        throw APIError.invalid("answered without an upstream")
    }
    let bytes = output.contiguous()
    let object = try JSONSerialization.jsonObject(with: Data(bytes))
    return (
        try #require(object as? [String: Any]), String(decoding: bytes, as: UTF8.self), plan
    )
}

@Suite struct OperatorTests {
    // MARK: - Reasoning

    @Test(arguments: [
        ("", "none"), (#","thinking":{"type":"adaptive"}"#, nil),
        (#","output_config":{"effort":"low"}"#, "low"),
        (#","thinking":{"type":"enabled","budget_tokens":9000}"#, "high"),
    ])
    func thinkingCanBeOffWhereNobodyAsksForIt(asked: String, effort: String?) throws {
        let body = try chat(asked, model: "gpt-5", .openai) { $0.thinksUnasked = false }.body
        #expect(body["reasoning_effort"] as? String == effort)
    }

    @Test(arguments: [
        (ReasoningControl.Place.top, #""reasoning_effort":"low""#),
        (.object, #""reasoning":{"effort":"low"}"#),
    ])
    func anUnknownServerIsToldTheEffortWhereTheOperatorSays(
        place: ReasoningControl.Place, written: String
    ) throws {
        func text(_ level: String, _ quirks: Set<Quirk> = []) throws -> String {
            try chat(level, quirks: quirks) { $0.effortPlace = place }.text
        }
        #expect(try text(#","output_config":{"effort":"low"}"#).contains(written))
        #expect(try !text("").contains("effort"))
        // What the server refuses is still learned.
        #expect(
            try !text(#","output_config":{"effort":"low"}"#, [.noReasoning]).contains("effort"))
    }

    // MARK: - Strictness

    private typealias Change = @Sendable (inout RequestLimits) -> Void

    private static let thinksLittle: Change = { $0.reasoningEffort = "low" }
    private static let effort = #","output_config":{"effort":"low"}"#

    private static func tools(_ members: String, _ more: String = "") -> String {
        #","tools":[{"name":"f","input_schema":{}\#(members)}\#(more)]"#
    }

    @Test(
        arguments: [
            (
                effort, Dialect.generic, "m", ["EFFORT_FIELD", "REASONING_EFFORT"],
                [{ $0.effortPlace = .top }, thinksLittle]
            ),
            (effort, .kimi, "m", ["EFFORT_FIELD", "REASONING_EFFORT"], [thinksLittle]),
            (
                #","thinking":{"type":"disabled"}"#, .groq, "openai/gpt-oss-120b",
                ["REASONING_EFFORT"], [thinksLittle]
            ),
            (#","speed":"fast""#, .generic, "m", ["FAST_TIER"], [{ $0.fastTier = "priority" }]),
            (
                tools("", #",{"type":"web_search_20250305","name":"web_search"}"#), .openrouter,
                "m",
                ["WEB_SEARCH"], [{ $0.webSearch = .upstream }]
            ),
            (
                tools(#","input_examples":[{}]"#), .generic, "m", ["INPUT_EXAMPLES"],
                [{ $0.showsInputExamples = true }]
            ),
        ] as [(String, Dialect, String, [String], [Change])])
    private func aStrictRefusalNamesTheSettingsThatHelp(
        asked: String, dialect: Dialect, model: String, settings: [String], changes: [Change]
    ) throws {
        let error = #expect(throws: APIError.self) {
            try chat(asked, model: model, dialect) { $0.isStrict = true }
        }
        let named = (settings + ["DROP_UNSUPPORTED"]).joined(separator: ", ")
        #expect(error?.message.hasSuffix("for this upstream; see " + named) == true)
        for change in changes {
            #expect(throws: Never.self) {
                try chat(asked, model: model, dialect) {
                    $0.isStrict = true
                    change(&$0)
                }
            }
        }
    }

    // MARK: - Speed

    @Test func speedBecomesTheTierThatTheOperatorNames() throws {
        let fast = #","speed":"fast""#
        let kept = try chat(fast) { _ in }
        #expect(kept.body["service_tier"] == nil && kept.plan.losses == ["speed"])
        let sent = try chat(fast) { $0.fastTier = "priority" }
        #expect(sent.body["service_tier"] as? String == "priority" && sent.plan.losses.isEmpty)
        #expect(try chat(#","speed":"standard""#) { $0.fastTier = "priority" }.body.count == 3)
        let refused = try chat(fast, quirks: [.noServiceTier]) { $0.fastTier = "priority" }
        #expect(refused.body["service_tier"] == nil)
    }

    @Test(arguments: [
        ("priority", "fast"), ("fast", "fast"), ("default", "standard"), (nil, nil),
    ])
    func whoAsksForSpeedIsToldOfIt(tier: String?, speed: String?) throws {
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        let told = tier.map { #","service_tier":"\#($0)""# } ?? ""
        let body =
            #"{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]\#(told)}"#
        #expect(try !self.answer(body, plan).text.contains("speed"))
        plan.tellsSpeed = true
        let answer = try answer(body, plan)
        #expect(answer.usage["speed"] as? String == speed)
        let start = try #require(answer.events.first { $0["type"] as? String == "message_start" })
        let usage = (start["message"] as? [String: Any])?["usage"] as? [String: Any]
        #expect(usage?["speed"] as? String == speed)
    }

    // MARK: - Names

    @Test(arguments: [false, true])
    func theAnswerNamesTheClientsModelUnlessTheOperatorWantsTheUpstreams(echoes: Bool) throws {
        let plan = try chat("", model: "real") { $0.answers.showsUpstreamModel = echoes }.plan
        let name = echoes ? "real" : "m"
        let body = #"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}"#
        let answer = try answer(body, plan)
        #expect(answer.message["model"] as? String == name)
        let start = answer.events.first?["message"] as? [String: Any]
        #expect(start?["model"] as? String == name)
        let empty = String(decoding: SmallEndpoints.emptyMessage(plan, id: "i"), as: UTF8.self)
        #expect(empty.contains(#""model":"\#(name)""#))
    }

    // MARK: - Fields

    @Test func fieldsOfTheUpstreamPassWhereTheOperatorNamesThem() throws {
        let more = #","seed":0.10,"n":2,"temperature":0.50,"logprobs":null"#
        let kept = try chat(more) { _ in }
        #expect(kept.plan.losses == ["seed", "n"])
        let passed = try chat(more) { $0.passedFields = ["seed", "temperature", "logprobs"] }
        #expect(passed.text.hasSuffix(#","seed":0.10,"temperature":0.50,"logprobs":null}"#))
        #expect(passed.text.ranges(of: "temperature").count == 1)
        #expect(passed.plan.losses == ["n"])
        let own = try chat(more) {
            $0.passedFields = ["seed"]
            $0.extraBody = ExtraBody(parsing: #"{"seed":7}"#)
        }
        #expect(own.text.hasSuffix(#","seed":7}"#) && !own.text.contains("0.10"))
    }

    // MARK: - Cache breakpoints

    @Test(arguments: ["gpt-5.6", "gpt-5.6-terra", "gpt-5.10", "gpt-6-astra", "gpt-6.1-sol"])
    func newModelsOfOpenAIAreToldWhereToCache(model: String) throws {
        let mark = #","cache_control":{"type":"ephemeral"}"#
        func messages(_ first: String, _ second: String) -> String {
            #"{"role":"user","content":[{"type":"text","text":"a"\#(first)}]},"#
                + #"{"role":"assistant","content":"b"},"#
                + #"{"role":"user","content":[{"type":"text","text":"c"\#(second)}]}"#
        }
        func text(_ messages: String, isWanted: Bool = true) throws -> String {
            try chat("", model: model, .openai, messages: messages) {
                $0.marksCacheBreakpoints = isWanted
            }.text
        }
        let breakpoint = #","prompt_cache_breakpoint":{"mode":"explicit"}"#
        let marked = try text(messages(mark, mark))
        #expect(marked.ranges(of: breakpoint).count == 2 && !marked.contains("cache_control"))
        #expect(marked.contains(#"{"role":"assistant","content":"b"}"#))
        // A marker that moves changes nothing else.
        let moved = try text(messages("", mark))
        #expect(moved.ranges(of: breakpoint).count == 1)
        #expect(moved.replacing(breakpoint, with: "") == marked.replacing(breakpoint, with: ""))
        #expect(try !text(messages(mark, mark), isWanted: false).contains("prompt_cache_break"))
    }

    @Test(arguments: ["gpt-5", "gpt-5.5", "gpt-4o", "gpt-5-mini", "o3"])
    func olderModelsAreNot(model: String) throws {
        let part = #"{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}"#
        let body = try chat(
            "", model: model, .openai, messages: #"{"role":"user","content":[\#(part)]}"#
        ) { $0.marksCacheBreakpoints = true }
        #expect(body.text.contains(#""content":"a""#))
    }

    @Test func noMoreThanTheLastFourPlacesAreMarked() throws {
        let part = #"{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}"#
        let parts = Array(repeating: part, count: 6).joined(separator: ",")
        let body = try chat(
            "", model: "gpt-5.6", .openai, messages: #"{"role":"user","content":[\#(parts)]}"#
        ) { $0.marksCacheBreakpoints = true }
        let plain = #"{"type":"text","text":"a"}"#
        let marked = #"{"type":"text","text":"a","prompt_cache_breakpoint":{"mode":"explicit"}}"#
        let expected = [plain, plain, marked, marked, marked, marked].joined(separator: ",")
        #expect(body.text.contains(#""content":[\#(expected)]"#))
    }

    // MARK: - Answers

    private func answer(_ completion: String, _ plan: ExchangePlan) throws -> (
        message: [String: Any], usage: [String: Any], events: [[String: Any]], text: String
    ) {
        var mint = IdentifierMint(seed: (1, 2))
        let body = try MessageTranslator(plan: plan).translate(
            completion: Array(completion.utf8), mint: &mint
        ).body
        let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        let message = try #require(object)
        var translator = StreamTranslator(
            plan: plan, messageID: "msg_1", requestID: "req_1", mint: mint)
        var events: [UInt8] = []
        translator.feedCompletion(Array(completion.utf8), into: &events)
        let text = String(decoding: events, as: UTF8.self)
        let objects = try text.components(separatedBy: "\n\n").dropLast().map { event in
            let data = Data(event.components(separatedBy: "\ndata: ")[1].utf8)
            return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        }
        return (message, message["usage"] as? [String: Any] ?? [:], objects, text)
    }
}
