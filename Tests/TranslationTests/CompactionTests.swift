// Requests for a summary, where the operator lets the model write it (translation 1.1).
import Foundation
import Testing

@testable import Translation

@Suite struct CompactionTests {
    private func chat(
        _ messages: String, _ more: String, _ dialect: Dialect = .openai
    ) throws -> (body: [String: Any], plan: ExchangePlan) {
        var limits = RequestLimits()
        limits.emulatesCompaction = true
        let (chat, plan) = try translate(request(messages, more), dialect: dialect, limits: limits)
        let object = try JSONSerialization.jsonObject(with: Data(chat.utf8))
        return (try #require(object as? [String: Any]), plan)
    }

    private func texts(_ body: [String: Any]) -> [String] {
        (body["messages"] as? [[String: Any]] ?? []).map {
            "\($0["role"] ?? "") \($0["content"] ?? "")"
        }
    }

    private let said = #"{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}"#

    @Test func theModelIsAskedInTheWordsOfTheClient() throws {
        let (body, plan) = try chat(
            said, #","compaction":{"type":"summarize","instructions":"Be\nbrief"}"#)
        #expect(texts(body) == ["user hi", "assistant ho", "user Be\nbrief"])
        #expect(plan.isCompaction && plan.prefill == nil)
    }

    @Test(arguments: ["", #","instructions":null"#, #","instructions":" \n""#])
    func withoutThemTheModelIsAskedInOurs(instructions: String) throws {
        let (body, _) = try chat(said, #","compaction":{"type":"summarize"\#(instructions)}"#)
        let last = try #require(texts(body).last)
        #expect(last.hasPrefix("user Summarise the conversation up to here. The summary takes"))
        #expect(!last.contains("  ") && !last.contains("\\"))
    }

    @Test func whatShapesAReplyStaysHere() throws {
        let (body, plan) = try chat(
            said,
            #","compaction":{"type":"summarize"},"tools":[{"name":"f"}],"#
                + #""tool_choice":{"type":"tool","name":"f"},"stop_sequences":["x"],"#
                + #""output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},"#
                + #""thinking":{"type":"enabled","budget_tokens":2048}"#)
        #expect(Set(body.keys) == ["model", "messages", "max_completion_tokens"])
        #expect(plan.thinking == .hidden && plan.stopSequences.isEmpty && plan.losses.isEmpty)
    }

    @Test func mistralGetsOneUserMessageAndASentenceBetweenResultAndPrompt() throws {
        let prompt = #","compaction":{"type":"summarize","instructions":"now"}"#
        let joined = try chat(#"{"role":"user","content":"hi"}"#, prompt, .mistral).body
        #expect((joined["messages"] as? [Any])?.count == 1)
        let behind = try chat(
            #"{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","#
                + #""id":"abcdefghi","name":"f","input":{}}]},{"role":"user","content":[{"#
                + #""type":"tool_result","tool_use_id":"abcdefghi","content":"r"}]}"#, prompt,
            .mistral)
        let roles = (behind.body["messages"] as? [[String: Any]] ?? []).map {
            $0["role"] as? String
        }
        #expect(roles == ["user", "assistant", "tool", "assistant", "user"])
    }

    @Test func anotherKindOfCompactionIsRefused() throws {
        #expect(throws: APIError.invalid("compaction.type: expected summarize")) {
            try chat(said, #","compaction":{"type":"forget"}"#)
        }
    }
}
