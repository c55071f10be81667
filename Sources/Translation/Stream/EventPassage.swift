// Anthropic's own event stream on its way through: looked at, not changed.
internal import EventStream
internal import JSON

/// Passes the events of a Messages stream on, byte for byte and whole: a cut in the middle of one
/// never reaches the client, and a ping always finds its place.
///
/// Only the few events that the books need are parsed; deltas are told by their names.
package final class EventPassage: AnswerStream {
    /// Where the stream is.
    package private(set) var phase = StreamTranslator.Phase.waiting
    /// The books so far.
    package private(set) var report = StreamReport()
    /// Whether the message has begun and goes on.
    package var isOpen: Bool { if case .open = phase { true } else { false } }
    /// Whether any delta has gone out.
    package var hasOutput: Bool { report.hasOutput }
    /// Nothing comes behind the last event.
    package let wantsUpstreamCancelled = false

    private let secrets: [String]
    private let ownsKey: Bool
    private let requestID: String
    /// The beginning of an event whose end has not come, and how much of it was searched.
    private var tail: [UInt8] = []
    private var searched = 0

    /// A passage for one stream.
    package init(_ plan: ExchangePlan, requestID: String) {
        secrets = plan.secrets
        ownsKey = plan.ownsKey
        self.requestID = requestID
    }

    /// Takes a piece of the upstream's stream; appends whole events.
    package func feed(_ piece: [UInt8], into events: inout [UInt8]) {
        let bytes = tail.isEmpty ? piece : tail + piece
        var start = 0
        var index = searched
        while let lineFeed = bytes[index...].firstIndex(of: 0x0a), !isOver {
            index = lineFeed + 1
            guard let end = Self.emptyLineEnd(bytes, after: index) else { continue }
            guard end <= bytes.count else { break }
            let event = bytes[start..<end]
            note(event)
            // An error before anything else is told by a status of its own.
            if case .failed = phase, !isCommitted { return }
            events += event
            isCommitted = true
            (start, index) = (end, end)
        }
        tail = Array(bytes[start...])
        searched = max(0, index - start - 1)
        if tail.count > EventStreamReader.lineBytesMax, !isOver {
            fail(.upstreamProtocol("upstream sent an event without an end"), into: &events)
        }
    }

    /// Whether anything has gone out.
    private var isCommitted = false

    private var isOver: Bool {
        switch phase {
        case .waiting, .open, .finishing: false
        case .ended, .failed: true
        }
    }

    /// The end of an empty line that begins at an index; beyond the bytes when it may be one.
    private static func emptyLineEnd(_ bytes: [UInt8], after index: Int) -> Int? {
        guard index < bytes.count else { return index + 1 }
        if bytes[index] == 0x0a { return index + 1 }
        guard bytes[index] == 0x0d else { return nil }
        guard index + 1 < bytes.count else { return index + 2 }
        return bytes[index + 1] == 0x0a ? index + 2 : nil
    }

    /// Writes a ping although nothing has come; clients skip it wherever it stands.
    package func commit(into events: inout [UInt8]) {
        guard case .waiting = phase, !isCommitted else { return }
        isCommitted = true
        EventWriter.ping(into: &events)
    }

    /// An answer that is no stream is an error, one way or another.
    package func feedCompletion(_ body: [UInt8], into events: inout [UInt8]) {
        let error = (try? JSONDocument(parsing: body)).flatMap {
            PassedError.inBand($0.root, ownsKey: ownsKey)
        }
        fail(error ?? .upstreamProtocol("upstream answered without a stream"), into: &events)
    }

    /// The upstream's stream is over; without its last event that is a failure.
    package func finish(
        _ end: StreamTranslator.End, into events: inout [UInt8]
    ) {
        // The last event may come without its empty line.
        if end == .endOfStream || end == .reset, Self.document(tail[...]) != nil {
            feed(Array("\n\n".utf8), into: &events)
        }
        guard !isOver else { return }
        fail(end.error(isWaiting: !isCommitted), into: &events)
    }

    private func fail(_ error: APIError, into events: inout [UInt8]) {
        let error = error.hiding(secrets)
        phase = .failed(error)
        if isCommitted { EventWriter.error(error, requestID: requestID, into: &events) }
    }

    // MARK: - The books

    private func note(_ event: ArraySlice<UInt8>) {
        let lines = event.split(separator: 0x0a)
        let name = lines.first { $0.starts(with: "event:".utf8) }
            .map { String(decoding: $0.dropFirst(6), as: UTF8.self).filter { !$0.isWhitespace } }
        if name == "content_block_delta" {
            report.hasOutput = true
            return
        }
        guard name != "ping", name != "content_block_stop", let document = Self.document(event)
        else { return }
        note(document.root, type: name ?? document.root["type"]?.text?.string ?? "")
    }

    /// The data of an event, if it is whole.
    private static func document(_ event: ArraySlice<UInt8>) -> JSONDocument? {
        let data = event.split(separator: 0x0a).first { $0.starts(with: "data:".utf8) }
        return data.flatMap { try? JSONDocument(parsing: Array($0.dropFirst(5))) }
    }

    private func note(_ root: JSONValue, type: String) {
        switch type {
        case "message_start":
            phase = .open
            note(usage: root["message"]?["usage"])
        case "content_block_start":
            let isTool = root["content_block"]?["type"]?.text.map { $0 == "tool_use" } ?? false
            if isTool { report.toolCallCount += 1 }
        case "content_block_delta": report.hasOutput = true
        case "message_delta":
            note(usage: root["usage"])
            report.stopReason = (root["delta"]?["stop_reason"]?.text?.string).flatMap {
                StopReason(rawValue: $0)
            }
        case "message_stop": phase = .ended
        case "error":
            let error = PassedError.inBand(root, ownsKey: ownsKey)
            phase = .failed(
                (error ?? .upstreamProtocol("upstream told an error")).hiding(secrets))
        default: break
        }
    }

    private func note(usage: JSONValue?) {
        guard let usage else { return }
        var known = report.usage ?? Usage()
        known.note(usage)
        report.usage = known
    }
}

extension Usage {
    /// Takes over what Anthropic's counts say; what they leave out stays.
    mutating func note(_ counts: JSONValue) {
        inputTokens = counts["input_tokens"]?.integer ?? inputTokens
        cacheReadTokens = counts["cache_read_input_tokens"]?.integer ?? cacheReadTokens
        cacheCreationTokens = counts["cache_creation_input_tokens"]?.integer ?? cacheCreationTokens
        outputTokens = counts["output_tokens"]?.integer ?? outputTokens
    }
}
