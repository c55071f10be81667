// A streamed answer on its way to the client, whatever its upstream speaks.

/// What a streamed answer goes through on its way to the client.
package protocol AnswerStream: AnyObject {
    /// Where the stream is.
    var phase: StreamTranslator.Phase { get }
    /// Whether the phase is `open`.
    var isOpen: Bool { get }
    /// Whether any text, reasoning or tool call has gone out.
    var hasOutput: Bool { get }
    /// The books so far.
    var report: StreamReport { get }
    /// Whether the upstream goes on after the client has got all it wanted.
    var wantsUpstreamCancelled: Bool { get }
    /// Takes a piece of the upstream's stream; appends whole events.
    func feed(_ piece: [UInt8], into events: inout [UInt8])
    /// Takes an answer that is no stream though one was asked for.
    func feedCompletion(_ body: [UInt8], into events: inout [UInt8])
    /// Writes something although nothing has come: the client must not wait longer for a status.
    func commit(into events: inout [UInt8])
    /// The upstream's stream is over, one way or another.
    func finish(_ end: StreamTranslator.End, into events: inout [UInt8])
}

/// A stream's translator by reference: it is big, and whoever relays it must not copy it.
package final class TranslatedStream: AnswerStream {
    private var translator: StreamTranslator

    /// A translator for one stream.
    package init(plan: ExchangePlan, messageID: String, requestID: String, mint: IdentifierMint) {
        translator = StreamTranslator(
            plan: plan, messageID: messageID, requestID: requestID, mint: mint)
    }

    /// Where the stream is.
    package var phase: StreamTranslator.Phase { translator.phase }
    /// Whether the phase is `open`.
    package var isOpen: Bool { if case .open = translator.phase { true } else { false } }
    /// Whether any text, reasoning or tool call has gone out.
    package var hasOutput: Bool { translator.report.hasOutput }
    /// The books so far.
    package var report: StreamReport { translator.report }
    /// Whether the upstream goes on after the client has got all it wanted.
    package var wantsUpstreamCancelled: Bool { translator.wantsUpstreamCancelled }

    /// Takes a piece of the upstream's stream; appends whole events.
    package func feed(_ piece: [UInt8], into events: inout [UInt8]) {
        translator.feed(piece, into: &events)
    }

    /// Takes an answer that is no stream though one was asked for.
    package func feedCompletion(_ body: [UInt8], into events: inout [UInt8]) {
        translator.feedCompletion(body, into: &events)
    }

    /// Writes something although nothing has come: the client must not wait longer for a status.
    package func commit(into events: inout [UInt8]) { translator.commit(into: &events) }

    /// The upstream's stream is over, one way or another.
    package func finish(_ end: StreamTranslator.End, into events: inout [UInt8]) {
        translator.finish(end, into: &events)
    }
}
