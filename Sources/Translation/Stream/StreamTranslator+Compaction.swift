// A summary of the conversation as the whole answer (translation 1.1, `compaction`).
internal import JSON

extension StreamTranslator {
    /// Keeps text of the summary: one that is cut must not go out as if it were whole.
    mutating func summarize(_ text: [UInt8], into events: inout [UInt8]) {
        summary += text
        outputBytes += text.count
        report.hasText = true
        if summary.count > Self.heldBytesMax { overflow(into: &events) }
    }

    /// Notes calls, which a summary has no place for.
    mutating func noteCalls(_ delta: JSONValue) {
        guard
            delta["tool_calls"]?.elements.isEmpty == false
                || delta["function_call"]?.isNull == false
        else { return }
        report.lost("tool_use")
    }

    /// Writes the one block of the answer.
    ///
    /// Without a text the client keeps the conversation as it is: where the summary was cut or
    /// refused, or where the model went on with its work instead.
    mutating func writeSummary(into events: inout [UInt8]) {
        let isWhole = finish == .stop || finish == nil
        let isSummary =
            isWhole && refusal == nil && !report.losses.contains("tool_use")
            && summary.contains { $0 > 0x20 }
        form.compaction(
            nextIndex, isSummary ? summary : nil, signature: ThinkingSignature().encoded,
            into: &events)
        report.hasOutput = true
        nextIndex += 1
    }
}
