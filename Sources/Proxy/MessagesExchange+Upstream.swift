// The upstream's side of an exchange: sending, waiting, collecting.
internal import Configuration
internal import EventLoop
internal import JSON
internal import Server
internal import Telemetry
internal import Translation
internal import Upstream

extension MessagesExchange {
    /// Sends the request once and relays its answer.
    func attempt(isFresh: Bool) async throws(ExchangeEnd) {
        guard let (request, transfer) = try send(isFresh: isFresh) else { return }
        asked = request.link.server
        do throws(ExchangeEnd) {
            try await relay(request, transfer)
        } catch {
            if case .failed(let failure) = error { judge(failure.verdict) }
            throw error
        }
        // An answer has settled it; a client that has left tells nothing.
        judge(nil)
    }

    /// Starts the request; from here on only the exchange itself keeps its body.
    private func send(
        isFresh: Bool
    ) throws(ExchangeEnd) -> (OutgoingRequest, Transfer)? {
        guard let request = outgoing else { return nil }
        var post = UpstreamRequest(
            url: request.url,
            headers: request.link.headers(isStream: request.plan.isStream, head),
            body: UpstreamBody(pieces: request.body))
        post.wantsNewConnection = isFresh
        guard let transfer = request.link.client.post(post, signal: connection.signal) else {
            throw .error(.outOfMemory)
        }
        record.upstreamStarted(context.loop.now)
        return (request, transfer)
    }

    private func relay(
        _ request: OutgoingRequest, _ transfer: Transfer
    ) async throws(ExchangeEnd) {
        defer { transfer.cancel() }
        do throws(ExchangeEnd) {
            try await waitForHead(transfer)
        } catch {
            noteAnswerless(error)
            throw error
        }
        guard let head = transfer.head else {
            throw .failed(AttemptFailure(.answerless, .malformed))
        }
        noteAttempt(status: head.status, transfer.timings)
        record.upstreamAnswered(head, at: context.loop.now)
        guard !(200..<300).contains(head.status) else {
            try await relayAnswer(transfer, request)
            return learnHeadroom(request.link.server)
        }
        let text = try await collect(transfer)
        var failure = AttemptFailure(translate(head, text, request), .status(head.status))
        if head.header("x-should-retry") == "false" { failure.error.shouldRetry = false }
        failure.quirk = Quirk.recognise(
            status: head.status, body: text, known: request.plan.knownQuirks)
        if failure.quirk == nil,
            let hint = Quirk.hint(status: head.status, body: text, known: request.plan.knownQuirks)
        {
            failure.error.message += hint
        }
        throw .failed(failure)
    }

    /// Counts a try without an answer; one that was given up, because the client left or the
    /// sidecar stops, says nothing about the upstream.
    private func noteAnswerless(_ end: ExchangeEnd) {
        guard case .failed(let failure) = end else {
            return context.metrics.attempted(status: 0, isRetry: record.retries > 0)
        }
        // Without a descriptor nothing was sent.
        if failure.cause != .exhausted { noteAttempt(status: 0, nil) }
    }

    /// Counts one try, whatever came of it; 0 is no answer.
    private func noteAttempt(status: Int, _ timings: TransferTimings?) {
        context.metrics.attempted(status: status, isRetry: record.retries > 0)
        asked?.note(isReached: status > 0)
        guard let timings else { return }
        context.metrics.connected(
            isReused: timings.isReused, seconds: Double(timings.connectMicroseconds) / 1e6)
    }

    private func translate(
        _ head: UpstreamHead, _ body: [UInt8], _ request: OutgoingRequest
    ) -> APIError {
        let (plan, link) = (request.plan, request.link)
        let known = ErrorContext(
            secrets: plan.secrets, ownsKey: plan.ownsKey,
            model: plan.requestedModel, path: link.server.endpointPath,
            estimatedInputTokens: plan.estimatedInputTokens)
        let header: (StaticString) -> String? = { head.header($0) }
        return switch link.server.settings.interface {
        case .openai:
            UpstreamError.translate(status: head.status, header: header, body: body, known)
        case .anthropic:
            PassedError.translate(status: head.status, header: header, body: body, known)
        }
    }

    /// Suspends until the upstream's head is in.
    private func waitForHead(_ transfer: Transfer) async throws(ExchangeEnd) {
        let deadline = context.loop.now + context.shared.timeouts.firstByte
        while transfer.head == nil {
            switch transfer.end {
            case .failure(let failure): throw .failed(brokenOff(transfer, failure))
            // libcurl takes a head that was cut for an answer that is over.
            case .success: throw .failed(AttemptFailure(.answerless, .malformed))
            case nil: break
            }
            try await wait(for: transfer, until: deadline, "the upstream did not answer in time")
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
                throw .failed(AttemptFailure(.answerTooLarge, .malformed))
            }
            guard room.hold(answer: body.count, besideBody: record.requestBytes) else {
                throw .error(.overBudget)
            }
            if isOver, !transfer.hasBytes { break }
            if transfer.hasBytes { continue }
            let deadline = transfer.lastByteAt + context.shared.timeouts.upstreamIdle
            try await wait(for: transfer, until: deadline, "the upstream stopped answering")
        }
        if case .failure(let failure) = transfer.end {
            throw .failed(brokenOff(transfer, failure))
        }
        return body
    }

    /// A transfer that ended too early.
    func brokenOff(_ transfer: Transfer, _ failure: TransferFailure) -> AttemptFailure {
        AttemptFailure(
            failure, isReused: transfer.timings?.isReused == true,
            host: asked?.endpointHost ?? "")
    }

    /// Suspends until something happens; throws when the client has left, the deadline has passed,
    /// or the sidecar stops.
    ///
    /// What has come is no silence, however late a process that was stopped looks at it.
    private func wait(
        for transfer: Transfer, until deadline: Instant, _ complaint: String
    ) async throws(ExchangeEnd) {
        let loop = context.loop
        let total = record.startedAt + context.shared.timeouts.request
        let last = min(deadline, total)
        let hadHead = transfer.head != nil
        loop.set(timer, at: last)
        await connection.signal.wait()
        guard !connection.isPeerGone else { throw .clientGone }
        guard !context.isStopping else { throw .error(.stopping) }
        let hasNews =
            transfer.hasBytes || transfer.end != nil || (!hadHead && transfer.head != nil)
        guard loop.now < (hasNews ? total : last) else {
            let error = APIError(.timeout, complaint, label: .upstreamTimeout)
            throw .failed(AttemptFailure(error, .silence))
        }
    }
}
