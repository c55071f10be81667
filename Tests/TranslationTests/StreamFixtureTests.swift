// Streams and what they become: one folder a case.
import Foundation
import Testing

@testable import Translation

/// A plan as a fixture's `plan.json` says it.
private func plan(_ name: String) throws -> ExchangePlan {
    var plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
    guard let bytes = try? fixture("stream", name, "plan.json"),
        let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    else { return plan }
    plan.stopSequences = object["stop"] as? [String] ?? []
    plan.allowsParallelToolUse = object["parallel"] as? Bool ?? true
    switch object["thinking"] as? String {
    case "shown": plan.thinking = .shown
    case "omitted": plan.thinking = .omitted
    default: break
    }
    return plan
}

private func stream(_ name: String) throws -> [UInt8] {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/stream/\(name)/stream.txt")
    return Array(try Data(contentsOf: url))
}

@Suite struct StreamFixtureTests {
    @Test(arguments: fixtures("stream"))
    func aStreamBecomesWhatItsFolderSays(name: String) throws {
        let expected = String(decoding: try fixture("stream", name, "events.txt"), as: UTF8.self)
            .components(separatedBy: "\n")
        #expect(StreamRun([try stream(name)[...]], plan: try plan(name)).lines == expected)
    }

    @Test(arguments: fixtures("stream"))
    func everySplitGivesTheSameEvents(name: String) throws {
        let bytes = try stream(name)
        let plan = try plan(name)
        let whole = StreamRun([bytes[...]], plan: plan).bytes
        #expect(StreamRun(bytes.indices.map { bytes[$0...$0] }, plan: plan).bytes == whole)
        for split in bytes.indices {
            let run = StreamRun([bytes[..<split], bytes[split...]], plan: plan)
            #expect(run.bytes == whole, "split at \(split)")
        }
    }

    @Test(arguments: fixtures("stream"))
    func theMemoryOfFramesChangesNoByte(name: String) throws {
        let bytes = try stream(name)
        let plan = try plan(name)
        let fast = StreamRun([bytes[...]], plan: plan)
        let full = StreamRun([bytes[...]], plan: plan, remembersFrames: false)
        #expect(fast.joined == full.joined)
    }

    @Test(arguments: fixtures("stream"))
    func aCutStreamNeverLooksLikeSuccess(name: String) throws {
        let bytes = try stream(name)
        let text = String(decoding: bytes, as: UTF8.self)
        let plan = try plan(name)
        // From the finish reason or the end marker on there is nothing left to lose.
        let ends = [#""finish_reason":"#, "[DONE]"].flatMap { marker in
            text.ranges(of: marker).map {
                text.utf8.distance(from: text.startIndex, to: $0.upperBound)
            }
        }.filter { !String(decoding: bytes[$0...], as: UTF8.self).hasPrefix("null") }
        for count in 0..<min(ends.min() ?? bytes.count, bytes.count) {
            let run = StreamRun([bytes[..<count]], plan: plan)
            let isStopped = run.lines.contains { $0.contains("stop_sequence:") }
            #expect(
                isStopped
                    || run.lines.last.map { $0.hasPrefix("error") || $0.hasPrefix("failed") }
                        ?? false,
                "\(count) bytes: \(run.lines)")
        }
    }
}

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
            #"{"tool_calls":[{"index":2}]}"#, #"{"function_call":{"name":"l","arguments":"{}"}}"#,
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
        for round in 0..<4000 {
            let bytes = Array(randomStream(&random).utf8)
            var plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
            plan.thinking = [.hidden, .shown, .omitted].randomElement(using: &random) ?? .hidden
            plan.allowsParallelToolUse = Bool.random(using: &random)
            if Bool.random(using: &random) { plan.stopSequences = ["END"] }
            let run = StreamRun([bytes[...]], plan: plan)
            if run.lines.first?.hasPrefix("failed") == true { continue }
            #expect(run.grammarError == nil, "round \(round): \(run.lines)")
        }
    }

    @Test func noBytesCrashTheTranslator() {
        var random = Seeded(state: 7)
        let alphabet =
            Array(#"data: {"choices":[{"delta":{"content":"\u12"}}]}"#.utf8) + [
                0x0a, 0x0d, 0xff, 0,
            ]
        for _ in 0..<2000 {
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
