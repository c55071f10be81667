// Whatever clients may send is translated, counted or refused (translation 0.2, 1.1, 1.5, 2.2).
import JSON
import Testing

@testable import Translation

/// What a request became, as far as anybody can see: what goes upstream, and what the answer will
/// be like.
private struct Outcome: Equatable {
    var body: String
    var answer: String
    var losses: [String]
    var repairs: [String]
}

/// A part of a request, beside the same request without it.
private struct Sample: Sendable, CustomTestStringConvertible {
    let name: String
    /// The rest of the body; `messages` included where they are not the plain ones.
    let with: String
    let without: String

    var testDescription: String { name }

    /// A member at the top.
    init(_ name: String, _ json: String, beside more: String = "") {
        self.name = "\(name) \(json)"
        without = String((more + Self.plain).dropFirst())
        with = #""\#(name)":\#(json),\#(without)"#
    }

    /// A content block of a role, behind a plain text of it.
    init(_ role: String, block: String) {
        name = "\(role) \(block)"
        func messages(_ blocks: String) -> String {
            let user = #"{"role":"user","content":"hi"}"#
            let message = #"{"role":"\#(role)","content":[{"type":"text","text":"a"}\#(blocks)]}"#
            return #""messages":[\#(user),\#(message),\#(user)]"#
        }
        with = messages("," + block)
        without = messages("")
    }

