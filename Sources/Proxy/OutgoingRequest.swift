// What a client's request becomes for one upstream.
internal import Configuration
internal import EventLoop
internal import HTTP
internal import JSON
internal import Telemetry
internal import Translation

/// A request that is ready to be sent, also more than once.
///
/// A reference: it stands in the frames of a stream for hours.
final class OutgoingRequest {
    let link: UpstreamLink
    let url: String
    let plan: ExchangePlan
    /// Let go once nothing can be sent again.
    var body: [ArraySlice<UInt8>]

    init(link: UpstreamLink, url: String, body: [ArraySlice<UInt8>], plan: ExchangePlan) {
        self.link = link
        self.url = url
        self.plan = plan
        self.body = body
    }
}

extension MessagesExchange {
    /// Places of the upstreams that may answer, the first choice first.
    func candidates() async throws(ExchangeEnd) -> [Int] {
        let upstreams = context.shared.upstreams
        guard upstreams.count > 1 || !upstreams[0].settings.models.isEmpty else { return [0] }
        let envelope = try await envelope()
        let places = context.shared.router.candidates(for: envelope.model)
        guard !places.isEmpty else { throw .error(.servedByNobody(envelope.model)) }
        return places
    }

    /// Makes the request for one upstream; `false` when it was answered without asking anybody.
    func prepare(for link: UpstreamLink) async throws(ExchangeEnd) -> Bool {
        outgoing = nil
        do throws(ExchangeEnd) {
            switch link.server.settings.interface {
            case .openai: outgoing = try await translated(for: link)
            case .anthropic: outgoing = try await readdressed(to: link)
            }
            guard let outgoing else { return false }
            if purpose == .message, grant == nil { try enter(outgoing.plan) }
            return true
        } catch {
            // It was admitted and is not asked after all.
            link.server.judge(nil, now: context.loop.now)
            throw error
        }
    }

    @inline(never)
    private func translated(
        for link: UpstreamLink
    ) async throws(ExchangeEnd) -> OutgoingRequest? {
        let body = requestBody
        let server = link.server
        let session = head.header("x-claude-code-session-id")
        let version = head.header("anthropic-version")
        let now = context.loop.now
        let own = ownQuirks
        let calibration = context.shared.calibration
        let start = Instant.read()
        let (request, estimate) = try await parsing { () throws(APIError) in
            let request = try server.translator.translate(
                body, session: session, version: version
            ) { model in
                server.learned.quirks(of: model, now: now).union(own)
            }
            return (request, TokenEstimate(of: request, calibration))
        }
        tokenEstimate = estimate
        record.noteRequestWork(since: start)
        switch request {
        case .local(let plan):
            record.note(plan, server)
            server.judge(nil, now: now)
            await answerLocally(plan)
            return nil
        case .upstream(let translated, let plan):
            guard let url = server.endpointURL(for: plan.upstreamModel) else {
                throw .error(.servedByNobody(plan.upstreamModel))
            }
            return outgoing(translated, plan, link, url)
        }
    }

    @inline(never)
    private func outgoing(
        _ translated: JSONOutput, _ plan: ExchangePlan, _ link: UpstreamLink, _ url: String
    ) -> OutgoingRequest {
        plan.secrets = secrets(link)
        plan.ownsKey = link.server.ownsKey
        plan.estimatedInputTokens = calibrated(tokenEstimate, plan)
        record.note(plan, link.server)
        let pieces = translated.pieces
        measurePrefix(pieces, plan)
        return OutgoingRequest(link: link, url: url, body: pieces, plan: plan)
    }

    /// How much of the conversation's last request this one begins with, where it goes on with one.
    private func measurePrefix(_ pieces: [ArraySlice<UInt8>], _ plan: ExchangePlan) {
        guard record.retries == 0, let session = head.header("x-claude-code-session-id"),
            session.utf8.count <= 64
        else { return }
        let digest = PrefixDigest(pieces, upTo: plan.messagesEnd)
        guard
            let ratio = context.shared.prefixes.note(
                digest.blocks, of: session, goesOn: plan.hasHistory)
        else { return }
        context.metrics.observe(.prefixStable, SeriesKey(), ratio)
    }

    /// The same request with the upstream's own name of the model.
    @inline(never)
    private func readdressed(
        to link: UpstreamLink
    ) async throws(ExchangeEnd) -> OutgoingRequest {
        let envelope = try await envelope()
        let model = link.server.models.resolve(envelope.model)
        let plan = ExchangePlan(
            requestedModel: envelope.model, upstreamModel: model,
            isStream: purpose == .message && envelope.isStream)
        plan.secrets = secrets(link)
        plan.ownsKey = link.server.ownsKey
        plan.estimatedInputTokens = requestBody.count / 4
        record.note(plan, link.server)
        let url = link.server.endpointURL
        return OutgoingRequest(
            link: link, url: purpose == .message ? url : MessagesEndpoint.countTokens(url),
            body: envelope.body(requestBody, model: model), plan: plan)
    }

    private func envelope() async throws(ExchangeEnd) -> RequestEnvelope {
        let body = requestBody
        return try await parsing { () throws(APIError) in try RequestEnvelope(body) }
    }

    /// A big body would hold up other people's tokens: it is parsed on another thread.
    @inline(never)
    func parsing<Value>(
        _ work: @escaping @Sendable () throws(APIError) -> sending Value
    ) async throws(ExchangeEnd) -> sending Value {
        do throws(APIError) {
            guard requestBody.count >= OffWorker.bytesMin else { return try work() }
            return try await OffWorker.run { Result { () throws(APIError) in try work() } }
                .get()
        } catch {
            throw .error(error)
        }
    }
}
