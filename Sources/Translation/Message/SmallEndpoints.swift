// Answers that need no upstream (translation 6).
internal import Bytes
internal import JSON

/// The bodies of the small endpoints.
package enum SmallEndpoints {
    /// `GET /api/hello`.
    package static let hello = Array(#"{"message":"hello"}"#.utf8)

    /// What is to be counted of a `POST /v1/messages/count_tokens`: the model that the upstream
    /// knows, and our estimate of what it would get.
    ///
    /// A request that cannot be translated is counted as it is.
    package static func estimate(
        _ body: [UInt8], _ translator: RequestTranslator, quirks: (String) -> Set<Quirk>
    ) throws(APIError) -> (model: String, count: TokenCount) {
        guard
            case .upstream(let output, let plan)? = try? translator.translate(
                body, session: nil, quirks: quirks)
        else { return (try counted(body), TokenEstimator.estimate([body[...]])) }
        return (plan.upstreamModel, TokenEstimator.estimate(output.pieces))
    }

    /// The model's name of a request that is one.
    private static func counted(_ body: [UInt8]) throws(APIError) -> String {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(
                parsing: body, opaqueKeys: OpaqueKeys(["system", "content", "tools"]))
        } catch {
            throw .invalid("request body is not valid JSON: \(error.message)")
        }
        guard document.root.kind == .object else {
            throw .invalid("request body is not a JSON object")
        }
        guard let model = document.root["model"]?.text?.string else {
            throw .invalid("model: Field required")
        }
        guard document.root["messages"]?.kind == .array else {
            throw .invalid("messages: Field required")
        }
        return model
    }

    /// The answer of `count_tokens`.
    package static func count(_ tokens: Int) -> [UInt8] {
        var answer: [UInt8] = []
        answer.append(#"{"input_tokens":"#)
        answer.append(decimal: tokens)
        answer.append("}")
        return answer
    }

    /// `GET /v1/models`.
    package static func models(_ ids: [String]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("data")
        writer.beginArray()
        for id in ids { write(model: id, to: &writer) }
        writer.endArray()
        writer.key("has_more")
        writer.bool(false)
        writer.key("first_id")
        if let first = ids.first { writer.string(first) } else { writer.null() }
        writer.key("last_id")
        if let last = ids.last { writer.string(last) } else { writer.null() }
        writer.endObject()
        return writer.finish().contiguous()
    }

    /// `GET /v1/models/{id}`.
    package static func model(_ id: String) -> [UInt8] {
        var writer = JSONWriter()
        write(model: id, to: &writer)
        return writer.finish().contiguous()
    }

    private static func write(model id: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("model")
        writer.key("id")
        writer.string(id)
        writer.key("display_name")
        writer.string(id)
        writer.key("created_at")
        writer.string("2026-01-01T00:00:00Z")
        // Nobody tells us the limits of an upstream's models.
        writer.key("max_input_tokens")
        writer.null()
        writer.key("max_tokens")
        writer.null()
        writer.endObject()
    }

    /// An answer that says nothing: to `max_tokens: 0`, without an upstream call, or to a prompt
    /// that the upstream's filter refuses, in its words.
    package static func emptyMessage(
        _ plan: ExchangePlan, id: String, refusal: String? = nil
    ) -> [UInt8] {
        empty(plan, id: id, refusal, .message)
    }

    /// The same as a stream.
    package static func emptyStream(
        _ plan: ExchangePlan, id: String, refusal: String? = nil
    ) -> [UInt8] {
        empty(plan, id: id, refusal, .events)
    }

    private static func empty(
        _ plan: ExchangePlan, id: String, _ refusal: String?, _ form: AnswerForm
    ) -> [UInt8] {
        var answer: [UInt8] = []
        form.messageStart(id: id, model: plan.shownModel, into: &answer)
        let reason = refusal == nil ? StopReason.maxTokens : .refusal
        form.messageEnd(
            MessageEnd(
                stopReason: reason, refusal: refusal.map { Array($0.utf8) }, usage: Usage()),
            into: &answer)
        return answer
    }
}
