// HTTP/1.1 of our own over plain TCP: libcurl connects, the bytes are ours.
internal import EventLoop
internal import HTTP

/// One connection to an upstream without TLS; it serves one transfer after the other.
final class PlainConnection: DescriptorHandler {
    /// Common servers and load balancers cut idle connections after a minute.
    ///
    /// In nanoseconds, as the other.
    private static let idleMax: UInt64 = 55_000_000_000
    /// An address may have come to mean another server.
    private static let lifetimeMax: UInt64 = 300_000_000_000
    private static let pieceBytesMax = 64 * 1024

    /// How long it took to connect, in microseconds.
    let connectMicroseconds: Int
    /// Whether it has served a transfer before this one.
    private(set) var isReused = false
    private(set) var idleSince: Instant

    private let socket: Socket
    private let loop: EventLoop
    private let openedAt: Instant
    private unowned let pool: PlainPool
    private var transfer: Transfer?
    private var reader = AnswerReader()
    /// Whether the transfer has got the head of its answer.
    private var hasHead = false
    private var outgoing: OutgoingMessage?
    private var watched: Readiness = []
    /// Whether nobody can tell where the next answer would begin.
    private var isSpoilt = false

    init(_ socket: Socket, _ pool: PlainPool, connectMicroseconds: Int) {
        self.socket = socket
        self.pool = pool
        loop = pool.loop
        self.connectMicroseconds = connectMicroseconds
        openedAt = loop.now
        idleSince = loop.now
    }

    /// Whether an idle connection may be used again.
    func isFresh(_ now: Instant) -> Bool {
        now < idleSince + Self.idleMax && now < openedAt + Self.lifetimeMax
    }

    /// Whether the server has said nothing since its last answer, neither good-bye nor what would
    /// be read as the answer to the next request; the loop may not have heard of it yet.
    var isSilent: Bool { socket.isSilent }

    /// Sends a request and gives the transfer what is answered.
    func serve(_ transfer: Transfer, _ message: OutgoingMessage) {
        self.transfer = transfer
        outgoing = message
        send()
    }

    /// Lets go of the transfer, which has ended or is not wanted any more.
    func leave() {
        transfer = nil
        outgoing = nil
        guard reader.isFinished, !isSpoilt, reader.head?.isKeepAlive == true,
            loop.now < openedAt + Self.lifetimeMax
        else { return pool.close(self) }
        reader = AnswerReader()
        hasHead = false
        isReused = true
        idleSince = loop.now
        watch(.input)
        pool.keep(self)
    }

    func close() {
        watch([])
        socket.close()
    }

    /// The reader has made room.
    func resume() { watch(outgoing == nil ? .input : [.input, .output]) }

    /// The watched descriptor has changed.
    func descriptorReady(_ readiness: Readiness) {
        // An idle server that speaks says good-bye, or something that nobody has asked for.
        guard transfer != nil else { return pool.drop(self) }
        if readiness.has(.output), outgoing != nil { send() }
        if readiness.has(.readable), let transfer { receive(transfer) }
    }

    private func watch(_ wanted: Readiness) {
        guard wanted != watched else { return }
        watched = wanted
        if wanted == [] {
            loop.forget(socket.descriptor)
        } else {
            loop.watch(socket.descriptor, for: wanted, self)
        }
    }

    // MARK: - Bytes

    private func send() {
        while outgoing != nil {
            switch outgoing?.send(over: socket, &pool.buffer) {
            case .bytes:
                if outgoing?.isSent == true { outgoing = nil }
            case .wouldBlock: return watch([.input, .output])
            case .ended, .failed, nil:
                // The server may have answered before it closed; reading tells.
                return stopSending()
            }
        }
        watch(.input)
    }

    private func receive(_ transfer: Transfer) {
        let room = min(Self.pieceBytesMax, transfer.room())
        // Not even a reset is heard before there is room again.
        guard room > 0 else { return watch([]) }
        let result = loop.receive(from: socket, upTo: room) { bytes in take(bytes, transfer) }
        switch result {
        case .bytes, .wouldBlock: break
        case .ended: connectionEnded(transfer, "the connection was closed")
        case .failed(let errno): connectionEnded(transfer, TransferFailure.reason(of: errno))
        }
    }

    private func take(_ bytes: Span<UInt8>, _ transfer: Transfer) {
        var failure: HTTPError?
        do throws(HTTPError) {
            let count = try transfer.receive { body throws(HTTPError) in
                try reader.read(bytes, into: &body)
            }
            if count < bytes.count { isSpoilt = true }
        } catch {
            failure = error
        }
        // What came before nonsense counts, whether both came in one piece or in two.
        if !hasHead, let head = reader.head {
            hasHead = true
            // Who refuses a request need not read the rest of it.
            if head.status >= 400, outgoing != nil { stopSending() }
            transfer.receive(UpstreamHead(status: head.status, bytes: head.bytes))
        }
        if let failure { return transfer.finish(.failure(.malformed(failure.message))) }
        if reader.isFinished {
            if outgoing != nil { isSpoilt = true }
            transfer.finish(.success(()))
        } else {
            transfer.tellReader()
        }
    }

    private func stopSending() {
        outgoing = nil
        isSpoilt = true
        watch(.input)
    }

    private func connectionEnded(_ transfer: Transfer, _ reason: String) {
        reader.connectionEnded()
        isSpoilt = true
        transfer.finish(
            reader.isFinished
                ? .success(()) : .failure(.closed(answered: reader.hasBegun, reason: reason)))
    }
}
