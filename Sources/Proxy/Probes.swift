// Probes, metrics and the order to quit, on the main and on the admin listener.
internal import Configuration
internal import EventLoop
internal import HTTP
internal import Server

/// Answers `/healthz`, `/livez`, `/readyz`, `/metrics` and `/quitquitquit`; never
/// asks the upstream.
struct Probes {
    private let shared: SharedState

    init(_ shared: SharedState) { self.shared = shared }

    func respond(to route: Route, _ head: RequestHead, over connection: Connection) async {
        let isHead = head.method == "HEAD"
        switch route {
        case .alive: await text(200, "ok\n", isHead, connection)
        case .ready:
            let isReady = !shared.lifecycle.isDraining
            await text(isReady ? 200 : 503, isReady ? "ready\n" : "draining\n", isHead, connection)
        case .metrics:
            let isOpen = head.header("accept")?.contains("application/openmetrics-text") ?? false
            let type =
                isOpen
                ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                : "text/plain; version=0.0.4; charset=utf-8"
            await connection.respond(
                status: 200, headers: [("content-type", type)],
                body: shared.exposition(isOpenMetrics: isOpen), isHead: isHead)
        case .quit: await quit(head, connection)
        case .messages, .countTokens, .models, .model, .hello, .refused:
            await text(404, "not found\n", isHead, connection)
        }
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
