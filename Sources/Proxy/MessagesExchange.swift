// One `POST /v1/messages`, first byte to last.
internal import Configuration
internal import EventLoop
internal import HTTP
internal import JSON
internal import Server
internal import Telemetry
internal import Translation
internal import Upstream

/// An exchange: the client's request, translated and sent upstream, and the answer, translated and
/// sent back.
///
/// Lives on one worker. However it ends, it is recorded once.
final class MessagesExchange {
    let context: WorkerContext
    let connection: Connection
    let head: RequestHead
    let room: Room
    var record: ExchangeRecord
    /// What the input was estimated at.
    var tokenEstimate = TokenEstimate()
    /// What a refusal taught about this one request.
    var ownQuirks: Set<Quirk> = []
    /// What the request took of our own limits.
    var grant: RateLimits.Grant?
    /// Raises the connection's signal when a deadline has passed.
    let timer: Timer

    init(_ context: WorkerContext, _ head: RequestHead, _ connection: Connection, _ room: Room) {
        self.context = context
        self.head = head
        self.connection = connection
        self.room = room
        timer = Timer(connection.signal)
        record = ExchangeRecord(
            requestID: context.mint.next("req"), startedAt: context.loop.now)
        record.traceID = TraceContext(head)?.traceID
    }

    /// The whole story.
    func run() async {
        defer { context.loop.cancel(timer) }
        do throws(ExchangeEnd) {
            let body = try await readRequest()
            switch try await translateRequest(body) {
            case .local(let plan): await answerLocally(plan)
            case .upstream(let upstreamBody, var plan):
                estimate(upstreamBody, &plan)
                try enter(plan)
                try await ask(body, upstreamBody, plan)
            }
        } catch {
            await conclude(error)
        }
    }

    // MARK: - The request

    private func readRequest() async throws(ExchangeEnd) -> [UInt8] {
        let bytesMax = context.shared.settings.requestBytesMax
        do throws(RequestBodyError) {
            let body = try await context.readBody(of: head, connection, room)
            record.requestBytes = body.count
            return body
        } catch {
            if error == .noRoom { context.reject(.budget) }
            throw ExchangeEnd(error, bytesMax: bytesMax)
        }
    }

    /// A big body would hold up other people's tokens: it is translated on another thread.
    func translateRequest(_ body: [UInt8]) async throws(ExchangeEnd) -> TranslatedRequest {
        let session = head.header("x-claude-code-session-id")
        let translator = context.shared.translator
        let (learned, now) = (context.shared.learned, context.loop.now)
        let own = ownQuirks
        let quirks: @Sendable (String) -> Set<Quirk> = {
            learned.quirks(of: $0, now: now).union(own)
        }
        let start = Instant.read()
        do throws(APIError) {
            let request =
                body.count < OffWorker.bytesMin
                ? try translator.translate(body, session: session, quirks: quirks)
                : try await OffWorker.run {
                    Result { () throws(APIError) in
                        try translator.translate(body, session: session, quirks: quirks)
                    }
                }.get()
            record.note(request.plan)
            record.noteRequestWork(since: start)
            return request
        } catch {
            throw .error(error)
        }
    }

    private func answerLocally(_ plan: ExchangePlan) async {
        let id = context.mint.next("msg")
        record.stopReason = .maxTokens
        record.outcome = .completed
        guard plan.isStream else { return await respond(SmallEndpoints.emptyMessage(plan, id: id)) }
        record.status = 200
        var output: [UInt8] = []
        connection.beginStream(headers: streamHeaders, into: &output)
        let start = connection.openChunk(in: &output)
        output += SmallEndpoints.emptyStream(plan, id: id)
        connection.closeChunk(start, in: &output)
        await connection.endStream(&output)
    }

    /// Headers of a stream: nothing on the way may buffer, change or keep it.
    var streamHeaders: [(String, String)] {
        [
            ("content-type", "text/event-stream; charset=utf-8"),
            ("cache-control", "no-cache, no-transform"), ("x-accel-buffering", "no"),
            ("request-id", record.requestID),
        ] + answerHeaders
    }

    // MARK: - The answer

    /// Relays an answer of 2xx; it fails only before a byte has gone to the client.
    func relay(_ transfer: Transfer, _ plan: ExchangePlan) async throws(ExchangeEnd) {
        var plan = plan
        plan.secrets = secrets
        guard plan.isStream else { return try await relayMessage(transfer, plan) }
        context.metrics.streamsInFlight(1)
        defer { context.metrics.streamsInFlight(-1) }
        var relay = StreamRelay(self, transfer, plan)
        try await relay.run()
    }

    private func relayMessage(_ transfer: Transfer, _ plan: ExchangePlan) async throws(ExchangeEnd)
    {
        let body = try await collect(transfer)
        let start = context.loop.now
        do throws(APIError) {
            let translator = MessageTranslator(plan: plan)
            let message = try translator.translate(completion: body, mint: &context.mint)
            record.note(message.report)
            record.responseBytes = message.body.count
            record.outcome = .completed
            record.noteAnswerWork(from: start, to: .read())
            await respond(message.body)
        } catch {
            throw .failed(AttemptFailure(told: error))
        }
    }

    private func respond(_ bytes: [UInt8]) async {
        record.status = 200
        await connection.respond(
            status: 200, headers: WorkerContext.headers(record.requestID) + answerHeaders,
            body: bytes)
    }

    /// Answers with an error, or lets go of a client that has left.
    private func conclude(_ end: ExchangeEnd) async {
        switch end {
        case .clientGone:
            record.outcome = .clientDisconnect
            connection.abort()
        case .error(let error): await tell(error)
        case .failed(let failure): await tell(failure.error)
        }
    }

    private func tell(_ error: APIError) async {
        record.note(error)
        await connection.respond(error, record.requestID, answerHeaders)
    }
}

/// Why an exchange ends before its answer is out.
enum ExchangeEnd: Error {
    /// The client is to be told, by a status of its own.
    case error(APIError)
    /// An attempt at the upstream has failed; another one may not.
    case failed(AttemptFailure)
    /// Nobody is left to be told.
    case clientGone

    init(_ error: RequestBodyError, bytesMax: Int) {
        switch error {
        case .incomplete: self = .clientGone
        case .tooSlow: self = .error(.tooSlow)
        case .malformed(let error): self = .error(.invalid(error.message))
        case .tooLarge: self = .error(.tooLarge(bytesMax))
        case .noRoom: self = .error(.overBudget)
        }
    }
}
