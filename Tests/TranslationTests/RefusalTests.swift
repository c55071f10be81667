// Refusals in the words and shapes of servers that were seen to use them (translation 0.9).
import JSON
import Testing

@testable import Translation

private func recognise(_ body: String, status: Int = 400, known: Set<Quirk> = []) -> Quirk? {
    Quirk.recognise(status: status, body: Array(body.utf8), known: known)
}

private func said(_ text: String) -> String { #"{"error":{"message":"\#(text)"}}"# }

/// What FastAPI answers with when pydantic finds a field too many.
private func extra(_ place: String) -> String {
    #"{"detail":[{"type":"extra_forbidden","loc":["body",\#(place)],"#
        + #""msg":"Extra inputs are not permitted","input":"x"}]}"#
}

@Suite struct RefusalTests {
    @Test(arguments: [
        // Databricks; Cerebras; Mistral; a server of FastAPI's; vLLM, where it is Python in JSON.
        said("messages.1.reasoning_content: Extra inputs are not permitted"),
        said(
            "messages.2.assistant.reasoning_content: property "
                + "'messages.2.assistant.reasoning_content' is unsupported"),
        #"{"object":"error","message":"# + extra(#""messages",1,"reasoning_content""#) + "}",
        extra(#""messages",1,"assistant","reasoning_content""#),
        // The name that newer vLLM has for it, and a parameter of the same name.
        extra(#""messages",1,"reasoning""#),
        said("messages.1.reasoning: Extra inputs are not permitted"),
        said(
            "[{'type': 'extra_forbidden', 'loc': ('body', 'messages', 1, 'reasoning_content'), "
                + "'msg': 'Extra inputs are not permitted'}]"),
    ])
    func reasoningThatIsRefusedStaysAway(body: String) {
        #expect(recognise(body) == .noReasoningContent)
        #expect(recognise(body, status: 422) == .noReasoningContent)
    }

    @Test(
        arguments: [
            (extra(#""prompt_cache_key""#), .noPromptCacheKey), (extra(#""top_k""#), .noTopK),
            (extra(#""user""#), .noUser), (extra(#""reasoning""#), .noReasoning),
            (said("reasoning_format: Extra inputs are not permitted"), .noReasoning),
            (extra(#""tools",0,"function","strict""#), .noStrictTools),
            (said("top_k: Extra inputs are not permitted"), .noTopK),
            (extra(#""messages",0,"name""#), nil), (extra("0"), nil),
        ] as [(String, Quirk?)])
    func fieldsAreNamedByTheirPlace(body: String, quirk: Quirk?) {
        #expect(recognise(body, status: 422) == quirk)
    }

    @Test(arguments: [
        "Bedrock doesn't support tool calling without `tools=` param specified. Pass `tools=` "
            + "param OR set `litellm.modify_params = True`",
        "Anthropic expects the tools= param",
    ])
    func callsWithoutToolsNeedOne(text: String) { #expect(recognise(said(text)) == .toolsNeeded) }

    @Test(
        arguments: [
            // Ollama; vLLM; FastAPI; pydantic's own words.
            (
                said(
                    #"invalid reasoning value: 'xhigh' (must be \"high\", \"medium\", \"low\", "#
                        + #"or \"none\")"#), .noEffort(.xhigh)
            ),
            (
                said(
                    "[{'type': 'literal_error', 'loc': ('body', 'reasoning_effort'), 'msg': "
                        + "'Input should be 'low', 'medium' or 'high'', 'input': 'max'}]"),
                .noEffort(.max)
            ),
            (
                #"{"detail":[{"type":"literal_error","loc":["body","reasoning_effort"],"#
                    + #""msg":"Input should be 'low', 'medium' or 'high'","input":"xhigh"}]}"#,
                .noEffort(.xhigh)
            ),
            (
                said(
                    "reasoning_effort: Input should be 'low', 'medium' or 'high' "
                        + "[type=literal_error, input_value='none', input_type=str]"),
                .noEffort(.none)
            ),
            (
                said("reasoning_effort must be one of 'low', 'high', got 'medium'"),
                .noEffort(.medium)
            ),
            (said("reasoning_effort must be one of 'low', 'medium', 'high'"), nil),
        ] as [(String, Quirk?)])
    func theRefusedEffortIsNotOneOfThoseThatAreTaken(body: String, quirk: Quirk?) {
        #expect(recognise(body) == quirk)
    }

    @Test func aModelThatTakesNoToolsIsToldAsThat() throws {
        let body = Array(said("Unsupported value: 'none' with reasoning_effort").utf8)
        #expect(Quirk.hint(status: 400, body: body, known: [.effortNone])?.isEmpty == false)
        #expect(Quirk.hint(status: 400, body: body, known: []) == nil)
        let other = Array(said("too many tools").utf8)
        #expect(Quirk.hint(status: 400, body: other, known: [.effortNone]) == nil)
    }

    @Test func aRefusalInsideAnAnswerTeachesTheSame() throws {
        let text = #"{"error":{"code":400,"message":"Unsupported parameter: 'stop'"}}"#
        let root = try JSONDocument(parsing: Array(text.utf8)).root
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        #expect(UpstreamError.inBand(root, plan)?.quirk == .noStop)
    }
}
