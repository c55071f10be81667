// The whole sidecar: listeners, workers, signals.
package import Configuration
internal import EventLoop
internal import Glibc
internal import Server
internal import Telemetry
internal import Upstream

/// Starts everything, runs until SIGTERM has been obeyed.
package enum Sidecar {
    /// The version of this program.
    package static let version = SharedState.version

    /// How long the end waits for who reads the log.
    private static let lastWordsMilliseconds = 500

    /// Runs the sidecar on the calling thread; the exit status.
    package static func run(_ settings: Settings) -> CInt {
        ProcessLimits.prepare()
        UpstreamClient.prepareProcess()
        TerminationSignals.prepare()
        let count = settings.workers ?? min(2, Container.cpuCount())
        let shared = SharedState(settings, workers: count)
        defer { shared.log.writer.finish(milliseconds: lastWordsMilliseconds) }
        shared.log.write(.info, "starting") { line in
            line.add("version", version)
            line.add("workers", count)
            line.add("settings", settings.given.sorted().joined(separator: ","))
        }
        let oddities = settings.warnings + Check.missingFiles(settings)
        for warning in oddities + shared.credentials.reload() {
            shared.log.write(.warn, warning)
        }
        do throws(ListenError) {
            let sockets = try listen(settings, count)
            try startAdmin(shared)
            shared.log.announce(.info, "listening") { line in
                line.add("address", sockets.address.text)
                let urls = shared.upstreams.map(\.shownURL)
                line.add("upstream", urls.joined(separator: " "))
            }
            serve(shared, sockets.sockets)
            sockets.file?.remove()
            if settings.adminPort != nil {
                shared.lifecycle.waitForLastScrape(settings.lastScrapeWait)
            }
            shared.log.write(.info, "stopped")
            let isAsked = settings.exitsZeroOnSignal || shared.lifecycle.isQuitting
            return isAsked ? 0 : 128 + SIGTERM
        } catch {
            shared.log.write(.error, error.reason)
            return 1
        }
    }

    // MARK: - Listening

    /// One socket for each worker, all on one port.
    ///
    /// The first is opened without sharing, so that a second sidecar on the same port fails.
    private static func listen(
        _ settings: Settings, _ count: Int
    ) throws(ListenError) -> (sockets: [Socket], address: ListenAddress, file: SocketFile?) {
        if let path = settings.unixPath {
            let socket = try ListeningSocket.open(path: path, mode: settings.socketMode)
            // The workers take turns at one queue.
            let others = (1..<count).compactMap { _ in socket.duplicate() }
            return ([socket] + others, .unix(path: path), SocketFile(path))
        }
        let wanted = ListenAddress.tcp(host: settings.host, port: settings.port)
        let (probe, address) = try ListeningSocket.open(wanted)
        guard count > 1 else { return ([probe], address, nil) }
        probe.close()
        var sockets: [Socket] = []
        for _ in 0..<count {
            sockets.append(try ListeningSocket.open(address, sharesPort: true).socket)
        }
        return (sockets, address, nil)
    }

    private static func startAdmin(_ shared: SharedState) throws(ListenError) {
        guard let port = shared.settings.adminPort else { return }
        let wanted = ListenAddress.tcp(host: shared.settings.adminHost, port: port)
        let (socket, address) = try ListeningSocket.open(wanted)
        shared.log.announce(.info, "listening") { line in
            line.add("listener", "admin")
            line.add("address", address.text)
        }
        Worker().start(named: "admin") { loop in AdminContext(shared, on: loop, socket) }
    }

    // MARK: - Serving

    /// Runs the workers, the first of them here, until all are drained.
    private static func serve(_ shared: SharedState, _ sockets: [Socket]) {
        let workers = sockets.map { _ in Worker() }
        for worker in workers { shared.lifecycle.watch(worker.pulse) }
        shared.serverLimits.connections.askingNeighbours {
            for worker in workers { worker.tell(.makeRoom) }
        }
        let first = workers[0]
        let threads = workers.enumerated().dropFirst().map { index, worker in
            worker.start(
                named: "worker-\(index + 1)",
                { loop in tenant(shared, loop, sockets[index], index) },
                atEnd: {
                    shared.lifecycle.workerEnds()
                    first.wake()
                })
        }
        first.run { loop in
            let main = MainTenant(
                tenant(shared, loop, sockets[0], 0), shared, workers: workers, on: loop)
            return main
        }
        // All have ended, or the first would still run.
        for thread in threads { thread.join() }
    }

    /// The tenant of one worker.
    static func tenant(
        _ shared: SharedState, _ loop: EventLoop, _ socket: Socket, _ index: Int
    ) -> WorkerContext {
        guard let context = WorkerContext(shared, on: loop, socket, index: index) else {
            shared.log.write(.error, "out of memory")
            exit(1)
        }
        return context
    }
}

/// The first worker's tenant: besides traffic it hears the signals and looks after key files.
final class MainTenant: WorkerTenant, TimerHandler {
    private static let reloadInterval = Duration.seconds(1)

    private let context: WorkerContext
    private let shared: SharedState
    private let loop: EventLoop
    private var signals: TerminationSignals?
    private var reload: Timer?
    private var hasEnded = false

    init(
        _ context: WorkerContext, _ shared: SharedState, workers: [Worker], on loop: EventLoop
    ) {
        self.context = context
        self.shared = shared
        self.loop = loop
        let drain = DrainControl(
            workers, shared.lifecycle, on: loop, delay: shared.settings.drainDelay,
            timeout: shared.settings.drainTimeout)
        signals = TerminationSignals(loop) {
            drain.signalHeard { shared.log.write(.info, "draining") }
        }
        guard !shared.credentials.files.isEmpty else { return }
        let timer = Timer(self)
        reload = timer
        loop.set(timer, after: Self.reloadInterval)
    }

    var isDone: Bool {
        guard context.isDone else { return false }
        if !hasEnded {
            hasEnded = true
            shared.lifecycle.workerEnds()
        }
        return shared.lifecycle.isOver
    }

    func receive(_ message: WorkerMessage) { context.receive(message) }

    func timerFired(_ timer: Timer) {
        for failure in shared.credentials.reload() { shared.log.write(.warn, failure) }
        loop.set(timer, after: Self.reloadInterval)
    }
}
