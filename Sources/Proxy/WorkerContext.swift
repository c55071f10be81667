// What lives on one worker: its listener, its links to the upstreams, its share of the books.
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
    /// One for each upstream, by its place.
    let links: [UpstreamLink]
    let metrics: MetricsShard
    var mint: IdentifierMint
    /// Whether running exchanges must end now.
    private(set) var isStopping = false
    private var listener: Listener?
    /// Connections to upstreams and requests to them, when they were last counted.
    private var lastConnections = (all: 0, busy: 0)
    private var logLines = LogLines()
    /// Room for a piece of a stream and for what becomes of it, for one stream after the other.
    var streamRoom = (piece: [UInt8](), output: [UInt8]())

    /// Serves on a listening socket until drained; `nil` when libcurl has no memory.
    package init?(_ shared: SharedState, on loop: EventLoop, _ socket: Socket, index: Int) {
        let links = shared.upstreams.compactMap { UpstreamLink($0, shared, on: loop) }
        guard links.count == shared.upstreams.count else { return nil }
        self.loop = loop
        self.shared = shared
        self.links = links
        metrics = shared.shards[index]
        mint = IdentifierMint(seed: (Entropy.word(), Entropy.word()))
        listener = Listener(socket, on: loop, limits: shared.serverLimits, handler: self)
        shared.lifecycle.workerStarts()
        loop.atEndOfRound(self)
    }

    /// Writes the log's lines, measures how long this round kept others waiting, and counts
    /// connections.
    package func roundEnds() {
        logLines.flush(to: shared.log.writer)
        let work = Instant.read().nanoseconds(since: loop.now)
        metrics.observe(.eventLoopLag, SeriesKey(), Double(work) / 1e9)
        var connections = (all: 0, busy: 0)
        for link in links {
            connections.all += link.client.connectionCount
            connections.busy += link.client.activeCount
        }
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
        case .makeRoom: listener?.evictOldest()
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
        case .messages: await exchange(head, connection, .message, .messages)
        case .countTokens: await exchange(head, connection, .tokenCount, .countTokens)
        case .models, .model: await models(route, head, connection)
        case .hello:
            await connection.respond(
                status: 200, headers: Self.headers(mint.next("req")), body: SmallEndpoints.hello,
                isHead: head.method == "HEAD")
        case .server:
            let headers = [("allow", "GET, HEAD, POST"), ("request-id", mint.next("req"))]
            await connection.respond(status: 204, headers: headers, body: [])
        case .report:
            // Read, so that the connection can serve the next request.
            _ = try? await connection.readBody(bytesMax: Self.reportBytesMax)
            await connection.respond(
                status: 200, headers: Self.headers(mint.next("req")), body: Array("{}".utf8))
        case .alive, .ready, .metrics, .quit:
            await Probes(shared, hasTraffic: true).respond(to: route, head, over: connection)
        case .missing where isPreflight(head), .wrongMethod where isPreflight(head):
            await answer(connection, status: 204, [], head, .other, head.preflightFields)
        case .missing(let message):
            await refuse(
                APIError(.notFound, message, label: .callerInvalid), .other, connection)
        case .wrongMethod(let allow):
            let error = APIError(
                .invalidRequest, "use \(allow)", label: .callerInvalid, status: 405)
            await refuse(error, .other, connection, [("allow", allow)])
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
        // The one refusal that is not for what was sent: its address has too many connections.
        let isCrowded = error.status == 429
        let body = APIError(
            kind, error.message, label: isCrowded ? .proxyRateLimit : .callerInvalid,
            status: error.status)
        if isCrowded {
            reject(.peer)
            shared.log.write(.info, "connection refused", to: &logLines) { line in
                line.add("request_id", id)
                line.add("status", error.status)
                line.add("error", body.label.rawValue)
            }
        }
        metrics.add(.errors, SeriesKey(LabelIndex.error(body.label.rawValue)))
        return (Self.headers(id), body.body(requestID: id))
    }

    /// What of a client's own telemetry is looked at, to throw it away.
    private static let reportBytesMax = 64 << 10

    private func exchange(
        _ head: RequestHead, _ connection: Connection, _ purpose: MessagesExchange.Purpose,
        _ route: RouteLabel
    ) async {
        guard let room = await admit(head, route, connection) else { return }
        let exchange = MessagesExchange(self, head, connection, room, purpose)
        await exchange.run()
        exchange.settle()
        exchange.calibrate()
        close(exchange.record, route)
    }

    @inline(never)
    private func models(_ route: Route, _ head: RequestHead, _ connection: Connection) async {
        guard shared.credentials.accepts(head) else {
            return await refuse(.unknownKey, .models, connection)
        }
        if case .model(let id) = route {
            var isKnown = shared.models.contains(id)
            if !isKnown { isKnown = await modelNames(head, connection).contains(id) }
            guard isKnown else {
                let error = APIError(.notFound, "model: \(id)", label: .callerInvalid)
                return await refuse(error, .models, connection)
            }
            return await answer(connection, SmallEndpoints.model(id), head, .models)
        }
        let names = await modelNames(head, connection)
        await answer(connection, SmallEndpoints.models(names), head, .models)
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

    /// Gets descriptors back from clients that do not use them.
    func makeRoom() { listener?.makeRoom() }

    /// Counts a request that is turned away.
    func reject(_ reason: RejectLabel) {
        metrics.rejected(reason)
    }

    @inline(never)
    private func refuse(
        _ error: APIError, _ route: RouteLabel, _ connection: Connection,
        _ headers: [(String, String)] = []
    ) async {
        let record = ExchangeRecord(requestID: mint.next("req"), startedAt: loop.now)
        record.note(error)
        await connection.respond(error, record.requestID, headers)
        close(record, route)
    }

    @inline(never)
    private func answer(
        _ connection: Connection, status: Int = 200, _ body: [UInt8], _ head: RequestHead,
        _ route: RouteLabel, _ headers: [(String, String)]? = nil
    ) async {
        let record = ExchangeRecord(requestID: mint.next("req"), startedAt: loop.now)
        record.status = status
        record.outcome = .completed
        await connection.respond(
            status: status, headers: headers ?? Self.headers(record.requestID), body: body,
            isHead: head.method == "HEAD")
        close(record, route)
    }

    /// Whether a browser asks for a page that may be one of those that are let in.
    private func isPreflight(_ head: RequestHead) -> Bool {
        head.method == "OPTIONS" && !shared.settings.origins.isEmpty
    }

    /// Closes the books of an exchange; apart from it, so that its frame stays small.
    @inline(never)
    func close(_ record: ExchangeRecord, _ route: RouteLabel) {
        // The loop's time is that of the round's start; much of an exchange may be one round.
        let now = Instant.read()
        record.count(metrics, shared.metrics, route: route, now: now)
        record.write(to: &logLines, of: shared.log, route: route, now: now)
    }

    static func headers(_ requestID: String) -> [(String, String)] {
        [("content-type", "application/json"), ("request-id", requestID)]
    }
}
