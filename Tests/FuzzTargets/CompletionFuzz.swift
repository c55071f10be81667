// Completions: a message that a client can read, or an error.
import JSON
import Translation

enum CompletionFuzz {
    static func run(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let plan = Plans.make(&input)
        plan.isStream = false
        var mint = IdentifierMint(seed: (1, 2))
        do throws(APIError) {
            let message = try MessageTranslator(plan: plan).translate(
                completion: input.payload, mint: &mint)
            check(message.body)
        } catch {
            must(error.status >= 400, "an error with the status \(error.status)")
            RequestFuzz.check(error)
        }
    }

    private static func check(_ body: [UInt8]) {
        guard let root = try? JSONDocument(parsing: body).root else {
            broken("the message is no JSON")
        }
        must(root["type"]?.text.map { $0 == "message" } == true, "no message")
        must(root["stop_reason"]?.text != nil, "no stop reason")
        must(root["usage"]?["output_tokens"]?.integer ?? -1 >= 0, "no usage")
        for block in root["content"]?.elements.map({ $0 }) ?? [] {
            let type = block["type"]?.text?.string ?? ""
            must(["text", "thinking", "tool_use", "compaction"].contains(type), "a block \(type)")
            if type == "tool_use" {
                must(block["input"]?.kind == .object, "an input that is no object")
                must(block["id"]?.text?.isEmpty == false, "a call without an id")
            }
        }
    }
}

/// Plans that an input chooses.
enum Plans {
    static func make(_ input: inout FuzzInput) -> ExchangePlan {
        let flags = input.byte()
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        plan.thinking = [.hidden, .shown, .omitted, .shown][flags & 3]
        if flags & 4 != 0 { plan.stopSequences = ["END", "\n\nHuman:"] }
        if flags & 8 != 0 { plan.prefill = "text" }
        plan.allowsParallelToolUse = flags & 16 == 0
        if flags & 32 != 0 { plan.usedToolIDs = ["a", "call_1"] }
        plan.isCompaction = flags & 64 != 0
        return plan
    }
}
