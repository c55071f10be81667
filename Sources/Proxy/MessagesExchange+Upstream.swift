// The upstream's side of an exchange: sending, waiting, collecting.
internal import Configuration
internal import EventLoop
internal import JSON
internal import Server
internal import Telemetry
internal import Translation
internal import Upstream

extension MessagesExchange {
    /// Sends the request until there is an answer of 2xx; everything else becomes an error here,
    /// while the client can still get a status.
    ///
    /// A refusal of one parameter is healed: the request is translated again without it, and what
    /// was learned is remembered (translation 0.9).
    func send(
        _ request: [UInt8], _ body: JSONOutput, _ plan: ExchangePlan
    ) async throws(ExchangeEnd) -> (Transfer, ExchangePlan) {
        var (body, plan) = (body, plan)
        while true {
            switch try await attempt(body, plan) {
            case .answer(let transfer): return (transfer, plan)
            case .refusal(let head, let text):
                guard record.retries < Self.healsMax, learns(from: head, text, plan),
                    case .upstream(let healed, let next) = try await translateRequest(request)
                else { throw .error(translate(head, text, plan)) }
                record.retries += 1
                context.metrics.retried(.unsupportedParameter)
                (body, plan) = (healed, next)
            }
        }
    }

    /// Parameters that are healed in one request, at most.
    private static let healsMax = 4

    /// Remembers what a refusal teaches; `false` when there is nothing new in it.
    private func learns(from head: UpstreamHead, _ text: [UInt8], _ plan: ExchangePlan) -> Bool {
        guard context.shared.settings.unsupported == .auto,
            let quirk = Quirk.recognise(status: head.status, body: text),
            context.shared.learned.learn(quirk, of: plan.upstreamModel, now: context.loop.now)
        else { return false }
        context.shared.log.write(.info, "learned") { line in
            line.add("quirk", quirk.name)
            line.add("upstream_model", plan.upstreamModel)
            line.add("request_id", record.requestID)
        }
        return true
    }

    private enum Attempt {
        case answer(Transfer)
        case refusal(UpstreamHead, [UInt8])
    }

    private func attempt(
        _ body: JSONOutput, _ plan: ExchangePlan
    ) async throws(ExchangeEnd) -> Attempt {
        let request = UpstreamRequest(
            url: context.shared.endpointURL(for: plan.upstreamModel),
            headers: context.upstreamHeaders(isStream: plan.isStream, head),
            body: UpstreamBody(pieces: body.pieces))
        guard let transfer = context.upstream.post(request, signal: connection.signal) else {
            throw .error(.outOfMemory)
        }
        record.upstreamStarted(context.loop.now)
        do throws(ExchangeEnd) {
            try await waitForHead(transfer)
            guard let head = transfer.head else { throw .error(.answerless) }
            record.upstreamAnswered(head, at: context.loop.now)
            noteAttempt(status: head.status, transfer.timings)
            guard !(200..<300).contains(head.status) else { return .answer(transfer) }
            return .refusal(head, try await collect(transfer))
        } catch {
            if transfer.head == nil, case .error(let problem) = error, problem.isUpstreams {
                noteAttempt(status: 0, nil)
            }
            transfer.cancel()
            throw error
        }
    }

    /// Counts one try, whatever came of it; 0 is no answer.
    ///
    /// Not counted is a try that was given up because the client left or the sidecar stops: it says
    /// nothing about the upstream.
    private func noteAttempt(status: Int, _ timings: TransferTimings?) {
        context.metrics.attempted(status: status, isRetry: record.retries > 0)
        context.shared.upstreamState.note(isReached: status > 0)
        guard let timings else { return }
        context.metrics.connected(
            isReused: timings.isReused, seconds: Double(timings.connectMicroseconds) / 1e6)
    }

    private func translate(_ head: UpstreamHead, _ body: [UInt8], _ plan: ExchangePlan) -> APIError
    {
        let ownsKey = context.shared.settings.authentication != .passthrough
        let secret =
            ownsKey
            ? context.shared.credentials.upstreamKey : Credentials.presented(self.head).first
        return UpstreamError.translate(
            status: head.status, header: { head.header($0) }, body: body,
            ErrorContext(
                secret: secret, ownsKey: ownsKey,
                model: plan.requestedModel, path: context.shared.endpointPath))
    }

    /// Suspends until the upstream's head is in.
    private func waitForHead(_ transfer: Transfer) async throws(ExchangeEnd) {
        let deadline = context.loop.now + context.shared.timeouts.firstByte
        while transfer.head == nil {
            if case .failure(let failure) = transfer.end {
                throw .error(APIError(failure, host: context.shared.endpointHost))
            }
            try await wait(until: deadline, "the upstream did not answer in time")
        }
    }

    /// A larger answer in one piece is nobody's completion.
    private static let answerBytesMax = 64 << 20

    /// The whole body of an answer.
    func collect(_ transfer: Transfer) async throws(ExchangeEnd) -> [UInt8] {
        var body: [UInt8] = []
        var piece: [UInt8] = []
        while true {
            let isOver = transfer.end != nil
            transfer.take(into: &piece)
            if body.isEmpty { swap(&body, &piece) } else { body.append(contentsOf: piece) }
            guard body.count <= Self.answerBytesMax else {
                throw .error(.answerTooLarge)
            }
            guard room.hold(answer: body.count, besideBody: record.requestBytes) else {
                throw .error(.overBudget)
            }
            if isOver, !transfer.hasBytes { break }
            if transfer.hasBytes { continue }
            let deadline = transfer.lastByteAt + context.shared.timeouts.upstreamIdle
            try await wait(until: deadline, "the upstream stopped answering")
        }
        if case .failure(let failure) = transfer.end {
            throw .error(APIError(failure, host: context.shared.endpointHost))
        }
        return body
    }

    /// Suspends until something happens; throws when the client has left, the deadline has passed,
    /// or the sidecar stops.
    func wait(until deadline: Instant, _ complaint: String) async throws(ExchangeEnd) {
        let loop = context.loop
        let last = min(deadline, record.startedAt + context.shared.timeouts.request)
        loop.set(timer, at: last)
        await connection.signal.wait()
        guard !connection.isPeerGone else { throw .clientGone }
        guard !context.isStopping else { throw .error(.stopping) }
        guard loop.now < last else {
            throw .error(APIError(.timeout, complaint, label: .upstreamTimeout))
        }
    }
}
