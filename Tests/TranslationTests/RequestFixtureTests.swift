// Requests and what they become: one folder a case, named dialect, number, what it shows.
import Foundation
import JSON
import Testing

@testable import Translation

/// The folders of one kind of fixture, by name.
func fixtures(_ kind: String) -> [String] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/\(kind)")
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
}

/// The bytes of a file in a fixture's folder, without the line feed at its end.
func fixture(_ kind: String, _ name: String, _ file: String) throws -> [UInt8] {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/\(kind)/\(name)/\(file)")
    var bytes = Array(try Data(contentsOf: url))
    if bytes.last == 0x0a { bytes.removeLast() }
    return bytes
}

func translate(
    _ body: [UInt8], dialect: Dialect = .openai, limits: RequestLimits = RequestLimits()
) throws -> (chat: String, plan: ExchangePlan) {
    let translator = RequestTranslator(
        models: ModelMap(rules: []), dialect: dialect, limits: limits)
    guard case .upstream(let output, let plan) = try translator.translate(body, session: nil) else {
        throw APIError.invalid("answered without an upstream")
    }
    return (String(decoding: output.contiguous(), as: UTF8.self), plan)
}

/// A request with these messages (JSON) and further members (JSON, with a comma before them).
func request(_ messages: String, _ more: String = "") -> [UInt8] {
    Array(#"{"model":"m","max_tokens":5,"messages":[\#(messages)]\#(more)}"#.utf8)
}

@Suite struct RequestFixtureTests {
    /// `chat.json` is what goes upstream, or `error.txt` what the client is told; `counts.txt`, if
    /// there is one, has a line for everything that is counted as lost or mended.
    @Test(arguments: fixtures("request"))
    func aRequestBecomesWhatItsFolderSays(name: String) throws {
        let dialect = Dialect.named(String(name.prefix { $0 != "-" })) ?? .openai
        let body = try fixture("request", name, "request.json")
        func text(_ file: String) -> String? {
            (try? fixture("request", name, file)).map { String(decoding: $0, as: UTF8.self) }
        }
        if let message = text("error.txt") {
            #expect(throws: APIError.invalid(message)) { try translate(body, dialect: dialect) }
            return
        }
        let (chat, plan) = try translate(body, dialect: dialect)
        #expect(chat == text("chat.json"))
        guard let counts = text("counts.txt") else { return }
        let counted = plan.losses.map { "loss \($0)" } + plan.repairs.map { "repair \($0)" }
        #expect(counted == counts.split(separator: "\n").map(String.init))
    }

    @Test(arguments: [
        (#"{"model":"m","max_tokens":5}"#, "messages: Field required"),
        (#"{"messages":[]}"#, "model: Field required"),
        (#"{"model":"m","messages":[]}"#, "messages: at least one message is required"),
        (
            #"{"model":"m","messages":[{"role":"user"},{"role":"assistant","content":[{}]}]}"#,
            "messages: at least one message must have content"
        ),
        (
            #"{"model":"\#(String(repeating: "a", count: 257))","messages":[]}"#,
            "model: String should have at most 256 characters"
        ),
        (
            #"{"model":"m","messages":[{"role":"x","content":""}]}"#,
            "messages.0.role: unexpected role"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":"x"}],"thread":{"type":"create"}}"#,
            "thread is not supported by this gateway"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":"x"}],"#
                + #""tools":[{"type":"web_search_20250305","name":"web_search"}]}"#,
            "web_search is not available through this gateway"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":"x"}],"#
                + #""tools":[{"name":"f"}],"tool_choice":{"type":"tool","name":"g"}}"#,
            "tool_choice.name: tool not found"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"image","source":"#
                + #"{"type":"file","file_id":"f"}}]}]}"#,
            "image file sources are not supported"
        ),
    ])
    func whatCannotBeTranslatedIsRefused(body: String, message: String) {
        #expect(throws: APIError.invalid(message).withoutCode) {
            do { _ = try translate(Array(body.utf8)) } catch let error as APIError {
                throw error.withoutCode
            }
        }
    }

    @Test func everyTruncationOfARequestIsRefused() throws {
        let body = try fixture("request", "openai-M7-images-of-results-follow", "request.json")
        for count in 0..<body.count {
            #expect(throws: APIError.self) { try translate(Array(body[..<count])) }
        }
    }

    @Test func aLongToolNameIsTheSameEverywhereAndComesBack() throws {
        let name = "mcp__" + String(repeating: "server.", count: 12)
        let (chat, plan) = try translate(
            request(
                #"{"role":"user","content":"hi"},{"role":"assistant","content":[{"#
                    + #""type":"tool_use","id":"t","name":"\#(name)","input":{}}]}"#,
                #","tools":[{"name":"\#(name)"}],"tool_choice":{"type":"tool","name":"\#(name)"}"#))
        let alias = plan.toolNames.upstreamName(of: name)
        #expect(alias.utf8.count <= 64)
        #expect(chat.components(separatedBy: "\"\(alias)\"").count == 4)
        #expect(!chat.contains(name))
        #expect(plan.toolNames.original(of: alias) == name)
        for spelling in ["functions.\(alias)", alias.uppercased(), alias.lowercased()] {
            #expect(plan.toolNames.original(of: spelling) == name)
        }
    }

    @Test func longToolNamesThatBeginAlikeStayApart() throws {
        let names = ["a", "b"].map { String(repeating: "x", count: 70) + $0 }
        let tools = names.map { #"{"name":"\#($0)"}"# }.joined(separator: ",")
        let (_, plan) = try translate(
            request(#"{"role":"user","content":"hi"}"#, #","tools":[\#(tools)]"#))
        let aliases = names.map { plan.toolNames.upstreamName(of: $0) }
        #expect(aliases[0] != aliases[1] && aliases.allSatisfy { $0.utf8.count == 64 })
        #expect(aliases.map { plan.toolNames.original(of: $0) } == names)
    }

    @Test func movingCacheMarkersChangesNoByte() throws {
        func body(_ first: String, _ second: String) -> [UInt8] {
            request(
                #"{"role":"user","content":\#(first)},{"role":"assistant","content":"a"},"#
                    + #"{"role":"user","content":\#(second)}"#
            )
        }
        let marked = #"[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]"#
        let plain = try translate(body(#""x""#, #""x""#)).chat
        #expect(try translate(body(marked, #""x""#)).chat == plain)
        #expect(try translate(body(#""x""#, marked)).chat == plain)
    }

    @Test func tokenLimitsAreClamped() throws {
        var limits = RequestLimits()
        limits.maxTokens = 3
        #expect(
            try translate(request(#"{"role":"user","content":"x"}"#), limits: limits).chat
                .contains(#""max_completion_tokens":3"#))
        let unlimited = Array(#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#.utf8)
        #expect(
            try translate(unlimited, limits: limits).chat.contains(#""max_completion_tokens":3"#))
    }

    @Test(arguments: [(#""us""#, true), (#""global""#, false), ("null", false)])
    func aRegionIsRefusedWhereTheOperatorWantsThat(place: String, isRefused: Bool) throws {
        let body = request(
            #"{"role":"user","content":"x"}"#, #","inference_geo":\#(place)"#)
        #expect(try translate(body).plan.losses == (isRefused ? ["inference_geo"] : []))
        var limits = RequestLimits()
        limits.refusesInferenceGeo = true
        guard isRefused else { return _ = try translate(body, limits: limits) }
        let error = #expect(throws: APIError.self) { try translate(body, limits: limits) }
        #expect(error?.message.hasPrefix("inference_geo") == true)
    }

    @Test func withoutItsPlaceholderNothingIsDeferred() throws {
        var limits = RequestLimits()
        limits.includesDeferredTools = true
        let names = ["DeferredToolPlaceholder", "f"]
        let tools = names.map { #"{"name":"\#($0)","defer_loading":true}"# }
        let (chat, _) = try translate(
            request(
                #"{"role":"user","content":"x"}"#,
                #","tools":[\#(tools.joined(separator: ","))]"#), limits: limits)
        #expect(chat.contains(#""name":"f""#) && !chat.contains("Placeholder"))
    }

    @Test func aScreenIsCounted() throws {
        let (_, plan) = try translate(
            request(
                #"{"role":"user","content":"x"}"#,
                #","tools":[{"type":"computer_20250124","name":"computer"}]"#))
        #expect(plan.repairs == ["computer_tool"])
    }

    @Test(arguments: [
        ("https://h", "https://h/v1/chat/completions"),
        ("https://h/v1/", "https://h/v1/chat/completions"),
        ("https://h/api/v1", "https://h/api/v1/chat/completions"),
        ("https://h/v1beta/openai", "https://h/v1beta/openai/chat/completions"),
        ("https://h/x/chat/completions", "https://h/x/chat/completions"),
        ("https://h/v1?a=b", "https://h/v1/chat/completions?a=b"),
        ("http://openai", "http://openai/v1/chat/completions"),
    ])
    func baseURLsAreCompleted(base: String, url: String) {
        #expect(ChatEndpoint.url(base: base) == url)
    }

    @Test(arguments: [
        ("gpt-5", "gpt-5"), ("a/../b", "a%2F..%2Fb"), ("x?y#z %\r\n", "x%3Fy%23z%20%25%0D%0A"),
        ("ü{model}", "%C3%BC%7Bmodel%7D"),
    ])
    func aModelIsOneSegmentOfThePath(model: String, segment: String) {
        #expect(
            ChatEndpoint.url("https://h/d/{model}/c?v=1", for: model)
                == "https://h/d/\(segment)/c?v=1")
        #expect(ChatEndpoint.url("https://h/v1", for: model) == "https://h/v1")
    }

    @Test(arguments: [".", ".."]) func noModelLeadsToAnotherPath(model: String) {
        #expect(ChatEndpoint.url("https://h/d/{model}/c?v=1", for: model) == nil)
        #expect(ChatEndpoint.url("https://h/v1", for: model) == "https://h/v1")
    }

    @Test func modelsAreMappedExactFirstThenByPattern() {
        let map = ModelMap(rules: [
            ModelRule(pattern: "claude-*haiku*", model: "small"),
            ModelRule(pattern: "gpt-*", model: nil),
            ModelRule(pattern: "claude-3-haiku", model: "exact"),
            ModelRule(pattern: "*", model: "big"),
        ])
        #expect(map.resolve("claude-3-haiku") == "exact")
        #expect(map.resolve("claude-haiku-4-5[1m]") == "small")
        #expect(map.resolve("gpt-4") == "gpt-4")
        #expect(map.resolve("anything") == "big")
    }

    @Test(arguments: [
        ("", "", true), ("*", "", true), ("**", "ab", true), ("a*", "a", true), ("*b", "aab", true),
        ("a*b*c", "a.b.b.c", true), ("a*b*c", "a.b.b", false), ("*ab*", "aab", true),
        ("*ab", "aba", false), ("a", "", false), ("", "a", false), ("a*a", "a", false),
    ])
    func aStarStandsForAnyCharacters(pattern: String, name: String, fits: Bool) {
        let map = ModelMap(rules: [ModelRule(pattern: pattern, model: "yes")])
        #expect((map.resolve(name) == "yes") == fits)
    }

    @Test func aNameCannotMakeAPatternSlow() {
        let pattern = String(repeating: "*a", count: 30) + "*b"
        let map = ModelMap(rules: [ModelRule(pattern: pattern, model: "yes")])
        let name = String(repeating: "a", count: 256)
        let time = ContinuousClock().measure { #expect(map.resolve(name) == name) }
        #expect(time < .seconds(2))
    }
}

extension APIError {
    fileprivate var withoutCode: APIError {
        var error = self
        error.code = nil
        return error
    }
}
