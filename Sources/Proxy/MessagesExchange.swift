// One `POST /v1/messages`, first byte to last.
internal import Configuration
internal import EventLoop
internal import HTTP
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
    let purpose: Purpose
    let record: ExchangeRecord
    /// What the client has sent; kept until its answer begins.
    var requestBody: [UInt8] = []
    /// What goes out for it; kept as long.
    var outgoing: OutgoingRequest?
    /// The upstream that is being asked and about which nothing is known yet.
    var asked: UpstreamServer?
    /// What the input was estimated at.
    var tokenEstimate = TokenEstimate()
    /// What a refusal taught about this one request.
    var ownQuirks: Set<Quirk> = []
    /// What the request took of our own limits.
    var grant: RateLimits.Grant?
    /// Raises the connection's signal when a deadline has passed.
    let timer: Timer

    /// What the client wants.
    enum Purpose { case message, tokenCount }

    init(
        _ context: WorkerContext, _ head: RequestHead, _ connection: Connection, _ room: Room,
        _ purpose: Purpose
    ) {
        self.context = context
        self.purpose = purpose
        self.head = head
        self.connection = connection
        self.room = room
        timer = Timer(connection.signal)
        record = ExchangeRecord(
            requestID: context.mint.next("req"), startedAt: context.loop.now)
        record.traceID = TraceContext(head)?.traceID
        record.sessionID = head.header("x-claude-code-session-id").map { String($0.prefix(64)) }
    }

    /// The whole story.
    func run() async {
        defer { context.loop.cancel(timer) }
        do throws(ExchangeEnd) {
            requestBody = try await readRequest()
            switch purpose {
            case .message: try await ask()
            case .tokenCount: try await countTokens()
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

    /// Only an upstream with Anthropic's own interface counts tokens; for others we estimate.
    @inline(never)
    private func countTokens() async throws(ExchangeEnd) {
        let first = try await candidates()[0]
        guard context.shared.upstreams[first].settings.interface == .openai else {
            return try await ask()
        }
        let server = context.shared.upstreams[first]
        let now = context.loop.now
        let body = requestBody
        let (model, estimate) = try await parsing { () throws(APIError) in
            try SmallEndpoints.estimate(body, server.translator) {
                server.learned.quirks(of: $0, now: now)
            }
        }
        let count = context.shared.calibration.calibrated(careful: estimate, for: model)
        context.metrics.countedTokens(count.isLearned ? .learned : .estimate)
        record.outcome = .completed
        await respond(SmallEndpoints.count(count.tokens))
    }

    /// Answers with nothing, since nothing was asked for, or with a refusal.
    @inline(never)
    func answerLocally(_ plan: ExchangePlan, refusal: String? = nil) async {
        let id = context.mint.next("msg")
        record.stopReason = refusal == nil ? .maxTokens : .refusal
        record.outcome = .completed
        guard plan.isStream else {
            return await respond(SmallEndpoints.emptyMessage(plan, id: id, refusal: refusal))
        }
        record.status = 200
        var output: [UInt8] = []
        connection.beginStream(headers: streamHeaders, into: &output)
        let start = connection.openChunk(in: &output)
        output += SmallEndpoints.emptyStream(plan, id: id, refusal: refusal)
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
    func relayAnswer(
        _ transfer: Transfer, _ request: OutgoingRequest
    ) async throws(ExchangeEnd) {
        guard request.plan.isStream else { return try await relayMessage(transfer, request) }
        context.metrics.streamsInFlight(1)
        defer { context.metrics.streamsInFlight(-1) }
        try await StreamRelay(self, transfer, answerStream(for: request)).run()
    }

    /// Not asynchronous: what it holds for a moment is no part of a frame that stands for hours.
    private func answerStream(for request: OutgoingRequest) -> any AnswerStream {
        switch request.link.server.settings.interface {
        case .openai:
            TranslatedStream(
                plan: request.plan, messageID: context.mint.next("msg"),
                requestID: record.requestID, mint: context.mint.forked())
        case .anthropic: EventPassage(request.plan, requestID: record.requestID)
        }
    }

    @inline(never)
    private func relayMessage(
        _ transfer: Transfer, _ request: OutgoingRequest
    ) async throws(ExchangeEnd) {
        let body = try await collect(transfer)
        let start = context.loop.now
        do throws(APIError) {
            var answer = body
            switch request.link.server.settings.interface {
            case .openai:
                let translator = MessageTranslator(plan: request.plan)
                let message = try translator.translate(completion: body, mint: &context.mint)
                record.note(message.report)
                answer = message.body
            case .anthropic: record.note(try PassedMessage.read(body, request.plan))
            }
            record.responseBytes = answer.count
            record.outcome = .completed
            record.noteAnswerWork(from: start, to: .read())
            await respond(answer)
        } catch {
            throw .failed(AttemptFailure(told: error))
        }
    }

    private func respond(_ bytes: [UInt8]) async {
        record.status = 200
        judge(true)
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
        case .failed(let failure):
            guard let plan = outgoing?.plan, failure.error.isFiltered,
                context.shared.settings.filterAsRefusal
            else { return await tell(failure.error) }
            await answerLocally(plan, refusal: failure.error.message)
        }
    }

    private func tell(_ error: APIError) async {
        record.note(error)
        await connection.respond(error, record.requestID, answerHeaders)
    }
}

/// Why an exchange ends before its answer is out.
indirect enum ExchangeEnd: Error {
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
        case .malformed(let error):
            self = .error(
                APIError(
                    .invalidRequest, error.message, label: .callerInvalid, status: error.status))
        case .tooLarge: self = .error(.tooLarge(bytesMax))
        case .noRoom: self = .error(.overBudget)
        }
    }
}
