// Accepts connections and starts a job for each.
package import EventLoop
package import HTTP

/// Limits of one server; every wait and every size has one.
package struct ServerLimits: Sendable {
    /// Limits of a request's head.
    package var head = HTTPLimits()
    /// Connections at once, on all workers.
    package var connections = ConnectionLimit(10_000)
    /// Counts connections by address, where that has a limit.
    package var peers: PeerCounts?
    /// Web pages that may read the answers, if any.
    package var crossOrigin: CrossOrigin?
    /// A connection that has waited so long for its request must make room when room is needed.
    package var patience = Duration.seconds(1)
    /// From the first byte of a head to its last.
    package var headTimeout = Duration.seconds(30)
    /// Silence inside a request body.
    package var bodyIdleTimeout = Duration.seconds(60)
    /// After one such silence a body must have come at this rate all along.
    package var bodyBytesPerSecondMin = 500
    /// Between two requests.
    ///
    /// Longer than the idle time of common clients, so that they close first.
    package var idleTimeout = Duration.seconds(300)
    /// From connecting to the end of a head, for those who come while the server drains.
    package var lateTimeout = Duration.seconds(1)
    /// A client that takes nothing for so long is gone.
    package var writeTimeout = Duration.seconds(300)

    /// The defaults.
    package init() {}
}

/// Answers requests; one for each worker.
package protocol RequestHandler: AnyObject {
    /// Answers one request, exactly once, by `connection.respond` or a stream.
    func respond(to head: RequestHead, over connection: Connection) async
    /// The body of an answer to bytes that are no request.
    func body(for error: HTTPError) -> (headers: [(String, String)], bytes: [UInt8])
}

/// A listening socket on a worker.
package final class Listener: DescriptorHandler, TimerHandler {
    private let socket: Socket
    private let loop: EventLoop
    /// Who answers owns the listener.
    private unowned let handler: any RequestHandler
    private let limits: ServerLimits
    private var retry: Timer?
    private var isOpen = true
    private var isDraining = false
    private(set) var connections: [ObjectIdentifier: Connection] = [:]

    /// Listens on a worker's loop until closed.
    package init(
        _ socket: Socket, on loop: EventLoop, limits: ServerLimits, handler: any RequestHandler
    ) {
        self.socket = socket
        self.loop = loop
        self.limits = limits
        self.handler = handler
        retry = Timer(self)
        loop.watch(socket.descriptor, for: .input, self)
    }

    /// Connections that are open.
    package var connectionCount: Int { connections.count }

    /// Closes connections that wait for a request, the others after the answer that they are at.
    ///
    /// New ones are taken still, for one answer each: whoever comes while the process drains is
    /// told so, and does not find the door shut.
    package func drain() {
        isDraining = true
        for connection in connections.values { connection.drain() }
    }

    /// Takes no new connections; whoever is in the queue already gets an answer, not a reset.
    package func close() {
        guard isOpen else { return }
        acceptAll()
        isOpen = false
        loop.forget(socket.descriptor)
        if let retry { loop.cancel(retry) }
        socket.close()
    }

    /// Takes no new connections if there are none; whether there are none.
    package func closeWhenIdle() -> Bool {
        guard connections.isEmpty else { return false }
        close()
        return connections.isEmpty
    }

    /// Takes no new connections and ends all others where they stand.
    package func abort() {
        close()
        for connection in connections.values { connection.abort() }
    }

    /// Has every exchange look again at what has changed around it.
    package func wakeAll() {
        for connection in connections.values { connection.signal.raise() }
    }

    /// The watched descriptor has changed.
    package func descriptorReady(_ readiness: Readiness) { acceptAll() }

    /// The deadline of a timer of ours has passed.
    package func timerFired(_ timer: Timer) {
        guard isOpen else { return }
        loop.watch(socket.descriptor, for: .input, self)
    }

    private func acceptAll() {
        guard isOpen else { return }
        while limits.connections.enter() {
            switch socket.accept() {
            case .connection(let accepted):
                serve(accepted)
                continue
            case .none: return limits.connections.leave()
            case .exhausted: limits.connections.leave()
            }
            break
        }
        makeRoom()
    }

    /// Stops accepting, makes room, looks again soon: out of descriptors or over the limit, or they
    /// are wanted for something else than those in the queue.
    package func makeRoom() {
        if !evictOldest() { limits.connections.askNeighbours() }
        guard isOpen else { return }
        loop.forget(socket.descriptor)
        if let retry { loop.set(retry, after: .milliseconds(50)) }
    }

    /// Closes some of those that have waited longest for a request, or for the rest of one.
    ///
    /// Whoever holds connections open to keep others out loses them so; an honest client that was
    /// idle connects again. Whether there was one.
    @discardableResult
    package func evictOldest() -> Bool {
        let waiting = connections.values.filter { connection in
            connection.waitingSince.map { $0 + limits.patience <= loop.now } ?? false
        }
        let oldest = waiting.sorted { a, b in
            guard let first = a.waitingSince, let second = b.waitingSince else { return false }
            return first < second
        }
        for connection in oldest.prefix(1 + connections.count / 8) { connection.evict() }
        return !oldest.isEmpty
    }

    private func serve(_ accepted: Socket) {
        let (peers, peer) = (limits.peers, limits.peers.map { _ in accepted.peer })
        if let peers, let peer, !peers.enter(peer) {
            limits.connections.leave()
            return turnAway(accepted)
        }
        let connection = Connection(accepted, loop, limits, handler) { [self] connection in
            connections[ObjectIdentifier(connection)] = nil
            limits.connections.leave()
            if let peers, let peer { peers.leave(peer) }
        }
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain(after: limits.lateTimeout) }
        loop.start(connection)
    }

    /// One answer, as far as the socket takes it at once.
    private func turnAway(_ accepted: Socket) {
        let (headers, body) = handler.body(
            for: HTTPError(status: 429, message: "Too many connections from this address."))
        var head = ResponseHead(status: 429)
        for (name, value) in headers { head.add(name, value) }
        head.add("content-length", body.count)
        head.add("connection", "close")
        var output: [UInt8] = []
        head.append(to: &output)
        output += body
        _ = accepted.send(output.span)
        accepted.finishSending()
        accepted.close()
    }
}
