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
/// client does not read, the upstream is not read either.
struct StreamRelay<Stream: AnswerStream> {
    private let exchange: MessagesExchange
    private let transfer: Transfer
    private var translator: Stream
    private let isWholeMessage: Bool
    private var output: [UInt8] = []
    private var piece: [UInt8] = []
    private var isCommitted = false
    private var answeredAt: Instant
    private var lastWriteAt: Instant
    private var lastPieceAt: Instant
    private var graceEndsAt: Instant?
    private var failureOutcome = OutcomeLabel.errorEvent

    private var context: WorkerContext { exchange.context }
    private var connection: Connection { exchange.connection }

    init(_ exchange: MessagesExchange, _ transfer: Transfer, _ translator: Stream) {
        self.exchange = exchange
        self.transfer = transfer
        self.translator = translator
        let context = exchange.context
        let type = transfer.head?.header("content-type") ?? ""
        isWholeMessage = type.hasPrefix("application/json")
        answeredAt = context.loop.now
        lastWriteAt = context.loop.now
        lastPieceAt = context.loop.now
    }

    /// Relays until the stream has ended, one way or another.
    mutating func run() async throws(ExchangeEnd) {
        if isWholeMessage {
            let body = try await exchange.collect(transfer)
            try await advance { $0.feedCompletion(body, into: &$1) }
        }
        while !isOver {
            if context.isStopping {
                try await finish(.draining)
            } else if transfer.hasBytes {
                exchange.record.noteSilence(transfer.lastByteAt.nanoseconds(since: lastPieceAt))
                lastPieceAt = transfer.lastByteAt
                transfer.take(into: &piece)
                let bytes = piece
                try await advance { translator, events in translator.feed(bytes, into: &events) }
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

    /// Lets the translator do something and sends what comes of it, in one write.
    private mutating func advance(
        _ step: (inout Stream, inout [UInt8]) -> Void
    ) async throws(ExchangeEnd) {
        if isCommitted {
            let start = connection.openChunk(in: &output)
            step(&translator, &output)
            connection.closeChunk(start, in: &output)
        } else {
            var events: [UInt8] = []
            step(&translator, &events)
            try commit(events)
        }
        if case .finishing = translator.phase, graceEndsAt == nil {
            graceEndsAt = context.loop.now + context.shared.timeouts.grace
        }
        try await flush()
    }

    /// The first events: the answer becomes a 200, unless the upstream has failed before them.
    private mutating func commit(_ events: [UInt8]) throws(ExchangeEnd) {
        if case .failed(let error) = translator.phase {
            // What the upstream has told says more than the end that came with it.
            if failureOutcome == .upstreamCut, case .failure(let failure) = transfer.end {
                throw .failed(exchange.brokenOff(transfer, failure))
            }
            throw .failed(AttemptFailure(told: error))
        }
        guard !events.isEmpty else { return }
        isCommitted = true
        exchange.beginAnswer()
        connection.beginStream(headers: exchange.streamHeaders, into: &output)
        let start = connection.openChunk(in: &output)
        output.append(contentsOf: events)
        connection.closeChunk(start, in: &output)
    }

    private mutating func flush() async throws(ExchangeEnd) {
        guard !output.isEmpty else { return }
        let (now, count) = (context.loop.now, output.count)
        guard await connection.send(stream: &output) else { throw .clientGone }
        let sentAt = Instant.read()
        exchange.record.noteOutput(
            hasToken: translator.report.hasOutput, bytes: count, at: sentAt)
        lastWriteAt = sentAt
        // A client that made the write wait took its own time, not ours.
        if context.loop.now == now { exchange.record.noteAnswerWork(from: now, to: sentAt) }
    }

    // MARK: - Silence

    /// Suspends until bytes come, and keeps the client alive meanwhile.
    private mutating func waitForMore() async throws(ExchangeEnd) {
        let timeouts = context.shared.timeouts
        let idleEndsAt = transfer.lastByteAt + timeouts.upstreamIdle
        let pingAt =
            isCommitted ? lastWriteAt + timeouts.ping : answeredAt + timeouts.commitAfter
        let totalEndsAt = exchange.record.startedAt + timeouts.request
        var next = min(idleEndsAt, min(pingAt, totalEndsAt))
        if let graceEndsAt { next = min(next, graceEndsAt) }
        context.loop.set(exchange.timer, at: next)
        await connection.signal.wait()
        guard !connection.isPeerGone else { throw .clientGone }
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

    private mutating func finish(_ end: StreamTranslator.End) async throws(ExchangeEnd) {
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
    private mutating func conclude() async {
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
