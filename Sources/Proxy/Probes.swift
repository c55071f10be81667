// Probes, metrics and the order to quit, on the main and on the admin listener.
internal import Compression
internal import Configuration
internal import EventLoop
internal import HTTP
internal import Server
internal import Telemetry

/// Answers `/healthz`, `/livez`, `/readyz`, `/metrics` and `/quitquitquit`; never
/// asks the upstream.
struct Probes {
    private let shared: SharedState
    /// Whether others wait while a scrape is made: then it is made on another thread.
    private let hasTraffic: Bool

    init(_ shared: SharedState, hasTraffic: Bool) {
        self.shared = shared
        self.hasTraffic = hasTraffic
    }

    func respond(to route: Route, _ head: RequestHead, over connection: Connection) async {
        let isHead = head.method == "HEAD"
        switch route {
        case .alive, .ready:
            let problem = problem(of: route)
            let word = problem ?? (route == .ready ? "ready" : "ok")
            let more = route == .ready && head.query == "deep=1" ? upstreams() : (true, "")
            let isGood = problem == nil && more.0
            await text(isGood ? 200 : 503, word + "\n" + more.1, isHead, connection)
        case .metrics:
            await expose(head, connection)
        case .quit: await quit(head, connection)
        case .messages, .countTokens, .models, .model, .hello, .server, .report, .missing,
            .wrongMethod:
            await text(404, "not found\n", isHead, connection)
        }
    }

    /// Why a probe fails; nil when it does not.
    private func problem(of route: Route) -> String? {
        guard shared.lifecycle.isAlive(now: Instant.read()) else { return "a worker is stuck" }
        return route == .ready && shared.lifecycle.isLeaving ? "draining" : nil
    }

    /// For a person who asks: how the upstreams have been of late, and whether one can be asked.
    ///
    /// For a kubelet it would be wrong: an upstream that is away would take every pod with it.
    private func upstreams() -> (Bool, String) {
        let reports = shared.upstreams.map { $0.report() }
        let lines = reports.map { upstream in
            let reached =
                upstream.isReached.map { $0 ? "reached" : "not reached" } ?? "not asked yet"
            return "upstream \(upstream.name): \(reached), breaker \(upstream.breaker.rawValue)\n"
        }
        let isGood = reports.contains { $0.isReached != false && $0.breaker == .closed }
        return (isGood, lines.joined())
    }

    /// The answer to a scrape, in the form that the scraper likes best.
    private func expose(_ head: RequestHead, _ connection: Connection) async {
        let format = ExpositionFormat(accept: head.header("accept"))
        let isSmall = ExpositionFormat.allowsGzip(acceptEncoding: head.header("accept-encoding"))
        let shared = shared
        let make: @Sendable () -> (bytes: [UInt8], isGzip: Bool) = {
            let bytes = shared.exposition(format)
            let compressed = isSmall ? Gzip.encoded(bytes) : nil
            return (compressed ?? bytes, compressed != nil)
        }
        let answer = hasTraffic ? await OffWorker.run { make() } : make()
        var headers = [("content-type", format.contentType), ("vary", "accept, accept-encoding")]
        if answer.isGzip { headers.append(("content-encoding", "gzip")) }
        await connection.respond(
            status: 200, headers: headers, body: answer.bytes, isHead: head.method == "HEAD")
        shared.lifecycle.noteScrape()
    }

    /// The application of a Job tells its sidecar that it is done.
    ///
    /// Only from this machine, which in a pod is the pod; a page in a browser there, which would
    /// send its origin along, may not.
    private func quit(_ head: RequestHead, _ connection: Connection) async {
        guard shared.settings.allowsQuit else {
            return await text(404, "ADMIN_QUIT is off\n", false, connection)
        }
        guard connection.isPeerLocal, head.header("origin") == nil else {
            return await text(403, "not from here\n", false, connection)
        }
        // The answer first: with nothing to drain the process is gone at once.
        await text(200, "draining\n", false, connection)
        shared.lifecycle.quit()
    }

    private func text(
        _ status: Int, _ body: String, _ isHead: Bool, _ connection: Connection
    ) async {
        await connection.respond(
            status: status, headers: [("content-type", "text/plain; charset=utf-8")],
            body: Array(body.utf8), isHead: isHead)
    }
}
