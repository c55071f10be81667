// A completion that came whole, though a stream was asked for: the same answer in events.
import Foundation
import Testing

@testable import Translation

struct Answer: Equatable {
    var blocks: [String] = []
    var stopReason = ""
    var usage = ""

    /// An answer as one JSON message.
    init(message: [UInt8]) throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(message)) as? [String: Any])
        for block in object["content"] as? [[String: Any]] ?? [] {
            let input = block["input"].map { Self.sorted($0) } ?? ""
            blocks.append(Self.name(block, text: Self.text(block), input: input))
        }
        note(object, usage: object["usage"])
    }

    /// An answer put together from events.
    init(events: [UInt8]) throws {
        var inputs: [String] = []
        for event in String(decoding: events, as: UTF8.self).components(separatedBy: "\n\n") {
            guard let line = event.components(separatedBy: "\ndata: ").last, !event.isEmpty else {
                continue
            }
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            if let block = object["content_block"] as? [String: Any] {
                blocks.append(Self.name(block, text: "", input: ""))
                inputs.append("")
            } else if let delta = object["delta"] as? [String: Any], object["index"] != nil {
                blocks[blocks.count - 1] += Self.text(delta)
                inputs[inputs.count - 1] += delta["partial_json"] as? String ?? ""
            } else if let delta = object["delta"] as? [String: Any] {
                note(delta, usage: object["usage"])
            }
        }
        for place in blocks.indices where blocks[place].contains("tool_use ") {
            let input = inputs[place].isEmpty ? "{}" : inputs[place]
            blocks[place] += Self.sorted(try JSONSerialization.jsonObject(with: Data(input.utf8)))
        }
    }

    private mutating func note(_ object: [String: Any], usage counts: Any?) {
        stopReason = "\(object["stop_reason"] ?? "") \(object["stop_sequence"] ?? "")"
        let counts = counts as? [String: Any] ?? [:]
        usage = "\(counts["input_tokens"] ?? "") \(counts["output_tokens"] ?? "")"
    }

    private static func text(_ object: [String: Any]) -> String {
        ["text", "thinking", "content"].lazy.compactMap { object[$0] as? String }.first ?? ""
    }

    private static func name(_ block: [String: Any], text: String, input: String) -> String {
        "\(block["type"] ?? "") \(block["name"] ?? "") \(text)\(input)"
    }

    private static func sorted(_ value: Any) -> String {
        let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}

private let usage = #""usage":{"prompt_tokens":9,"completion_tokens":4}"#

private func completion(_ message: String, _ finish: String, _ more: String = usage) -> String {
    #"{"id":"x","choices":[{"index":0,"message":\#(message),"finish_reason":\#(finish)}],\#(more)}"#
}

private func call(_ arguments: String, id: String = "i", name: String = "f") -> String {
    #"{"id":"\#(id)","type":"function","function":{"name":"\#(name)","arguments":\#(arguments)}}"#
}

private let completions = [
    completion(#"{"role":"assistant","content":"Hello\n\"you\" 😀"}"#, #""stop""#),
    completion(#"{"content":null,"tool_calls":[\#(call(#""""#))]}"#, #""tool_calls""#),
    completion(#"{"content":"a","tool_calls":[\#(call(#""{\"a\":1}""#))]}"#, #""stop""#),
    completion(#"{"tool_calls":[\#(call(#""\"{\\\"a\\\":1}\"""#))]}"#, #""tool_calls""#),
    completion(#"{"tool_calls":[\#(call(#""{\"a\":1}{\"a\":1}""#))]}"#, #""tool_calls""#),
    completion(#"{"tool_calls":[\#(call(#""```json\n{\"a\":1}\n```""#))]}"#, #""tool_calls""#),
    completion(#"{"tool_calls":[\#(call(#""{\"a\":""#))]}"#, #""tool_calls""#),
    completion(#"{"content":"a","tool_calls":[\#(call(#""{\"a\":""#))]}"#, #""length""#),
    completion(
        #"{"tool_calls":[\#(call(#""{}""#)),\#(call(#""{\"b\":[1]}""#, name: "g"))]}"#, "null"),
    completion(#"{"content":"part","tool_calls":[\#(call(#""{}""#))]}"#, #""content_filter""#),
    completion(#"{"content":null,"refusal":"I can't"}"#, #""stop""#),
    completion(#"{"content":"b","reasoning_content":"r"}"#, #""stop""#),
    completion(#"{"content":"<think>r</think>\n\nb"}"#, #""stop""#),
    completion(#"{"content":""}"#, #""stop""#),
    completion(#"{"content":"x"}"#, "null"),
    completion(#"{"content":"before END after"}"#, #""stop""#),
    completion(#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#, #""stop""#),
    completion(#"{"function_call":{"name":"f","arguments":"{\"a\":1}"}}"#, #""function_call""#),
]

@Suite struct CompletionTests {
    private func run(_ body: String, _ thinking: ThinkingEmission = .shown) -> (
        [UInt8], StreamTranslator
    ) {
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        plan.thinking = thinking
        plan.stopSequences = ["END"]
        var translator = StreamTranslator(
            plan: plan, messageID: "msg_1", requestID: "req_1", mint: IdentifierMint(seed: (1, 2)))
        var events: [UInt8] = []
        translator.feedCompletion(Array(body.utf8), into: &events)
        return (events, translator)
    }

    @Test(arguments: completions)
    func theEventsSayWhatTheMessageWouldSay(body: String) throws {
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: false)
        plan.thinking = .shown
        plan.stopSequences = ["END"]
        let message = MessageTranslator(plan: plan)
        var mint = IdentifierMint(seed: (1, 2))
        let whole = try message.translate(completion: Array(body.utf8), mint: &mint)
        let (events, _) = run(body)
        #expect(StreamRun.grammarError(in: StreamRun.lines(of: events)) == nil)
        #expect(try Answer(events: events) == Answer(message: whole.body))
    }

    @Test(arguments: [
        ("<html>Bad gateway</html>", 502), ("", 502), (#"{"choices":[]}"#, 502), ("{\"cut", 502),
        (#"{"error":{"message":"x","code":429}}"#, 429), (#"[{"error":{"code":503}}]"#, 529),
        ("[]", 502), ("null", 502),
    ])
    func whatIsNoCompletionIsAnError(body: String, status: Int) throws {
        let (events, translator) = run(body)
        guard case .failed(let error) = translator.phase else {
            Issue.record("no failure")
            return
        }
        let isEvent = String(decoding: events, as: UTF8.self).contains("event: error")
        #expect(error.status == status && (events.isEmpty || isEvent))
    }

    @Test func eventsUnderTheWrongContentTypeAreRead() throws {
        let stream = try streamBytes("S01-text")
        for lead in ["", "\n", ": comment\n\n", "event: message\n"] {
            let (events, translator) = run(lead + String(decoding: stream, as: UTF8.self))
            guard case .ended = translator.phase else {
                Issue.record("not ended: \(lead)")
                continue
            }
            #expect(StreamRun.grammarError(in: StreamRun.lines(of: events)) == nil)
        }
    }
}
