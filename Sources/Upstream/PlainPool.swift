// Connections of our own that wait for the next request.
internal import EventLoop

/// The plain connections of one client; confined to its worker.
final class PlainPool: TimerHandler {
    private static let idleConnectionsMax = 256

    let loop: EventLoop
    /// Room that all connections gather in, one after the other.
    var buffer: [UInt8] = []
    /// Connections, idle ones included.
    private(set) var count = 0
    private var idle: [PlainConnection] = []
    /// Connections that have nothing to do.
    var idleCount: Int { idle.count }
    private var timer: Timer?

    init(_ loop: EventLoop) {
        self.loop = loop
        timer = Timer(self)
    }

    deinit {
        if let timer { loop.cancel(timer) }
        for connection in idle { connection.close() }
    }

    /// A connection over a socket that is connected.
    func open(_ socket: Socket, connectMicroseconds: Int) -> PlainConnection {
        count += 1
        return PlainConnection(socket, self, connectMicroseconds: connectMicroseconds)
    }

    /// The connection that was used last, if it can be used again.
    func take() -> PlainConnection? {
        while let connection = idle.popLast() {
            if connection.isFresh(loop.now), connection.isSilent { return connection }
            close(connection)
        }
        return nil
    }

    /// Takes a connection that has nothing to do.
    func keep(_ connection: PlainConnection) {
        guard idle.count < Self.idleConnectionsMax else { return close(connection) }
        idle.append(connection)
        if let timer, !timer.isSet { loop.set(timer, after: .seconds(60)) }
    }

    /// Ends a connection that was idle.
    func drop(_ connection: PlainConnection) {
        idle.removeAll { $0 === connection }
        close(connection)
    }

    /// The deadline of a timer of ours has passed: the oldest connections are given up.
    func timerFired(_ timer: Timer) {
        idle.removeAll { connection in
            guard !connection.isFresh(loop.now) else { return false }
            close(connection)
            return true
        }
        if !idle.isEmpty { loop.set(timer, after: .seconds(60)) }
    }

    /// Ends a connection that is not in the pool.
    func close(_ connection: PlainConnection) {
        count -= 1
        connection.close()
    }
}