    /// A tool beside another.
    init(tool: String, instead other: String? = nil) {
        name = "tool \(tool)"
        func tools(_ tools: String) -> String { #""tools":[\#(Self.tool)\#(tools)]\#(Self.plain)"# }
        with = tools("," + tool)
        without = tools(other.map { "," + $0 } ?? "")
    }

    static let plain = #","messages":[{"role":"user","content":"hi"}]"#
    static let tool = #"{"name":"f","input_schema":{"type":"object","properties":{}}}"#
}

private let effort = #""effort":"high""#
private let schema = #"{"type":"object","properties":{"a":{"type":"string"}}}"#
private let tools = #","tools":[\#(Sample.tool)]"#
private let toolG = #""name":"g","description":"d","input_schema":{"type":"object"}"#

/// Members at the top of `MessageCreateParams`, also of its beta.
private let members: [Sample] = [
    Sample("temperature", "0.5"), Sample("top_p", "0.5"), Sample("top_k", "5"),
    Sample("stop_sequences", #"["END"]"#), Sample("stream", "true"),
    Sample("system", #""s""#), Sample("system", #"[{"type":"text","text":"s"}]"#),
    Sample("system", #"[{"type":"image","source":{}}]"#),
    Sample("tool_choice", #"{"type":"any"}"#, beside: tools),
    Sample("tool_choice", #"{"type":"none"}"#, beside: tools),
    Sample("tool_choice", #"{"type":"tool","name":"f"}"#, beside: tools),
    Sample("tool_choice", #"{"type":"auto","disable_parallel_tool_use":true}"#, beside: tools),
    Sample("thinking", #"{"type":"enabled","budget_tokens":20000}"#),
    Sample("thinking", #"{"type":"adaptive"}"#),
    Sample("thinking", #"{"type":"adaptive","display":"omitted"}"#),
    Sample("output_config", "{\(effort)}"),
    Sample("output_config", "{\(effort)}", beside: tools),
    Sample("output_config", #"{"format":{"type":"json_schema","schema":\#(schema)}}"#),
    Sample("output_config", #"{"format":{"type":"regex","pattern":"a"}}"#),
    Sample("output_config", #"{"task_budget":{"type":"tokens","total":9}}"#),
    Sample("output_config", #"{"novelty":1}"#),
    Sample("output_format", #"{"type":"json_schema","schema":\#(schema)}"#),
    Sample("speed", #""fast""#), Sample("inference_geo", #""us""#),
    Sample("container", #""c""#), Sample("mcp_servers", #"[{"type":"url","url":"u"}]"#),
    Sample("context_management", #"{"edits":[{"type":"clear_tool_uses_20250919"}]}"#),
    Sample("context_management", #"{"edits":[{"type":"compact_20260112"}]}"#),
    Sample("thread", #"{"type":"create"}"#), Sample("compaction", #"{"type":"summarize"}"#),
    Sample("billing_policy", #""x""#), Sample("fallbacks", #"[{"model":"x"}]"#),
    Sample("fallback_credit_token", #""x""#), Sample("diagnostics", "{}"),
    Sample("safeguards", "[{}]"), Sample("seed", "7"), Sample("n", "2"),
    Sample("a_field_of_next_year", "1"),
]

private let pdf = #""source":{"type":"base64","media_type":"application/pdf","data":"YQ=="}"#
private let text = #""source":{"type":"text","media_type":"text/plain","data":"d"}"#

private let found = #""source":"s","title":"t""#

/// Content blocks.
private let blocks: [Sample] =
    [
        #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"YQ=="}}"#,
        #"{"type":"image","source":{"type":"url","url":"https://a.b/c"}}"#,
        #"{"type":"image","source":{"type":"file","file_id":"f"}}"#,
        #"{"type":"document",\#(pdf)}"#, #"{"type":"document",\#(text)}"#,
        #"{"type":"document","source":{"type":"content","content":"c"}}"#,
        #"{"type":"document","source":{"type":"content","content":[{"type":"novelty"}]}}"#,
        #"{"type":"document","source":{"type":"url","url":"https://a.b/c"}}"#,
        #"{"type":"document","source":{"type":"file","file_id":"f"}}"#,
        #"{"type":"search_result",\#(found),"content":[{"type":"text","text":"c"}]}"#,
        #"{"type":"container_upload","file_id":"f"}"#, #"{"type":"novelty"}"#,
        #"{"type":"thinking","thinking":"t","signature":""}"#,
        #"{"type":"tool_result","tool_use_id":"none","content":"r"}"#,
    ].map { Sample("user", block: $0) }
    + [
        #"{"type":"tool_use","id":"t1","name":"f","input":{}}"#,
        #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"YQ=="}}"#,
        #"{"type":"document",\#(text)}"#,
        #"{"type":"tool_result","tool_use_id":"t","content":"r"}"#,
        #"{"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"q"}}"#,
        #"{"type":"mcp_tool_use","id":"s1","name":"x","server_name":"y","input":{}}"#,
        #"{"type":"compaction","content":"summary"}"#, #"{"type":"fallback"}"#,
        #"{"type":"mcp_tool_listing"}"#, #"{"type":"container_upload","file_id":"f"}"#,
        #"{"type":"novelty"}"#,
    ].map { Sample("assistant", block: $0) }
    + [
        #"{"type":"text","text":"b"}"#, #"{"type":"image","source":{"type":"url","url":"u"}}"#,
        #"{"type":"tool_addition","tool":{"definition":{\#(toolG)}}}"#, #"{"type":"novelty"}"#,
    ].map { Sample("system", block: $0) }

/// What a block may have beside what it is for: the second form says it.
private let details: [(String, String, String)] = [
    ("user", #"{"type":"document",\#(pdf)}"#, #"{"type":"document","title":"T",\#(pdf)}"#),
    ("user", #"{"type":"document",\#(pdf)}"#, #"{"type":"document","context":"C",\#(pdf)}"#),
    ("user", #"{"type":"document",\#(text)}"#, #"{"type":"document","title":"T",\#(text)}"#),
    ("user", #"{"type":"document",\#(text)}"#, #"{"type":"document","context":"C",\#(text)}"#),
    (
        "user", #"{"type":"document",\#(text)}"#,
        #"{"type":"document","citations":{"enabled":true},\#(text)}"#
    ),
    (
        "user", #"{"type":"search_result",\#(found),"content":[]}"#,
        #"{"type":"search_result",\#(found),"content":[],"citations":{"enabled":true}}"#
    ),
    (
        "user", #"{"type":"search_result",\#(found),"content":[]}"#,
        #"{"type":"search_result",\#(found),"content":[{"type":"novelty"}]}"#
    ),
    (
        "user", #"{"type":"tool_result","tool_use_id":"x","content":"r"}"#,
        #"{"type":"tool_result","tool_use_id":"x","content":"r","is_error":true}"#
    ),
    (
        "user", #"{"type":"tool_result","tool_use_id":"x","content":[]}"#,
        #"{"type":"tool_result","tool_use_id":"x","content":[{"type":"novelty"}]}"#
    ),
    (
        "user", #"{"type":"tool_result","tool_use_id":"x","content":[]}"#,
        #"{"type":"tool_result","tool_use_id":"x","content":[{"type":"browser_state"}]}"#
    ),
]

/// Tools, and what a tool may have beside its schema.
private let toolSamples: [Sample] =
    [
        "bash_20250124", "text_editor_20250728", "memory_20250818", "computer_20251124",
        "computer_toolset_20260801", "browser_toolset_20260801", "web_search_20260318",
        "web_fetch_20250910", "code_execution_20250825", "advisor_20260301", "mcp_toolset",
        "a_tool_of_next_year",
    ].map { Sample(tool: #"{"type":"\#($0)","name":"g"}"#) }
    + [
        #""strict":true"#, #""input_examples":[{}]"#,
        #""allowed_callers":["code_execution_20250825"]"#,
        #""type":"novelty""#, #""defer_loading":true"#,
    ].map { Sample(tool: "{\(toolG),\($0)}", instead: "{\(toolG)}") } + [
        Sample(tool: Sample.tool), Sample(tool: "{\(toolG)}"),
    ]

private func outcome(
    _ members: String, _ dialect: Dialect, model: String, strict: Bool = false
) throws -> Outcome {
    var limits = RequestLimits()
    limits.isStrict = strict
    let translator = RequestTranslator(
        models: ModelMap(rules: [ModelRule(pattern: "m", model: model)]), dialect: dialect,
        limits: limits)
    let translated = try translator.translate(
        Array(#"{"model":"m","max_tokens":5,\#(members)}"#.utf8), session: nil)
    guard case .upstream(let body, let plan) = translated else {
        throw APIError.invalid("answered without an upstream")
    }
    let answer =
        "\(plan.thinking) \(plan.stopSequences) \(plan.allowsParallelToolUse) \(plan.tellsSpeed)"
    return Outcome(
        body: String(decoding: body.contiguous(), as: UTF8.self), answer: answer,
        losses: plan.losses, repairs: plan.repairs)
}

@Suite struct LossTests {
    /// A model of each kind that the dialects tell apart.
    private static let models = [
        "u", "gpt-5.6", "gpt-4o", "gemini-2.5-flash", "openai/gpt-oss-120b", "qwen3",
        "mistral-small-4", "anthropic/claude-x",
    ]

    private func check(_ sample: Sample) throws {
        for dialect in Dialect.all {
            for model in Self.models {
                let told: Outcome
                do {
                    told = try outcome(sample.with, dialect, model: model)
                } catch let error as APIError {
                    #expect(error.status == 400 && !error.message.isEmpty)
                    continue
                }
                let without = try outcome(sample.without, dialect, model: model)
                let place = "\(sample.name) to \(dialect.name) \(model)"
                #expect(told != without, "lost without a word: \(place)")
                guard !told.losses.isEmpty else { continue }
                // What is counted is refused in strict mode, by its name.
                let error = #expect(throws: APIError.self, "not refused: \(place)") {
                    try outcome(sample.with, dialect, model: model, strict: true)
                }
                #expect(error?.message.hasPrefix(told.losses[0]) == true)
            }
        }
    }

    @Test(arguments: members)
    private func aFieldIsTranslatedOrCountedOrRefused(sample: Sample) throws { try check(sample) }

    @Test(arguments: blocks)
    private func aBlockIsTranslatedOrCountedOrRefused(sample: Sample) throws { try check(sample) }

    @Test(arguments: toolSamples)
    private func aToolIsTranslatedOrCountedOrRefused(sample: Sample) throws { try check(sample) }

    @Test(arguments: details)
    func aDetailIsTranslatedOrCountedOrRefused(
        role: String, plain: String, detailed: String
    ) throws {
        for dialect in Dialect.all {
            let told: Outcome
            do {
                told = try outcome(Sample(role, block: detailed).with, dialect, model: "u")
            } catch is APIError {
                continue
            }
            let without = try outcome(Sample(role, block: plain).with, dialect, model: "u")
            #expect(told != without, "lost without a word: \(detailed) to \(dialect.name)")
        }
    }

    /// What means nothing to be missed: it shapes caches, names people or versions, or says what
    /// happens anyway.
    @Test(arguments: [
        Sample("cache_control", #"{"type":"ephemeral"}"#), Sample("betas", #"["x"]"#),
        Sample("anthropic_version", #""x""#), Sample("service_tier", #""auto""#),
        Sample("metadata", #"{"note":"x"}"#), Sample("mcp_servers", "[]"),
        Sample("tool_choice", #"{"type":"auto"}"#, beside: tools), Sample("inference_geo", "null"),
        Sample(
            "context_management", #"{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}"#),
        Sample("stop_sequences", "[]"), Sample("tools", "[]"),
    ])
    private func whatMeansNothingIsNotCounted(sample: Sample) throws {
        for dialect in Dialect.all {
            let told = try outcome(sample.with, dialect, model: "u", strict: true)
            #expect(told == (try outcome(sample.without, dialect, model: "u", strict: true)))
        }
    }
}
