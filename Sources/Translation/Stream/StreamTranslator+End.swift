// How a stream begins and ends.

extension StreamTranslator {
    mutating func start(into events: inout [UInt8]) {
        phase = .open
        EventWriter.messageStart(id: messageID, model: plan.requestedModel, into: &events)
    }

    /// Ends the message as the finish reason says, or as its content does where there is none.
    mutating func complete(into events: inout [UInt8]) {
        guard !isOver else { return }
        if finish == nil, tools.contains(where: { !$0.isComplete }) || !phase.isBegun {
            return fail(.upstreamCut, into: &events)
        }
        if finish == nil { report.repairs.append("finish_reason") }
        if !phase.isBegun { start(into: &events) }
        flushText(into: &events)
        guard !isOver else { return }
        finishTools(into: &events)
        end(into: &events, sequence: nil)
    }

    /// Stops at a stop sequence of the client's: what the upstream still sends is not wanted.
    mutating func endAtStopSequence(_ sequence: String, into events: inout [UInt8]) {
        wantsUpstreamCancelled = true
        end(into: &events, sequence: sequence)
    }

    mutating func end(into events: inout [UInt8], sequence: String?) {
        closeBlock(into: &events)
        let hasToolUse = report.toolCallCount > 0
        if !hasToolUse, !report.hasText {
            EventWriter.blockStart(nextIndex, #"{"type":"text","text":""}"#, into: &events)
            EventWriter.blockStop(nextIndex, into: &events)
        }
        var reason = (finish ?? .stop).stopReason(hasToolUse: hasToolUse)
        if sequence != nil { reason = .stopSequence }
        if refusal != nil { reason = .refusal }
        var usage =
            self.usage.flatMap { Usage(upstream: $0) }
            ?? Usage(estimatedInput: plan.estimatedInputTokens, outputBytes: outputBytes)
        usage.isPriority = isPriority
        report.usage = usage
        report.stopReason = reason
        EventWriter.messageDelta(
            MessageEnd(stopReason: reason, stopSequence: sequence, refusal: refusal, usage: usage),
            into: &events)
        EventWriter.messageStop(into: &events)
        phase = .ended
    }

    /// Ends the stream as failed.
    ///
    /// Open blocks stay open: a tidy end would look like success.
    mutating func fail(_ error: APIError, into events: inout [UInt8]) {
        if phase.isBegun { EventWriter.error(error, requestID: requestID, into: &events) }
        phase = .failed(error)
        wantsUpstreamCancelled = true
    }
}

extension StreamTranslator.Phase {
    /// Whether `message_start` is out.
    package var isBegun: Bool {
        switch self {
        case .waiting: false
        case .open, .finishing, .ended: true
        case .failed: false
        }
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
