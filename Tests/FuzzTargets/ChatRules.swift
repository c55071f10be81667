// What every server wants of a request, whatever the client sent.
import JSON

/// The rules that no Chat Completions server does without.
enum ChatRules {
    static func check(_ body: [UInt8]) {
        guard let root = try? JSONDocument(parsing: body).root else {
            broken("the request for the upstream is no JSON")
        }
        must(root["model"]?.text?.isEmpty == false, "no model")
        let messages = root["messages"]
        must(messages?.elements.isEmpty == false, "no messages")
        must(root["tools"].map { !$0.elements.isEmpty } ?? true, "an empty list of tools")
        must(root["tool_choice"] == nil || root["tools"] != nil, "a choice without tools")
        checkOrder(messages?.elements.map { $0 } ?? [])
    }

    /// Every call has its result right behind it, every result its call.
    private static func checkOrder(_ messages: [JSONValue]) {
        var waiting: [[UInt8]] = []
        for message in messages {
            let role = message["role"]?.text?.string ?? ""
            if role == "tool" {
                let id = message["tool_call_id"]?.text?.decoded() ?? []
                guard let place = waiting.firstIndex(of: id) else {
                    broken("a result without its call")
                }
                waiting.remove(at: place)
                continue
            }
            must(waiting.isEmpty, "a call without its result")
            must(["system", "developer", "user", "assistant"].contains(role), "the role \(role)")
            let calls = message["tool_calls"]
            must(calls.map { !$0.elements.isEmpty } ?? true, "an empty list of calls")
            for call in calls?.elements.map({ $0 }) ?? [] {
                let id = call["id"]?.text?.decoded() ?? []
                must(!id.isEmpty, "a call without an id")
                must(!waiting.contains(id), "two calls with one id")
                must(call["function"]?["name"]?.text?.isEmpty == false, "a call without a name")
                must(call["function"]?["arguments"]?.text != nil, "arguments that are no string")
                waiting.append(id)
            }
        }
        must(waiting.isEmpty, "a call without its result at the end")
    }
}
