// What lives on one worker: its listener, its upstream client, its share of the books.
internal import Configuration
package import EventLoop
package import HTTP
package import Server
internal import Telemetry
internal import Translation
internal import Upstream

/// A worker's tenant; answers everything that comes in on its listener.
package final class WorkerContext: WorkerTenant, RequestHandler, RoundHandler {
    let loop: EventLoop
    let shared: SharedState
    let upstream: UpstreamClient
    let metrics: MetricsShard
    var mint: IdentifierMint
    /// Whether running exchanges must end now.
    private(set) var isStopping = false
    private var listener: Listener?
    /// Connections to the upstream and requests to it, when they were last counted.
    private var lastConnections = (all: 0, busy: 0)
    private var headers: (generation: Int, stream: HeaderList, whole: HeaderList)?

    /// Serves on a listening socket until drained; `nil` when libcurl has no memory.
    package init?(_ shared: SharedState, on loop: EventLoop, _ socket: Socket, index: Int) {
        guard let upstream = UpstreamClient(loop, options: UpstreamOptions(shared.settings)) else {
            return nil
        }
        self.loop = loop
        self.shared = shared
        self.upstream = upstream
        metrics = shared.shards[index]
        mint = IdentifierMint(seed: (Entropy.word(), Entropy.word()))
        listener = Listener(socket, on: loop, limits: shared.serverLimits, handler: self)
        shared.lifecycle.workerStarts()
        loop.atEndOfRound(self)
    }

    /// Measures how long this round kept others waiting, and counts connections.
    package func roundEnds() {
        let work = Instant.read().nanoseconds(since: loop.now)
        metrics.observe(.eventLoopLag, SeriesKey(), Double(work) / 1e9)
        let connections = (all: upstream.connectionCount, busy: upstream.activeCount)
        guard connections != lastConnections else { return }
        lastConnections = connections
        let active = min(connections.busy, connections.all)
        metrics.connections(idle: connections.all - active, active: active)
    }

    /// Whether nothing is left to be done.
    package var isDone: Bool {
        isDraining && listener?.closeWhenIdle() ?? true
    }

    private var isDraining = false

    /// Hears that the process drains or stops.
    package func receive(_ message: WorkerMessage) {
        switch message {
        case .drain:
            isDraining = true
            listener?.drain()
        case .stop:
            isStopping = true
            listener?.close()
            listener?.wakeAll()
        case .abort: listener?.abort()
        }
    }

    // MARK: - Requests

    /// Answers one request.
    package func respond(to head: RequestHead, over connection: Connection) async {
        let route = Route(head)
        let label = route.label
        if let label { metrics.inFlight(label, 1) }
        defer { if let label { metrics.inFlight(label, -1) } }
        switch route {
        case .messages: await messages(head, connection)
        case .countTokens: await countTokens(head, connection)
        case .models, .model: await models(route, head, connection)
        case .hello:
            await answer(connection, SmallEndpoints.hello, head, .other)
        case .alive, .ready, .metrics, .quit:
            await Probes(shared, hasTraffic: true).respond(to: route, head, over: connection)
        case .refused(let status, let message):
            let kind: APIError.Kind = status == 404 ? .notFound : .invalidRequest
            await refuse(
                APIError(kind, message, label: .callerInvalid, status: status), .other, connection)
        }
    }

    /// The answer to bytes that are no request.
    package func body(for error: HTTPError) -> (headers: [(String, String)], bytes: [UInt8]) {
        let id = mint.next("req")
        let kind: APIError.Kind =
            switch error.status {
            case 408: .timeout
            case 429: .rateLimit
            case 500...: .api
            default: .invalidRequest
            }
        let body = APIError(kind, error.message, label: .callerInvalid, status: error.status)
        metrics.add(.errors, SeriesKey(LabelIndex.error(body.label.rawValue)))
        return (Self.headers(id), body.body(requestID: id))
    }

    private func messages(_ head: RequestHead, _ connection: Connection) async {
        guard let room = await admit(head, .messages, connection) else { return }
        let exchange = MessagesExchange(self, head, connection, room)
        await exchange.run()
        exchange.settle()
        exchange.calibrate()
        close(exchange.record, .messages)
    }

    private func countTokens(_ head: RequestHead, _ connection: Connection) async {
        guard let room = await admit(head, .countTokens, connection) else { return }
        var record = ExchangeRecord(requestID: mint.next("req"), startedAt: loop.now)
        do throws(RequestBodyError) {
            let body = try await readBody(of: head, connection, room)
            record.requestBytes = body.count
            do throws(APIError) {
                let (model, estimate) = try SmallEndpoints.estimate(
                    body, shared.translator
                ) { shared.learned.quirks(of: $0, now: loop.now) }
                let count = shared.calibration.calibrated(careful: estimate, for: model)
                let answer = SmallEndpoints.count(count.tokens)
                metrics.countedTokens(count.isLearned ? .learned : .estimate)
                record.status = 200
                record.outcome = .completed
                await connection.respond(
                    status: 200, headers: Self.headers(record.requestID), body: answer)
            } catch {
                record.note(error)
                await connection.respond(error, record.requestID)
            }
        } catch {
            if error == .noRoom { reject(.budget) }
            if case .error(let error) = ExchangeEnd(
                error, bytesMax: shared.settings.requestBytesMax)
            {
                record.note(error)
                await connection.respond(error, record.requestID)
            } else {
                connection.abort()
            }
        }
        close(record, .countTokens)
    }

    private func models(_ route: Route, _ head: RequestHead, _ connection: Connection) async {
        guard shared.credentials.accepts(head) else {
            return await refuse(.unknownKey, .models, connection)
        }
        if case .model(let id) = route {
            guard shared.models.contains(id) else {
                let error = APIError(.notFound, "model: \(id)", label: .callerInvalid)
                return await refuse(error, .models, connection)
            }
            return await answer(connection, SmallEndpoints.model(id), head, .models)
        }
        await answer(connection, SmallEndpoints.models(shared.models), head, .models)
    }

    /// Turns away whom the sidecar cannot or must not serve, before anything is read.
    private func admit(
        _ head: RequestHead, _ route: RouteLabel, _ connection: Connection
    ) async -> Room? {
        do throws(APIError) {
            return try admit(head, announced: connection.announcedBodyBytes ?? 0)
        } catch {
            await refuse(error, route, connection)
            return nil
        }
    }

    private func admit(_ head: RequestHead, announced: Int) throws(APIError) -> Room {
        guard announced <= shared.settings.requestBytesMax else {
            reject(.size)
            throw .tooLarge(shared.settings.requestBytesMax)
        }
        guard shared.credentials.accepts(head) else {
            reject(.auth)
            throw .unknownKey
        }
        _ = try ContentCoding(head)
        guard !shared.lifecycle.isDraining else {
            reject(.draining)
            throw .stopping
        }
        do throws(Admission.Refusal) {
            return try shared.admission.admit(announced: announced)
        } catch {
            switch error {
            case .concurrency:
                reject(.concurrency)
                throw .overCapacity
            case .budget:
                reject(.budget)
                throw .overBudget
            }
        }
    }

    /// Counts a request that is turned away.
    func reject(_ reason: RejectLabel) {
        metrics.rejected(reason)
    }

    private func refuse(_ error: APIError, _ route: RouteLabel, _ connection: Connection) async {
        var record = ExchangeRecord(requestID: mint.next("req"), startedAt: loop.now)
        record.note(error)
        await connection.respond(error, record.requestID)
        close(record, route)
    }

    private func answer(
        _ connection: Connection, _ body: [UInt8], _ head: RequestHead, _ route: RouteLabel
    ) async {
        var record = ExchangeRecord(requestID: mint.next("req"), startedAt: loop.now)
        record.status = 200
        record.outcome = .completed
        await connection.respond(
            status: 200, headers: Self.headers(record.requestID), body: body,
            isHead: head.method == "HEAD")
        close(record, route)
    }

    /// Closes the books of an exchange.
    func close(_ record: ExchangeRecord, _ route: RouteLabel) {
        // The loop's time is that of the round's start; much of an exchange may be one round.
        let now = Instant.read()
        record.count(metrics, shared.metrics, route: route, now: now)
        record.write(to: shared.log, route: route, now: now)
    }

    static func headers(_ requestID: String) -> [(String, String)] {
        [("content-type", "application/json"), ("request-id", requestID)]
    }

    // MARK: - Upstream

    /// The header lines for the upstream, made anew only when a key has changed or is the client's.
    func upstreamHeaders(isStream: Bool, _ head: RequestHead) -> HeaderList {
        let extra = TraceContext(head)?.lines(spanID: Entropy.word()) ?? []
        if shared.settings.authentication == .passthrough {
            let key = Credentials.presented(head).first
            return HeaderList(lines(isStream, key: key) + extra)
        }
        guard extra.isEmpty else {
            return HeaderList(lines(isStream, key: shared.credentials.upstreamKey) + extra)
        }
        let generation = shared.credentials.generation
        if headers?.generation != generation {
            let key = shared.credentials.upstreamKey
            headers = (
                generation, HeaderList(lines(true, key: key)), HeaderList(lines(false, key: key))
            )
        }
        guard let headers else { return HeaderList([]) }
        return isStream ? headers.stream : headers.whole
    }

    private func lines(_ isStream: Bool, key: String?) -> [String] {
        var lines = [
            "Content-Type: application/json", "Expect:",
            "Accept: \(isStream ? "text/event-stream" : "application/json")",
        ]
        if let key, !key.isEmpty {
            switch shared.settings.authentication {
            case .bearer, .passthrough: lines.append("Authorization: Bearer \(key)")
            case .apiKey: lines.append("api-key: \(key)")
            case .xAPIKey: lines.append("x-api-key: \(key)")
            case .none: break
            }
        }
        if let organization = shared.settings.organization {
            lines.append("OpenAI-Organization: \(organization)")
        }
        if let project = shared.settings.project { lines.append("OpenAI-Project: \(project)") }
        return lines + shared.settings.customHeaders.map { "\($0.name): \($0.value)" }
    }
}

extension UpstreamOptions {
    init(_ settings: Settings) {
        self.init()
        connectTimeoutMilliseconds = Int(settings.connectTimeout.nanoseconds / 1_000_000)
        userAgent = "claude-sidecar/\(SharedState.version)"
        caFile = settings.caFile
        clientCertificateFile = settings.clientCertificateFile
        clientKeyFile = settings.clientKeyFile
        skipsTLSVerification = settings.skipsTLSVerification
    }
}
