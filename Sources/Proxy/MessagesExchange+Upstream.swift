// The upstream's side of an exchange: sending, waiting, collecting.
internal import Configuration
internal import EventLoop
internal import JSON
internal import Server
internal import Translation
internal import Upstream

extension MessagesExchange {
    /// Posts the body and waits for an answer of 2xx; everything else becomes an error here, while
    /// the client can still get a status.
    func send(_ body: JSONOutput, _ plan: ExchangePlan) async throws(ExchangeEnd) -> Transfer {
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
            guard !(200..<300).contains(head.status) else { return transfer }
            let text = try await collect(transfer)
            throw .error(translate(head, text, plan))
        } catch {
            transfer.cancel()
            throw error
        }
    }

    private func translate(_ head: UpstreamHead, _ body: [UInt8], _ plan: ExchangePlan) -> APIError
    {
        let ownsKey = context.shared.settings.authentication != .passthrough
        return UpstreamError.translate(
            status: head.status, header: { head.header($0) }, body: body,
            ErrorContext(
                secret: context.shared.credentials.upstreamKey, ownsKey: ownsKey,
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
