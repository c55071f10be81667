// How a stream ends.
internal import JSON

extension StreamTranslator {
    /// Ends the message as the finish reason says, or as its content does where there is none.
    mutating func complete(into events: inout [UInt8]) {
        guard !isOver else { return }
        guard finish != nil || isWhole || tools.allSatisfy({ $0.isComplete || !$0.hasArguments })
        else { return fail(.upstreamCut, into: &events) }
        if !hasUnclosedTools {
            noteSound(into: &events)
            flushText(into: &events)
        }
        guard !isOver else { return }
        finishTools(into: &events)
        flushTextBehindTools(into: &events)
        guard !isOver else { return }
        if finish == nil {
            // Some servers only say `[DONE]`: enough where something was said before it.
            guard report.hasText || report.toolCallCount > 0 || isWhole else {
                return fail(.upstreamProtocol("the upstream sent no completion"), into: &events)
            }
            report.repaired("finish_reason")
        }
        end(into: &events)
    }

    /// Writes the end of the message.
    mutating func end(into events: inout [UInt8]) {
        closeBlock(into: &events)
        let hasToolUse = report.toolCallCount > 0
        noteStarvation()
        if plan.isCompaction {
            writeSummary(into: &events)
        } else if !hasToolUse, !report.hasText {
            openBlock(.text, into: &events)
            closeBlock(into: &events)
        }
        var reason = (finish ?? .stop).stopReason(hasToolUse: hasToolUse)
        let sequence = reason == .endTurn || stopScanner.match != nil ? metSequence : nil
        if finish == .toolCalls, !hasToolUse { report.repaired("finish_reason") }
        if sequence != nil, !hasToolUse { reason = .stopSequence }
        if refusal != nil { reason = .refusal }
        if plan.isCompaction { reason = .compaction }
        var usage = finalUsage()
        usage.webSearches = writeSearchResults(into: &events)
        report.usage = usage
        report.stopReason = reason
        form.messageEnd(
            MessageEnd(
                stopReason: reason, stopSequence: reason == .stopSequence ? sequence : nil,
                refusal: refusal.map(Self.decoded), usage: usage),
            into: &events)
        phase = .ended
    }

    /// Notes that the model reasoned until its tokens were used up, and said nothing.
    private mutating func noteStarvation() {
        guard finish == .length, plan.lacksHeadroom, !report.hasText, tools.isEmpty else { return }
        let told = usage.flatMap { Usage(upstream: $0) }?.thinkingTokens ?? 0
        report.isStarved = outputBytes > 0 || told > 0
    }

    private func finalUsage() -> Usage {
        let document = usageText.isEmpty ? nil : try? JSONDocument(parsing: usageText)
        var usage =
            (document?.root ?? self.usage).flatMap { Usage(upstream: $0) }
            ?? Usage(estimatedInput: plan.estimatedInputTokens, outputBytes: outputBytes)
        usage.isPriority = isPriority ?? false
        usage.isFast = plan.tellsSpeed ? isPriority : nil
        // A client that was told an estimate keeps it where the end says zero.
        if plan.options.estimatesAtStart { usage.inputTokens = max(1, usage.inputTokens) }
        return usage
    }

    private static func decoded(_ escaped: [UInt8]) -> [UInt8] {
        var decoded: [UInt8] = []
        unsafe escaped.withUnsafeBytes { JSONEscape.appendDecoded($0, to: &decoded) }
        return decoded
    }

    /// Ends the stream as failed.
    ///
    /// Open blocks stay open: a tidy end would look like success.
    mutating func fail(_ error: APIError, into events: inout [UInt8]) {
        if phase.isBegun, form == .events {
            EventWriter.error(error, requestID: requestID, into: &events)
        }
        phase = .failed(error)
        wantsUpstreamCancelled = true
    }
}

extension APIError {
    /// The upstream's stream ended before it said how.
    static var upstreamCut: APIError {
        APIError(
            .api, "upstream connection closed before the response was complete",
            label: .upstreamProtocol, status: 502)
    }

    /// The upstream's answer is not what it should be.
    package static func upstreamProtocol(_ message: String) -> APIError {
        APIError(.api, message, label: .upstreamProtocol, status: 502)
    }
}
