// The upstream's side of an exchange: sending, waiting, collecting.
internal import Configuration
internal import EventLoop
internal import JSON
internal import Server
internal import Synchronization
internal import Telemetry
internal import Translation
internal import Upstream

extension MessagesExchange {
    /// Asks until there is an answer, or nothing is left to try.
    ///
    /// An attempt ends the exchange, or fails before a byte has gone to the client. A failure is
    /// healed when it names a parameter to do without: the request is translated again, and what
    /// was learned is remembered (translation 0.9). It is retried when it may pass by itself.
    /// Otherwise the client is told.
    func ask(
        _ request: [UInt8], _ body: JSONOutput, _ plan: ExchangePlan
    ) async throws(ExchangeEnd) {
        var (body, plan) = (body, plan)
        var tries = Tries()
        context.shared.retryBudget.withLock { $0.deposit() }
        while true {
            let failure: AttemptFailure
            do throws(ExchangeEnd) {
                return try await attempt(body, plan, isFresh: tries.hasFoundStale)
            } catch {
                guard case .failed(let caught) = error else { throw error }
                failure = caught
            }
            switch remedy(for: failure, plan, &tries) {
            case .heal:
                guard case .upstream(let healed, let next) = try await translateRequest(request)
                else { throw .failed(failure) }
                (body, plan) = (healed, next)
                noteRetry(.unsupportedParameter)
            case .retry(let delay):
                try await pause(delay, after: failure)
                noteRetry(failure.label)
            case .none: throw .failed(failure)
            }
        }
    }

    /// What one exchange has tried so far.
    private struct Tries {
        /// Parameters that are healed in one request, at most.
        static let healsMax = 4

        var heals = 0
        var retries = 0
        var hasFoundStale = false
    }

    /// What is done about a failed attempt.
    private enum Remedy {
        case heal
        case retry(after: Duration)
        case none
    }

    private func remedy(
        for failure: AttemptFailure, _ plan: ExchangePlan, _ tries: inout Tries
    ) -> Remedy {
        if let quirk = failure.quirk, tries.heals < Tries.healsMax, learn(quirk, plan) {
            tries.heals += 1
            return .heal
        }
        if failure.cause == .stale, !tries.hasFoundStale {
            // Nothing was answered on it, and nobody waits long for a connection.
            tries.hasFoundStale = true
            return .retry(after: .zero)
        }
        let now = context.loop.now
        guard
            let delay = context.shared.retryPolicy.delay(
                after: failure, retries: tries.retries, random: Entropy.word()),
            now + delay < record.startedAt + context.shared.timeouts.request,
            context.shared.retryBudget.withLock({ $0.withdraw(now: now) })
        else { return .none }
        tries.retries += 1
        return .retry(after: delay)
    }

    /// What is known of a model, or of this one request.
    private func quirks(of model: String) -> Set<Quirk> {
        context.shared.learned.quirks(of: model, now: context.loop.now).union(ownQuirks)
    }

    /// Remembers what a refusal teaches; `false` when that was known, so that trying again would
    /// change nothing.
    private func learn(_ quirk: Quirk, _ plan: ExchangePlan) -> Bool {
        guard context.shared.settings.unsupported == .auto else { return false }
        if quirk.isPassing { return ownQuirks.isEmpty && ownQuirks.insert(quirk).inserted }
        guard context.shared.learned.learn(quirk, of: plan.upstreamModel, now: context.loop.now)
        else { return false }
        context.shared.log.write(.info, "learned") { line in
            line.add("quirk", quirk.name)
            line.add("upstream_model", plan.upstreamModel)
            line.add("request_id", record.requestID)
        }
        return true
    }

    /// Waits before a retry; a client that leaves meanwhile, or the end of the sidecar, ends that.
    private func pause(
        _ delay: Duration, after failure: AttemptFailure
    ) async throws(ExchangeEnd) {
        let deadline = context.loop.now + delay
        while context.loop.now < deadline {
            context.loop.set(timer, at: deadline)
            await connection.signal.wait()
            guard !connection.isPeerGone else { throw .clientGone }
            guard !context.isStopping else { throw .failed(failure) }
        }
    }

    /// Sends the request once and relays its answer.
    private func attempt(
        _ body: JSONOutput, _ plan: ExchangePlan, isFresh: Bool
    ) async throws(ExchangeEnd) {
        var request = UpstreamRequest(
            url: context.shared.endpointURL(for: plan.upstreamModel),
            headers: context.upstreamHeaders(isStream: plan.isStream, head),
            body: UpstreamBody(pieces: body.pieces))
        request.wantsNewConnection = isFresh
        guard let transfer = context.upstream.post(request, signal: connection.signal) else {
            throw .error(.outOfMemory)
        }
        defer { transfer.cancel() }
        record.upstreamStarted(context.loop.now)
        do throws(ExchangeEnd) {
            try await waitForHead(transfer)
        } catch {
            if case .failed = error { noteAttempt(status: 0, nil) }
            throw error
        }
        guard let head = transfer.head else {
            throw .failed(AttemptFailure(.answerless, .malformed))
        }
        noteAttempt(status: head.status, transfer.timings)
        record.upstreamAnswered(head, at: context.loop.now)
        guard !(200..<300).contains(head.status) else { return try await relay(transfer, plan) }
        let text = try await collect(transfer)
        var failure = AttemptFailure(translate(head, text, plan), .status(head.status))
        if head.header("x-should-retry") == "false" { failure.error.shouldRetry = false }
        failure.quirk = Quirk.recognise(
            status: head.status, body: text, known: quirks(of: plan.upstreamModel))
        throw .failed(failure)
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

    private func noteRetry(_ reason: RetryLabel) {
        record.retries += 1
        context.metrics.retried(reason)
    }

    private func translate(_ head: UpstreamHead, _ body: [UInt8], _ plan: ExchangePlan) -> APIError
    {
        let ownsKey = context.shared.settings.authentication != .passthrough
        return UpstreamError.translate(
            status: head.status, header: { head.header($0) }, body: body,
            ErrorContext(
                secrets: secrets, ownsKey: ownsKey,
                model: plan.requestedModel, path: context.shared.endpointPath,
                estimatedInputTokens: plan.estimatedInputTokens))
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
                throw .failed(AttemptFailure(.answerTooLarge, .malformed))
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
            throw .failed(brokenOff(transfer, failure))
        }
        return body
    }

    private func brokenOff(_ transfer: Transfer, _ failure: TransferFailure) -> AttemptFailure {
        AttemptFailure(
            failure, isReused: transfer.timings?.isReused == true,
            host: context.shared.endpointHost)
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
            let error = APIError(.timeout, complaint, label: .upstreamTimeout)
            throw .failed(AttemptFailure(error, .silence))
        }
    }
}
