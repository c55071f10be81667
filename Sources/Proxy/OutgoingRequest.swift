// What a client's request becomes for one upstream.
internal import Configuration
internal import EventLoop
internal import HTTP
internal import JSON
internal import Translation

/// A request that is ready to be sent, also more than once.
struct OutgoingRequest {
    let link: UpstreamLink
    let url: String
    let body: [ArraySlice<UInt8>]
    let plan: ExchangePlan
}

extension MessagesExchange {
    /// Bodies from this size on are parsed on another thread.
    static let offWorkerBytesMin = 256 * 1024

    /// Places of the upstreams that may answer, the first choice first.
    func candidates(_ body: [UInt8]) async throws(ExchangeEnd) -> [Int] {
        let upstreams = context.shared.upstreams
        guard upstreams.count > 1 || !upstreams[0].settings.models.isEmpty else { return [0] }
        let envelope = try await envelope(body)
        let places = context.shared.router.candidates(for: envelope.model)
        guard !places.isEmpty else { throw .error(.servedByNobody(envelope.model)) }
        return places
    }

    /// The request for one upstream; `nil` when it was answered without asking anybody.
    func prepare(
        _ body: [UInt8], for link: UpstreamLink
    ) async throws(ExchangeEnd) -> OutgoingRequest? {
        do throws(ExchangeEnd) {
            switch link.server.settings.interface {
            case .openai: return try await translate(body, for: link)
            case .anthropic: return try await readdress(body, to: link)
            }
        } catch {
            // It was admitted and is not asked after all.
            link.server.judge(nil, now: context.loop.now)
            throw error
        }
    }

    private func translate(
        _ body: [UInt8], for link: UpstreamLink
    ) async throws(ExchangeEnd) -> OutgoingRequest? {
        let server = link.server
        let session = head.header("x-claude-code-session-id")
        let now = context.loop.now
        let request = try await parsing(body) { () throws(APIError) in
            try server.translator.translate(body, session: session) { model in
                server.learned.quirks(of: model, now: now)
            }
        }
        record.note(request.plan, server)
        switch request {
        case .local(let plan):
            server.judge(nil, now: now)
            await answerLocally(plan)
            return nil
        case .upstream(let translated, let plan):
            return OutgoingRequest(
                link: link, url: server.endpointURL(for: plan.upstreamModel),
                body: translated.pieces, plan: plan)
        }
    }

    /// The same request with the upstream's own name of the model.
    private func readdress(
        _ body: [UInt8], to link: UpstreamLink
    ) async throws(ExchangeEnd) -> OutgoingRequest {
        let envelope = try await envelope(body)
        let model = link.server.models.resolve(envelope.model)
        let plan = ExchangePlan(
            requestedModel: envelope.model, upstreamModel: model,
            isStream: purpose == .message && envelope.isStream)
        record.note(plan, link.server)
        let url = link.server.endpointURL
        return OutgoingRequest(
            link: link, url: purpose == .message ? url : MessagesEndpoint.countTokens(url),
            body: envelope.body(body, model: model), plan: plan)
    }

    private func envelope(_ body: [UInt8]) async throws(ExchangeEnd) -> RequestEnvelope {
        try await parsing(body) { () throws(APIError) in try RequestEnvelope(body) }
    }

    /// A big body would hold up other people's tokens: it is parsed on another thread.
    private func parsing<Result: Sendable>(
        _ body: [UInt8], _ work: @escaping @Sendable () throws(APIError) -> Result
    ) async throws(ExchangeEnd) -> Result {
        do throws(APIError) {
            return body.count < Self.offWorkerBytesMin
                ? try work() : try await OffWorker.run(work)
        } catch {
            throw .error(error)
        }
    }
}

/// Work that would hold up a worker, done on another thread.
private enum OffWorker {
    static func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(APIError) -> Value
    ) async throws(APIError) -> Value {
        // Without the preference the worker itself, being the task's executor, would do it.
        let result = await withTaskExecutorPreference(globalConcurrentExecutor) {
            await concurrently(work)
        }
        return try result.get()
    }

    @concurrent
    private static func concurrently<Value: Sendable>(
        _ work: @escaping @Sendable () throws(APIError) -> Value
    ) async -> Result<Value, APIError> {
        Result { () throws(APIError) in try work() }
    }
}
