// More of what the operator may choose: strictness, roles, names, fences (translation 0.12 to 2.7).
import Foundation
import JSON
import Testing

@testable import Translation

private let user = #"{"role":"user","content":"hi"}"#

private func translator(
    _ dialect: Dialect, model: String, _ change: (inout RequestLimits) -> Void
) -> RequestTranslator {
    var limits = RequestLimits()
    change(&limits)
    return RequestTranslator(
        models: ModelMap(rules: [ModelRule(pattern: "m", model: model)]), dialect: dialect,
        limits: limits)
}

private func chat(
    _ more: String, _ dialect: Dialect = .generic, model: String = "u", messages: String = user,
    _ change: (inout RequestLimits) -> Void
) throws -> (text: String, plan: ExchangePlan) {
    let translated = try translator(dialect, model: model, change)
        .translate(request(messages, more), session: nil)
    guard case .upstream(let output, let plan) = translated else {
        throw APIError.invalid("answered without an upstream")
    }
    return (String(decoding: output.contiguous(), as: UTF8.self), plan)
}

@Suite struct ChoiceTests {
    // MARK: - As strict as Anthropic

    private static let document =
        #"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}}"#
    private static let cited =
        #"{"type":"text","text":"a","citations":[{"type":"char_location"}]}"#

    static let refusals: [(String, String, String?)] = [
        (#""max_tokens":9,"temperature":1,"messages":[\#(user)]"#, "2026-10-21", "temperature"),
        (#""max_tokens":9,"top_p":1,"messages":[\#(user)]"#, "2026-11-02", "top_p"),
        (#""max_tokens":9,"top_k":1,"messages":[\#(user)]"#, "2026-10-21", "top_k"),
        (#""max_tokens":9,"temperature":1,"messages":[\#(user)]"#, "2023-06-01", nil),
        (#""max_tokens":9,"temperature":null,"messages":[\#(user)]"#, "2026-10-21", nil),
        (#""messages":[\#(user)]"#, "2023-06-01", "max_tokens: Field required"),
        (
            #""max_tokens":9,"messages":[\#(user),{"role":"assistant","content":[\#(document)]}]"#,
            "2026-10-21", "messages.1.content.0"
        ),
        (
            #""max_tokens":9,"messages":[{"role":"user","content":[\#(document)]}]"#,
            "2026-10-21", nil
        ),
        (
            #""max_tokens":9,"messages":[{"role":"user","content":[\#(cited)]}]"#, "2026-10-21",
            "messages.0.content.0.citations"
        ),
        (
            #""max_tokens":9,"messages":[\#(user),{"role":"assistant","content":[\#(cited)]}]"#,
            "2026-10-21", nil
        ),
    ]

    @Test(arguments: refusals)
    func whatAnthropicRefusesCanBeRefusedHere(
        members: String, version: String, named: String?
    ) throws {
        let body = Array(#"{"model":"m",\#(members)}"#.utf8)
        func translate(strict: Bool, _ version: String?) throws {
            _ = try translator(.generic, model: "u") { $0.refusesAsAnthropic = strict }
                .translate(body, session: nil, version: version)
        }
        // Nobody refuses it unasked, or of a client that does not name a version.
        try translate(strict: false, version)
        if named != "max_tokens: Field required" { try translate(strict: true, nil) }
        guard let named else { return try translate(strict: true, version) }
        let error = #expect(throws: APIError.self) { try translate(strict: true, version) }
        #expect(error?.status == 400 && error?.message.hasPrefix(named) == true)
    }

    // MARK: - Roles

    @Test(arguments: [
        (Dialect.openai, "o3", "developer"), (.azure, "gpt-5.2", "developer"),
        (.openai, "gpt-4o", "system"), (.vllm, "o3", "system"),
    ])
    func reasoningModelsCanGetTheRoleDeveloper(
        dialect: Dialect, model: String, role: String
    ) throws {
        let entry = #"{"role":"system","content":"e"}"#
        let system = #","system":"s""#
        let sent = try chat(system, dialect, model: model, messages: "\(user),\(entry)") {
            $0.usesDeveloperRole = true
        }
        #expect(sent.text.contains(#"{"role":"\#(role)","content":"s"}"#))
        let unset = try chat(system, dialect, model: model) { _ in }
        #expect(unset.text.contains(#"{"role":"system","content":"s"}"#))
    }

    // MARK: - Tools

    @Test func aReservedNameIsAnotherUpstreamEverywhere() throws {
        let tool = #"{"name":"python","input_schema":{"type":"object","properties":{}}}"#
        let call = #"{"type":"tool_use","id":"t1","name":"python","input":{}}"#
        let result = #"{"type":"tool_result","tool_use_id":"t1","content":"1"}"#
        let messages = #"""
            \#(user),{"role":"assistant","content":[\#(call)]},\#
            {"role":"user","content":[\#(result)]}
            """#
        let more = #","tools":[\#(tool)],"tool_choice":{"type":"tool","name":"python"}"#
        let (text, plan) = try chat(more, messages: messages) {
            $0.reservedToolNames = ["python", "browser"]
        }
        #expect(!text.contains(#""name":"python""#))
        let alias = plan.toolNames.upstreamName(of: "python")
        #expect(text.components(separatedBy: #""name":"\#(alias)""#).count == 4)
        #expect(plan.toolNames.original(of: alias) == "python")
        #expect(try chat(more) { _ in }.text.contains(#""name":"python""#))
    }

    @Test func examplesOfInputAreToldOrCounted() throws {
        let example = #"{"a":1.10,"b":"\u00e9"}"#
        let tool = #"""
            {"name":"f","description":"d","input_schema":{"type":"object","properties":{}},\#
            "input_examples":[\#(example),{"a":2}]}
            """#
        let told = try chat(#","tools":[\#(tool)]"#) { $0.showsInputExamples = true }
        let lines = #"d\n\nExamples of its input:\n{\"a\":1.10,\"b\":\"\\u00e9\"}\n{\"a\":2}"#
        #expect(told.text.contains(#""description":"\#(lines)""#))
        #expect(told.plan.losses.isEmpty)
        let dropped = try chat(#","tools":[\#(tool)]"#) { _ in }
        #expect(dropped.text.contains(#""description":"d","parameters""#))
        #expect(dropped.plan.losses == ["input_examples"])
    }

    // MARK: - Reasoning

    @Test func reasoningMayGoBackOnlyWithinAUsersTurn() throws {
        func thought(_ text: String) -> String {
            #"{"type":"thinking","thinking":"\#(text)","signature":""}"#
        }
        let messages = #"""
            \#(user),\#
            {"role":"assistant","content":[\#(thought("old")),{"type":"text","text":"x"}]},\#
            {"role":"user","content":"more"},\#
            {"role":"assistant","content":[\#(thought("new")),\#
            {"type":"tool_use","id":"t1","name":"f","input":{}}]},\#
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]}
            """#
        let all = try chat("", .vllm, messages: messages) { _ in }.text
        #expect(all.contains(#""reasoning_content":"old""#))
        let turn = try chat("", .vllm, messages: messages) { $0.replaysThisTurnAlone = true }.text
        #expect(!turn.contains("old") && turn.contains(#""reasoning_content":"new""#))
    }

    // MARK: - Fences

    static let texts: [(String, String)] = [
        ("```json\n{\"a\":1}\n```", #"{"a":1}"#), ("  ```\n[1]\n```\n", "[1]"),
        ("```json\r\n{\"a\":\r\n1}\r\n```", "{\"a\":\r\n1}"),
        (#"{"a":1}"#, #"{"a":1}"#), ("```json\nnot JSON\n```", "```json\nnot JSON\n```"),
        ("```json\n{}\n``` done", "```json\n{}\n``` done"), ("``", "``"), ("``x", "``x"),
        ("Here:\n```\n{}\n```", "Here:\n```\n{}\n```"), ("```{}```", "```{}```"), ("```", "```"),
    ]

    @Test(arguments: texts)
    func aFenceAroundJSONIsTakenOffWhereJSONWasAskedFor(text: String, expected: String) throws {
        let format = #","output_config":{"format":{"type":"json_schema","schema":{}}}"#
        let set = try chat(format) { $0.answers.stripsFences = true }.plan
        #expect(try answers(text, set).allSatisfy { $0 == expected })
        // Neither unasked nor by default.
        let unasked = try chat("") { $0.answers.stripsFences = true }.plan
        #expect(try answers(text, unasked).allSatisfy { $0 == text })
        let unset = try chat(format) { _ in }.plan
        #expect(try answers(text, unset).allSatisfy { $0 == text })
    }

    @Test func aFenceIsTakenOffBeforeAStopSequence() throws {
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        plan.stripsFences = true
        plan.stopSequences = ["END"]
        #expect(try answers("```\n{}\n```END more", plan).allSatisfy { $0 == "{}" })
    }

    /// The text of the answer whole, and as a stream in pieces of every size.
    private func answers(_ text: String, _ plan: ExchangePlan) throws -> [String] {
        func json(_ text: String) throws -> String {
            String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        }
        let message =
            #"{"choices":[{"message":{"content":\#(try json(text))},"finish_reason":"stop"}]}"#
        var mint = IdentifierMint(seed: (1, 2))
        let whole = try MessageTranslator(plan: plan)
            .translate(completion: Array(message.utf8), mint: &mint).body
        var all = [try Answer(message: whole).text]
        for size in [1, 2, 5, 100] {
            var stream = StreamTranslator(
                plan: plan, messageID: "msg_1", requestID: "req_1", mint: mint)
            var events: [UInt8] = []
            let characters = Array(text)
            for start in stride(from: 0, to: characters.count, by: size) {
                let piece = String(characters[start..<min(start + size, characters.count)])
                let delta = #"{"index":0,"delta":{"content":\#(try json(piece))}}"#
                stream.feed(Array("data: {\"choices\":[\(delta)]}\n\n".utf8), into: &events)
            }
            let end = #"{"index":0,"delta":{},"finish_reason":"stop"}"#
            stream.feed(Array("data: {\"choices\":[\(end)]}\n\n".utf8), into: &events)
            stream.feed(Array("data: [DONE]\n\n".utf8), into: &events)
            all.append(try Answer(events: events).text)
        }
        return all
    }
}

extension Answer {
    /// The text of its one block.
    fileprivate var text: String {
        blocks.count == 1 ? String(blocks[0].dropFirst("text  ".count)) : "\(blocks)"
    }
}
