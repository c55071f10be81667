// A streamed answer: upstream's bytes in, Anthropic's events out.
internal import Configuration
internal import EventLoop
internal import HTTP
internal import Server
internal import Telemetry
internal import Translation
internal import Upstream

/// Relays one stream.
///
/// For each piece of bytes that the upstream sends there is one write to the client; while the
/// client does not read, the upstream is not read either. Once the stream is open, a piece is
/// relayed where it comes in (`settles`), and the task wakes only for what is not routine.
final class StreamRelay: SignalListener {
    private let exchange: MessagesExchange
    private let transfer: Transfer
    private let translator: any AnswerStream
    private let isWholeMessage: Bool
    /// Whether the upstream does not say that it streams, and nothing of it was looked at.
    private var isUntyped: Bool
    /// What is still to be sent.
    private var output: [UInt8] = []
    private var isCommitted = false
    private let answeredAt: Instant
    private var lastWriteAt: Instant
    private var lastPieceAt: Instant
    private var graceEndsAt: Instant?
    private var failureOutcome = OutcomeLabel.errorEvent

    private var context: WorkerContext { exchange.context }
    private var connection: Connection { exchange.connection }

    init(_ exchange: MessagesExchange, _ transfer: Transfer, _ translator: any AnswerStream) {
        self.exchange = exchange
        self.transfer = transfer
        self.translator = translator
        let now = exchange.context.loop.now
        let type = transfer.head?.header("content-type")?.lowercased() ?? ""
        isWholeMessage = type.hasPrefix("application/json")
        isUntyped = !isWholeMessage && !type.hasPrefix("text/event-stream")
        answeredAt = now
        lastWriteAt = now
        lastPieceAt = now
    }

    /// Relays until the stream has ended, one way or another.
    func run() async throws(ExchangeEnd) {
        if isWholeMessage {
            let body = try await exchange.collect(transfer)
            try await advance { $0.feedCompletion(body, into: &$1) }
        }
        while !isOver {
            if context.isStopping {
                try await finish(.draining)
            } else if transfer.hasBytes, isUntyped {
                try await relayUntyped()
            } else if transfer.hasBytes {
                try relayPiece()
                try await flush()
            } else if let end = transfer.end {
                try await finish(Self.isWhole(end) ? .endOfStream : .reset)
            } else {
                try await waitForMore()
            }
        }
        await conclude()
    }

    private var isOver: Bool {
        switch translator.phase {
        case .waiting, .open, .finishing: false
        case .ended, .failed: true
        }
    }

    // MARK: - Relaying

    /// Relays a piece without waking the task; what is left over is the task's.
    func settles() -> Bool {
        guard isCommitted, translator.isOpen, transfer.hasBytes, transfer.end == nil,
            !connection.isPeerGone, !context.isStopping, context.loop.now < totalEndsAt
        else { return false }
        swap(&output, &context.streamRoom.output)
        defer { if output.isEmpty { swap(&output, &context.streamRoom.output) } }
        // It fails only before anything has gone out.
        guard (try? relayPiece()) != nil, translator.isOpen else { return false }
        let count = output.count
        connection.sendNow(stream: &output)
        noteSent(count - output.count, since: context.loop.now)
        guard output.isEmpty else { return false }
        setTimer()
        return true
    }

    /// Translates what has come in.
    private func relayPiece() throws(ExchangeEnd) {
        exchange.record.noteSilence(transfer.lastByteAt.nanoseconds(since: lastPieceAt))
        lastPieceAt = transfer.lastByteAt
        var piece: [UInt8] = []
        swap(&piece, &context.streamRoom.piece)
        transfer.take(into: &piece)
        try translate { $0.feed(piece, into: &$1) }
        swap(&piece, &context.streamRoom.piece)
    }

    /// Looks at the first piece of what is not called a stream: some servers send a whole answer as
    /// text, over several lines.
    private func relayUntyped() async throws(ExchangeEnd) {
        isUntyped = false
        var piece: [UInt8] = []
        transfer.take(into: &piece)
        guard Self.beginsDocument(piece) else {
            return try await advance { $0.feed(piece, into: &$1) }
        }
        let body = piece + (try await exchange.collect(transfer))
        try await advance { $0.feedCompletion(body, into: &$1) }
    }

    /// Whether nothing but the bracket of an object stands in the first line.
    private static func beginsDocument(_ piece: [UInt8]) -> Bool {
        let line = piece.drop { $0 <= 0x20 }.prefix { $0 != 0x0a }
        return line.first == UInt8(ascii: "{") && line.dropFirst().allSatisfy { $0 <= 0x20 }
            && line.endIndex < piece.count
    }

    /// Lets the translator do something and sends what comes of it, in one write.
    private func advance(
        _ step: (any AnswerStream, inout [UInt8]) -> Void
    ) async throws(ExchangeEnd) {
        try translate(step)
        try await flush()
    }

