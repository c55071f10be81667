// Streams as no server should send them: what comes out keeps to the grammar all the same.
import Testing

@testable import Translation

@Suite struct StreamGrammarTests {
    /// Chunks in any order, as no server should send them.
    private func randomStream(_ random: inout Seeded) -> String {
        let kinds = [
            #"{"content":"text "}"#, #"{"content":" "}"#, #"{"content":"\ud83d"}"#,
            #"{"content":"END"}"#,
            #"{"reasoning_content":"why"}"#, #"{"role":"assistant"}"#, "{}", #"{"refusal":"no"}"#,
            #"{"content":"<think>a"}"#, #"{"content":"</think>b"}"#,
            #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}"#,
            #"{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}"#,
            #"{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":""}}]}"#,
            #"{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}"#,
            #"{"tool_calls":[{"id":"c","function":{"name":"h","arguments":"\"junk\""}}]}"#,
            #"{"tool_calls":[{"index":2}]}"#, #"{"content":"\ude00"}"#, #"{"content":"\u2028/"}"#,
            #"{"reasoning_content":"\ud83d"}"#, #"{"reasoning":"r","reasoning_content":"r"}"#,
            #"{"tool_calls":[{"index":0,"function":{"arguments":"{\"y\":\"\n"}}]}"#,
            #"{"tool_calls":[{"index":0,"function":{"arguments":"\"}"}}]}"#,
            #"{"tool_calls":[{"function":{"name":"n"}}]}"#,
            #"{"content":[{"type":"text","text":"part"}]}"#,
            #"{"function_call":{"name":"l","arguments":"{}"}}"#,
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...14, using: &random) {
            let delta = kinds.randomElement(using: &random) ?? "{}"
            text +=
                #"data: {"choices":[{"index":0,"delta":\#(delta),"finish_reason":null}]}"# + "\n\n"
            if Int.random(in: 0..<20, using: &random) == 0 { text += "data: {broken\n\n" }
        }
        let ends = [
            #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            #"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            #"data: {"error":{"message":"x"}}"#, "data: [DONE]",
        ]
        for end in ends where Bool.random(using: &random) { text += end + "\n\n" }
        return text
    }

    @Test func noOrderOfChunksBreaksTheGrammar() {
        var random = Seeded(state: 20_261_124)
        for round in 0..<1500 {
            let bytes = Array(randomStream(&random).utf8)
            let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
            plan.thinking = [.hidden, .shown, .omitted].randomElement(using: &random) ?? .hidden
            plan.allowsParallelToolUse = Bool.random(using: &random)
            if Bool.random(using: &random) { plan.stopSequences = ["END"] }
            if Bool.random(using: &random) { plan.prefill = "text" }
            plan.isCompaction = Int.random(in: 0..<8, using: &random) == 0
            let run = StreamRun([bytes[...]], plan: plan)
            let full = StreamRun([bytes[...]], plan: plan, remembersFrames: false)
            if !run.isSame(as: full) { Issue.record("round \(round): \(run.lines)") }
            if run.failure != nil { continue }
            if let error = run.grammarError { Issue.record("round \(round): \(error)") }
        }
    }

    @Test func noBytesCrashTheTranslator() {
        var random = Seeded(state: 7)
        let alphabet =
            Array(#"data: {"choices":[{"delta":{"content":"\u12"}}]}"#.utf8) + [
                0x0a, 0x0d, 0xff, 0,
            ]
        for _ in 0..<1000 {
            let bytes = (0..<200).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
            let run = StreamRun([bytes[...]], plan: plan)
            #expect(!run.lines.isEmpty)
        }
    }
}

/// A generator that gives the same numbers each time (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
