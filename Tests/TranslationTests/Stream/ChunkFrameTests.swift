// The short way of a chunk: taken where it can be, and never with another result than the full way.
import Testing

@testable import Translation

/// Chunks as servers send them: what stands before the string and behind it.
private struct Server: CustomTestStringConvertible {
    let name: String
    let before: String
    /// Behind the string of the nth chunk; `$` stands for the string again.
    let after: @Sendable (Int) -> String

    var testDescription: String { name }

    func chunk(_ text: String, _ number: Int) -> String {
        let rest = after(number).split(separator: "$", omittingEmptySubsequences: false)
        return "data: " + before + text + rest.joined(separator: text) + "\n\n"
    }

    static let all = [
        Server(name: "openai", before: #"{"id":"c","created":1,"choices":[{"delta":{"content":""#) {
            let noise = String(repeating: "x", count: $0 % 9)
            return #""},"finish_reason":null}],"usage":null,"obfuscation":"\#(noise)"}"#
        },
        Server(name: "vllm", before: #"{"id": "c", "choices": [{"delta": {"content": ""#) {
            let usage =
                #"{"prompt_tokens": 7, "total_tokens": \#(7 + $0), "completion_tokens": \#($0)}"#
            return #""}, "logprobs": null, "finish_reason": null}], "usage": \#(usage)}"#
        },
        Server(name: "deepseek", before: #"{"choices":[{"delta":{"reasoning_content":""#) { _ in
            #"","content":null},"logprobs":null,"finish_reason":null}]}"#
        },
        Server(
            name: "openrouter",
            before: #"{"choices":[{"delta":{"role":"assistant","content":"","reasoning":""#
        ) { _ in
            #"","reasoning_details":[{"type":"reasoning.text","text":"$","index":0}]}}]}"#
        },
        Server(name: "mistral", before: #"{"choices":[{"index":0,"delta":{"content":""#) {
            #""},"finish_reason":null}],"p":"\#(String(repeating: "ab", count: $0 % 5))"}"#
        },
    ]
}

/// What a string may hold, as a server may write it.
private let pieces = [
    "a", " word", #"\n"#, #"\"q\""#, #"\\"#, #"\/"#, "é", "日本", "😀", #"\ud83d\ude00"#, #"\u00e9"#,
    #"\ud83d"#, #"\ude00"#, "\u{2028}", #"\u2028"#, #"\u0000"#, "<think>", "</think>", "E", "END",
    "{", "}", "data: ", "$5", #"\t"#, "null", "",
]

private func plans(_ random: inout Seeded) -> ExchangePlan {
    let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
    plan.thinking = [.shown, .shown, .omitted, .hidden].randomElement(using: &random) ?? .shown
    if Int.random(in: 0..<4, using: &random) == 0 { plan.stopSequences = ["END"] }
    return plan
}

private let ending =
    #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\ndata: [DONE]\n\n"

@Suite struct ChunkFrameTests {
    @Test(arguments: Server.all)
    fileprivate func theChunkAfterTheNextNeedsNoParser(server: Server) throws {
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        plan.thinking = .shown
        var translator = StreamTranslator(
            plan: plan, messageID: "m", requestID: "r", mint: IdentifierMint(seed: (1, 2)))
        var events: [UInt8] = []
        translator.feed(Array(server.chunk("one", 1).utf8), into: &events)
        let frame = try #require(translator.frame)
        for number in [2, 9, 10, 12345] {
            let text = "two \(number)"
            let event = Array(server.chunk(text, number).utf8)
            let found = frame.match(event.span, at: 0)
            let match = try #require(found)
            #expect(match.end == event.count)
            #expect(String(decoding: event[match.content], as: UTF8.self) == text)
            #expect((match.usage != nil) == (server.name == "vllm"))
            let data = Array(event.dropFirst(6).dropLast(2))
            let inside = frame.match(data: data.span)
            #expect(inside?.end == data.count)
        }
    }

    @Test func argumentsNeedNoParser() throws {
        let fragment = { (text: String) in
            Array(
                (#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":"#
                    + #"{"arguments":"\#(text)"}}]}}]}"# + "\n\n").utf8)
        }
        let opening =
            #"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"i","function":"#
            + #"{"name":"f","arguments":""}}]}}]}"# + "\n\n"
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        var translator = StreamTranslator(
            plan: plan, messageID: "m", requestID: "r", mint: IdentifierMint(seed: (1, 2)))
        var events: [UInt8] = []
        translator.feed(Array(opening.utf8), into: &events)
        #expect(translator.frame == nil)
        translator.feed(fragment(#"{\"a\":\""#), into: &events)
        let frame = try #require(translator.frame)
        #expect(frame.target == .arguments(0))
        let event = fragment(#"b\\n"#)
        let match = frame.match(event.span, at: 0)
        #expect(match?.end == event.count)
    }

    @Test(arguments: Server.all)
    fileprivate func bothWaysWriteTheSameBytes(server: Server) {
        var random = Seeded(state: 42)
        for _ in 0..<120 {
            let plan = plans(&random)
            var text = ""
            for number in 1...Int.random(in: 1...12, using: &random) {
                let count = Int.random(in: 1...3, using: &random)
                let token = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }
                text += server.chunk(token.joined(), number)
            }
            let bytes = Array((text + ending).utf8)
            let full = StreamRun([bytes[...]], plan: plan, remembersFrames: false)
            let cut = Int.random(in: 0..<bytes.count, using: &random)
            #expect(StreamRun([bytes[...]], plan: plan).bytes == full.bytes, "\(text)")
            #expect(
                StreamRun([bytes[..<cut], bytes[cut...]], plan: plan).bytes == full.bytes,
                "\(text)")
        }
    }

    /// Damage anywhere, also where a frame is matched: what is not the frame goes the full way.
    @Test(arguments: Server.all)
    fileprivate func damageIsSeenBothWays(server: Server) {
        var random = Seeded(state: 20_260)
        let damage = Array("\"\\{}[]:, 0192ude\n\r\u{1}x".utf8) + [0x80, 0xe2, 0xff]
        for _ in 0..<500 {
            let plan = plans(&random)
            let text = (1...5).map { server.chunk("word \($0)", $0) }.joined() + ending
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(damage.randomElement(using: &random) ?? 0, at: place)
                default: bytes[place] = damage.randomElement(using: &random) ?? 0
                }
            }
            let fast = StreamRun([bytes[...]], plan: plan)
            let full = StreamRun([bytes[...]], plan: plan, remembersFrames: false)
            guard !fast.isSame(as: full) else { continue }
            Issue.record("\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test func argumentsAreTheSameBothWays() {
        var random = Seeded(state: 3)
        let head = #"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"#
        for round in 0..<400 {
            var text =
                head + #""id":"i","function":{"name":"f","arguments":""}}]}}]}"# + "\n\n"
            let parts =
                [#"{\"k\":\""#]
                + (0..<Int.random(in: 1...8, using: &random)).map { _ in
                    pieces.randomElement(using: &random) ?? ""
                } + [#"\"}"#, #"{\"more\":1}"#].shuffled(using: &random)
            for part in parts {
                text += head + #""function":{"arguments":"\#(part)"}}]}}]}"# + "\n\n"
            }
            let bytes = Array((text + ending).utf8)
            let plan = plans(&random)
            let fast = StreamRun([bytes[...]], plan: plan)
            let full = StreamRun([bytes[...]], plan: plan, remembersFrames: false)
            #expect(fast.bytes == full.bytes, "round \(round): \(text)")
            #expect(fast.grammarError == nil, "round \(round): \(fast.lines)")
        }
    }
}
