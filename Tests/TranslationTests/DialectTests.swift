// Dialects: which one a server speaks, and what an operator changes.
import Foundation
import JSON
import Testing

@testable import Translation

private let user = #"{"role":"user","content":"hi"}"#

@Suite struct DialectTests {
    @Test(arguments: [
        ("https://api.openai.com/v1", "openai"), ("https://x.openai.azure.com", "azure"),
        ("https://x.services.ai.azure.com/models", "azure"),
        ("https://openrouter.ai/api/v1", "openrouter"), ("https://api.deepseek.com", "deepseek"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini"),
        ("https://api.groq.com/openai/v1", "groq"), ("https://api.mistral.ai/v1", "mistral"),
        ("https://api.moonshot.cn/v1", "kimi"), ("https://api.z.ai/api/paas/v4", "glm"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen"),
        ("http://localhost:11434/v1", "ollama"), ("http://h:1234/v1", "lmstudio"),
        ("http://h:30000", "sglang"), ("http://vllm:8000/v1", "generic"),
        ("https://gateway.example/api.openai.com/v1", "generic"),
        ("https://notopenrouter.ai/v1", "generic"), ("h:11434", "ollama"),
    ])
    func aServerIsKnownByItsAddress(url: String, dialect: String) {
        #expect(Dialect.detect(baseURL: url).name == dialect)
    }

    @Test(arguments: [
        ("gpt-5.6", "openai"), ("o3-mini", "openai"), ("deepseek-chat", "deepseek"),
        ("kimi-k2-thinking", "kimi"), ("glm-4.7", "glm"), ("mistral-large-latest", "mistral"),
        ("gemini-3-pro", "gemini"), ("gpt-4", "generic"), ("Qwen/Qwen3-8B", "generic"),
    ])
    func behindAnUnknownAddressTheModelTells(model: String, dialect: String) {
        #expect(Dialect.detect(baseURL: "http://h/v1").refined(for: model).name == dialect)
        #expect(Dialect.generic.refined(for: model).name == "generic")
        #expect(Dialect.vllm.refined(for: model).name == "vllm")
    }

    @Test(arguments: [
        ("https://api.deepseek.com", Dialect.Prefill.emulated),
        ("https://api.deepseek.com/beta", .prefix), ("https://api.deepseek.com/beta/v1/", .prefix),
        ("https://beta.example/beta", .emulated),
    ])
    func deepSeekTakesAPrefixWhereItIsBeta(url: String, prefill: Dialect.Prefill) {
        #expect(Dialect.detect(baseURL: url).prefill == prefill)
    }

    @Test func namesAreUnique() {
        #expect(Set(Dialect.all.map(\.name)).count == Dialect.all.count)
        for dialect in Dialect.all { #expect(Dialect.named(dialect.name) == dialect) }
    }

    @Test func modelsThatReadIdsGetTheirs() {
        #expect(Dialect.vllm.refined(for: "moonshotai/Kimi-K2").toolIDs == .functionsAndNumber)
        #expect(Dialect.vllm.refined(for: "mistralai/Devstral").toolIDs == .nineAlphanumerics)
        #expect(Dialect.vllm.refined(for: "Qwen/Qwen3-8B").toolIDs == .atMost40)
    }

    @Test func tokenLimitsKeepTheirBounds() throws {
        var limits = RequestLimits()
        (limits.minTokens, limits.maxTokens) = (3, 4)
        let (chat, plan) = try translate(request(user), limits: limits)
        #expect(chat.contains(#""max_completion_tokens":4"#) && plan.repairs == ["max_tokens"])
        limits.usesMaxCompletionTokens = false
        #expect(try translate(request(user), limits: limits).chat.contains(#""max_tokens":4"#))
    }

    @Test(arguments: [
        (Dialect.SystemEntries.preserve, #"\#(user),{"role":"system","content":"s"}"#),
        (.fold, #"{"role":"user","content":"hi\n\n<system-reminder>\ns\n</system-reminder>"}"#),
        (.hoist, #"{"role":"system","content":"s"},\#(user)"#),
    ])
    func theOperatorPlacesSystemEntries(place: Dialect.SystemEntries, expected: String) throws {
        var limits = RequestLimits()
        limits.systemEntries = place
        let body = request(user + #",{"role":"system","content":"s"}"#)
        #expect(
            try translate(body, limits: limits).chat.contains(#""messages":[\#(expected)]"#))
    }

    @Test func aPrefillCanBeRefused() {
        var limits = RequestLimits()
        limits.refusesPrefill = true
        let body = request(user + #",{"role":"assistant","content":"{"}"#)
        #expect(throws: APIError.self) { try translate(body, limits: limits) }
    }

    @Test func anEmulatedPrefillIsCutFromTheAnswer() throws {
        let body = request(user + #",{"role":"assistant","content":"{ \"a\":"}"#)
        #expect(try translate(body).plan.prefill == #"{ "a":"#)
        #expect(try translate(body, dialect: .vllm).plan.prefill == nil)
        // llama.cpp repeats it in an answer in one piece, and only there.
        #expect(try translate(body, dialect: .llamacpp).plan.prefill == #"{ "a":"#)
        let streamed = request(
            user + #",{"role":"assistant","content":"{ \"a\":"}"#, #","stream":true"#)
        #expect(try translate(streamed, dialect: .llamacpp).plan.prefill == nil)
    }

    @Test func reasoningCanStayHere() throws {
        var limits = RequestLimits()
        limits.keepsReasoning = true
        let body = request(
            user + #",{"role":"assistant","content":[{"type":"thinking","thinking":"t"},"#
                + #"{"type":"text","text":"a"}]},"# + user)
        #expect(try translate(body, dialect: .vllm).chat.contains("reasoning_content"))
        #expect(
            try !translate(body, dialect: .vllm, limits: limits).chat.contains("reasoning_content"))
    }

    @Test func deferredToolsCanBeOfferedAtOnce() throws {
        var limits = RequestLimits()
        limits.includesDeferredTools = true
        let body = request(user, #","tools":[{"name":"a"},{"name":"b","defer_loading":true}]"#)
        #expect(try !translate(body).chat.contains(#""name":"b""#))
        #expect(try translate(body, limits: limits).chat.contains(#""name":"b""#))
    }

    @Test func extraMembersTakeTheirPlace() throws {
        var limits = RequestLimits()
        limits.extraBody = ExtraBody(parsing: #"{"provider":{"order":["a"]},"max_tokens":7}"#)
        #expect(
            try translate(request(user), dialect: .vllm, limits: limits).chat
                == #"{"model":"m","messages":[\#(user)],"provider":{"order":["a"]},"max_tokens":7}"#
        )
        for text in ["", "[]", "{", "{} {}"] {
            #expect(ExtraBody(parsing: text) == nil)
        }
    }

    @Test func aUserIsToldAsADigestWhenAskedFor() throws {
        var limits = RequestLimits()
        let body = request(user, #","metadata":{"user_id":"somebody"}"#)
        #expect(try !translate(body).chat.contains("user\":\"u_"))
        limits.forwardsUser = true
        let (openai, _) = try translate(body, limits: limits)
        #expect(openai.contains(#""safety_identifier":"u_"#) && !openai.contains("somebody"))
        let (vllm, _) = try translate(body, dialect: .vllm, limits: limits)
        #expect(vllm.contains(#""user":"u_"#) && !vllm.contains("somebody"))
    }

    @Test func aSessionIsFoundInEveryFormOfItsName() throws {
        func key(_ userID: String, session: String? = nil) throws -> Substring? {
            let text = try JSONEncoder().encode(userID)
            let body = request(
                user, #","metadata":{"user_id":\#(String(decoding: text, as: UTF8.self))}"#)
            let translator = RequestTranslator(
                models: ModelMap(rules: []), dialect: .openai, limits: RequestLimits())
            guard
                case .upstream(let output, _) = try translator.translate(body, session: session)
            else { return nil }
            let chat = String(decoding: output.contiguous(), as: UTF8.self)
            #expect(!chat.contains("5e1c2b1e"))
            return chat.firstRange(of: "prompt_cache_key\":\"").map { chat[$0.upperBound...] }?
                .prefix { $0 != "\"" }
        }
        let session = "5e1c2b1e-1111-4222-8333-444455556666"
        let keys = [
            try key(#"{"device_id":"d","account_uuid":"","session_id":"\#(session)"}"#),
            try key("user_abc_account__session_\(session)"), try key("x", session: session),
        ]
        #expect(Set(keys).count == 1)
        #expect(keys[0]?.count == 32)
        #expect(try key("another") != keys[0])
    }

    @Test func aSearchIsLeftToTheUpstreamWhenAskedFor() throws {
        let tools =
            #","tools":[{"type":"web_search_20250305","name":"web_search"}],"#
            + #""tool_choice":{"type":"tool","name":"web_search"}"#
        var limits = RequestLimits()
        #expect(throws: APIError.self) {
            try translate(request(user, tools), dialect: .openrouter, limits: limits)
        }
        limits.webSearch = .upstream
        let (chat, plan) = try translate(
            request(user, tools), dialect: .openrouter, limits: limits)
        #expect(chat.hasSuffix(#""max_tokens":5,"plugins":[{"id":"web"}]}"#))
        #expect(plan.webSearchQuery == "hi" && plan.losses.isEmpty)
        // A server without a search of its own is not asked for one.
        #expect(throws: APIError.self) {
            try translate(request(user, tools), dialect: .vllm, limits: limits)
        }
        let search = Array(
            #"{"model":"gpt-4o-search-preview","messages":[\#(user)]\#(tools)}"#.utf8)
        #expect(try translate(search, limits: limits).chat.contains(#""web_search_options":{}"#))
    }

    @Test func aSearchCanBeLeftOut() throws {
        var limits = RequestLimits()
        limits.webSearch = .drop
        let tools = #","tools":[{"type":"web_search_20250305","name":"web_search"}]"#
        let (chat, plan) = try translate(request(user, tools), limits: limits)
        #expect(!chat.contains("tools") && plan.losses == ["web_search"])
    }

    @Test func strictRefusesWhatWouldBeLostAndNamesIt() {
        var limits = RequestLimits()
        limits.isStrict = true
        let error = APIError.invalid(
            "top_k: cannot be translated for this upstream; see DROP_UNSUPPORTED")
        #expect(throws: error) {
            try translate(request(user, #","top_k":3"#), limits: limits)
        }
        #expect(throws: Never.self) {
            try translate(request(user, #","top_k":3"#), dialect: .vllm, limits: limits)
        }
    }
}