    /// Lets the translator do something.
    private func translate(
        _ step: (any AnswerStream, inout [UInt8]) -> Void
    ) throws(ExchangeEnd) {
        if isCommitted {
            let start = connection.openChunk(in: &output)
            step(translator, &output)
            connection.closeChunk(start, in: &output)
        } else {
            var events: [UInt8] = []
            step(translator, &events)
            try commit(events)
        }
        guard !translator.isOpen, graceEndsAt == nil, case .finishing = translator.phase else {
            return
        }
        graceEndsAt = context.loop.now + context.shared.timeouts.grace
    }

    /// The first events: the answer becomes a 200, unless the upstream has failed before them.
    private func commit(_ events: [UInt8]) throws(ExchangeEnd) {
        if case .failed(let error) = translator.phase {
            // What the upstream has told says more than the end that came with it.
            if failureOutcome == .upstreamCut, case .failure(let failure) = transfer.end {
                throw .failed(exchange.brokenOff(transfer, failure))
            }
            throw .failed(AttemptFailure(told: error))
        }
        guard !events.isEmpty else { return }
        isCommitted = true
        exchange.record.completionID = translator.report.completionID
        exchange.beginAnswer()
        connection.beginStream(headers: exchange.streamHeaders, into: &output)
        let start = connection.openChunk(in: &output)
        output.append(contentsOf: events)
        connection.closeChunk(start, in: &output)
    }

    /// Sends what is to be sent, however long the client takes.
    private func flush() async throws(ExchangeEnd) {
        guard !output.isEmpty else { return }
        let (now, count) = (context.loop.now, output.count)
        guard await connection.send(stream: &output) else { throw .clientGone }
        noteSent(count, since: now)
    }

    private func noteSent(_ count: Int, since start: Instant) {
        let sentAt = Instant.read()
        exchange.record.noteOutput(hasToken: translator.hasOutput, bytes: count, at: sentAt)
        lastWriteAt = sentAt
        // A client that made the write wait took its own time, not ours.
        if context.loop.now == start { exchange.record.noteAnswerWork(from: start, to: sentAt) }
    }

    // MARK: - Silence

    private var totalEndsAt: Instant {
        exchange.record.startedAt + context.shared.timeouts.request
    }

    private var idleEndsAt: Instant { transfer.lastByteAt + context.shared.timeouts.upstreamIdle }

    private var pingAt: Instant {
        isCommitted
            ? lastWriteAt + context.shared.timeouts.ping
            : answeredAt + context.shared.timeouts.commitAfter
    }

    /// Has the task wake at the next of its deadlines.
    private func setTimer() {
        var next = min(idleEndsAt, min(pingAt, totalEndsAt))
        if let graceEndsAt { next = min(next, graceEndsAt) }
        context.loop.set(exchange.timer, at: next)
    }

    /// Suspends until something comes that is not settled meanwhile, and keeps the client alive.
    private func waitForMore() async throws(ExchangeEnd) {
        setTimer()
        connection.signal.listener = self
        await connection.signal.wait()
        connection.signal.listener = nil
        guard !connection.isPeerGone else { throw .clientGone }
        try await flush()
        guard !isOver else { return }
        let now = context.loop.now
        if context.isStopping { return try await finish(.draining) }
        // Also when something has come: a stream that never falls silent has its limit too.
        if now >= totalEndsAt { return try await finish(.idleTimeout) }
        guard !transfer.hasBytes, transfer.end == nil else { return }
        if let graceEndsAt, now >= graceEndsAt { return try await finish(.graceElapsed) }
        if now >= idleEndsAt { return try await finish(.idleTimeout) }
        guard now >= pingAt else { return }
        if isCommitted { exchange.record.pings += 1 }
        let isFirst = !isCommitted
        try await advance { translator, events in
            if isFirst {
                translator.commit(into: &events)
            } else {
                StreamTranslator.ping(into: &events)
            }
        }
    }

    private static func isWhole(_ end: Result<Void, TransferFailure>) -> Bool {
        if case .success = end { true } else { false }
    }

    private func finish(_ end: StreamTranslator.End) async throws(ExchangeEnd) {
        exchange.record.noteSilence(context.loop.now.nanoseconds(since: transfer.lastByteAt))
        failureOutcome =
            switch end {
            case .draining: .drained
            case .idleTimeout: .idleTimeout
            case .endOfStream, .reset: .upstreamCut
            case .graceElapsed: .errorEvent
            }
        try await advance { translator, events in translator.finish(end, into: &events) }
    }

    /// The last word to the client, and to the books.
    private func conclude() async {
        exchange.record.note(translator.report)
        switch translator.phase {
        case .failed(let error):
            exchange.record.error = error
            exchange.record.outcome = failureOutcome
        case .waiting, .open, .finishing, .ended: exchange.record.outcome = .completed
        }
        if translator.wantsUpstreamCancelled { transfer.cancel() } else { transfer.abandon() }
        await connection.endStream(&output)
    }
}
