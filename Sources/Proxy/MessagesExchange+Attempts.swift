// Asking until there is an answer: healing, retries, failover.
internal import Configuration
internal import EventLoop
internal import Server
internal import Telemetry
internal import Translation

extension MessagesExchange {
    /// What is done about a failed attempt.
    private enum Remedy {
        /// The same upstream, without what it refused (translation 0.9).
        case heal
        /// The same request once more, after a while.
        case retry(after: Duration)
        /// Another upstream.
        case failOver(to: UpstreamLink)
        /// The client is told.
        case none
    }

    /// Finds whom to ask, and asks until there is an answer or nothing is left to try.
    ///
    /// An attempt ends the exchange, or fails before a byte has gone to the client; a failure is
    /// healed, retried or taken elsewhere.
    func ask() async throws(ExchangeEnd) {
        var tries = Tries(try await candidates())
        var link = context.links[tries.first(isAdmitted)]
        guard try await prepare(for: link) else { return }
        link.server.deposit()
        while true {
            let failure: AttemptFailure
            do throws(ExchangeEnd) {
                return try await attempt(isFresh: tries.hasFoundStale)
            } catch {
                guard case .failed(let caught) = error else { throw error }
                failure = caught
            }
            switch remedy(for: failure, link, &tries) {
            case .heal:
                note(.unsupportedParameter)
                guard try await prepare(for: link) else { return }
            case .retry(let delay):
                try await pause(delay, after: failure)
                note(failure.label)
            case .failOver(let next):
                link = next
                note(.failover)
                guard try await prepare(for: link) else { return }
            case .none: throw .failed(failure)
            }
        }
    }

    private func isAdmitted(_ place: Int) -> Bool {
        context.shared.upstreams[place].admit(now: context.loop.now)
    }

    private func note(_ reason: RetryLabel) {
        record.retries += 1
        context.metrics.retried(reason)
    }

    // MARK: - Remedies

    private func remedy(
        for failure: AttemptFailure, _ link: UpstreamLink, _ tries: inout Tries
    ) -> Remedy {
        if let quirk = failure.quirk, tries.heals < Tries.healsMax, learn(quirk, link.server) {
            tries.heals += 1
            return .heal
        }
        if failure.cause == .stale, !tries.hasFoundStale {
            // Nothing was answered on it, and nobody waits long for a connection.
            tries.hasFoundStale = true
            return .retry(after: .zero)
        }
        if failure.cause == .exhausted { return makeRoom(&tries) }
        // Whom nobody can reach, or who asks for patience, is left for somebody else at once.
        if failure.isLasting, failure.isPortable, let place = tries.next(isAdmitted) {
            return .failOver(to: context.links[place])
        }
        let now = context.loop.now
        if !tries.isLastResort,
            let delay = context.shared.retryPolicy.delay(
                after: failure, retries: tries.retries, random: Entropy.word()),
            now + delay < record.startedAt + context.shared.timeouts.request,
            link.server.withdraw(now: now)
        {
            tries.retries += 1
            return .retry(after: delay)
        }
        if failure.isPortable, let place = tries.next(isAdmitted) {
            return .failOver(to: context.links[place])
        }
        return .none
    }

    /// Has an idle client give up its descriptor, so that the upstream can be reached in a moment.
    private func makeRoom(_ tries: inout Tries) -> Remedy {
        context.makeRoom()
        if let delay = tries.waitForDescriptor() { return .retry(after: delay) }
        context.reject(.descriptors)
        context.shared.log.write(.warn, "out of file descriptors") { line in
            line.add("request_id", record.requestID)
        }
        return .none
    }

    /// Learns from an answer that has nothing in it that a model cannot but reason.
    func learnHeadroom(_ server: UpstreamServer) {
        if record.isStarved { _ = learn(.reasoningHeadroom, server) }
    }

    /// Remembers what a refusal teaches; `false` when that was known, so that trying again would
    /// change nothing.
    private func learn(_ quirk: Quirk, _ server: UpstreamServer) -> Bool {
        let model = record.upstreamModel
        guard context.shared.settings.unsupported == .auto, server.settings.interface == .openai
        else { return false }
        if quirk.isPassing { return ownQuirks.isEmpty && ownQuirks.insert(quirk).inserted }
        guard server.learned.learn(quirk, of: model, now: context.loop.now) else { return false }
        context.shared.log.write(.info, "learned") { line in
            line.add("quirk", quirk.name)
            line.add("upstream_model", model)
            line.add("request_id", record.requestID)
        }
        return true
    }

    /// Waits before a retry; a client that leaves meanwhile, or the end of the sidecar, ends that.
    @inline(never)
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

    // MARK: - Verdicts

    /// A streamed answer begins: the upstream is well, and nothing is asked again, so that what was
    /// asked can be let go.
    func beginAnswer() {
        record.status = 200
        judge(true)
        requestBody = []
        outgoing?.body = []
    }

    /// Tells the upstream's breaker, once for each attempt, how it went.
    func judge(_ isWell: Bool?) {
        asked?.judge(isWell, now: context.loop.now)
        asked = nil
    }
}
