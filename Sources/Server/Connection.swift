// One client's connection: requests in, answers out, one at a time.
internal import Bytes
package import EventLoop
internal import HTTP

/// A client's connection.
///
/// Confined to its worker. It is a job: it reads a head, has it answered, and goes on until either
/// side has had enough.
package final class Connection: DescriptorHandler, WorkerJob {
    /// Raised for whatever happens to the connection; the exchange waits on it too.
    package let signal = Signal()
    /// Whether the peer has closed its side; an answer that is still being made is not wanted.
    package private(set) var isPeerGone = false

    /// Whether the client is on this machine.
    package var isPeerLocal: Bool { socket.isPeerLocal }

    /// In chunks of one byte each this takes a millisecond.
    private static let roundBytesMax = 128 * 1024

    let loop: EventLoop
    let limits: ServerLimits
    let socket: Socket
    private let handler: any RequestHandler
    private let onClose: (Connection) -> Void
    private(set) lazy var timer = Timer(signal)
    /// Whether an answer waits for room.
    var isWriting = false
    var input: [UInt8] = []
    private var parser: RequestHeadParser
    var body = RequestBodyState.none
    var expectsContinue = false
    var bodyStartedAt = Instant(nanoseconds: 0)
    private var isDraining = false
    /// How long a connection that came while the server drained may take to ask.
    private var lateTimeout: Duration?
    private var isIdle = true
    /// Since when the connection waits for a request; `nil` while it has one.
    private(set) var waitingSince: Instant?
    private var isEvicted = false
    /// What was read in the last round in which something was.
    private var lastRead = (round: Instant(nanoseconds: 0), bytes: 0)
    var isBroken = false
    var answer = AnswerState.none
    /// What the answer tells a browser about whose pages may read it.
    private(set) var crossOriginFields: [(String, String)] = []

    init(
        _ socket: Socket, _ loop: EventLoop, _ limits: ServerLimits,
        _ handler: any RequestHandler, onClose: @escaping (Connection) -> Void
    ) {
        self.socket = socket
        self.loop = loop
        self.limits = limits
        self.handler = handler
        self.onClose = onClose
        parser = RequestHeadParser(limits: limits.head)
        loop.watch(socket.descriptor, for: [.input, .output, .peerClosed, .edge], self)
    }

    /// Serves requests until the connection ends.
    package func run() async {
        var round: Instant?
        while let head = await readHead() {
            isIdle = false
            // The next request may be here already, and the one after it: others have their turn.
            if round == loop.now { await nextRound() }
            round = loop.now
            waitingSince = nil
            isEvicted = false
            body = RequestBodyState(head.framing)
            expectsContinue = head.expectsContinue
            if let crossOrigin = limits.crossOrigin {
                crossOriginFields = crossOrigin.fields(for: head.header("origin"))
            }
            answer = .pending(keepsAlive: head.isKeepAlive && !isDraining, version: head.version)
            await handler.respond(to: head, over: self)
            guard await finishRequest() else { break }
            isIdle = true
            guard !isDraining else { break }
        }
        close()
    }

    /// Waits until everybody else on the worker was heard.
    @inline(never)
    private func nextRound() async {
        let round = loop.now
        let turn = Timer(signal)
        loop.set(turn, after: .zero)
        while loop.now == round { await signal.wait() }
        loop.cancel(turn)
    }

    /// The watched descriptor has changed.
    package func descriptorReady(_ readiness: Readiness) {
        if readiness.has(.gone) { isPeerGone = true }
        // Room to write is told with every other change, and mostly nobody waits for it.
        guard isWriting || readiness != .output else { return }
        signal.raise()
    }

    /// Closes the connection after the answer that it is at, or now when it waits for a request;
    /// with a timeout it still may ask once.
    func drain(after timeout: Duration? = nil) {
        isDraining = true
        lateTimeout = timeout
        if case .pending(_, let version) = answer {
            answer = .pending(keepsAlive: false, version: version)
        }
        signal.raise()
    }

    /// Closes the connection unless a request comes in right now; for one that waits for it.
    func evict() {
        isEvicted = true
        signal.raise()
    }

    /// Ends the connection where it stands; a client sees a stream cut, never a tidy end.
    package func abort() {
        isBroken = true
        isPeerGone = true
        signal.raise()
    }

    private func close() {
        loop.cancel(timer)
        loop.forget(socket.descriptor)
        socket.close()
        onClose(self)
    }

    // MARK: - Reading

    /// The next head; `nil` at the end of the connection, or after an answer to nonsense.
    private func readHead() async -> RequestHead? {
        loop.set(timer, after: lateTimeout ?? limits.idleTimeout)
        defer { loop.cancel(timer) }
        waitingSince = loop.now
        var hasBegun = false
        while true {
            if !input.isEmpty {
                do throws(HTTPError) {
                    if let head = try parser.parse(&input) { return head }
                } catch {
                    await refuse(error)
                    return nil
                }
                if !hasBegun, lateTimeout == nil { loop.set(timer, after: limits.headTimeout) }
                hasBegun = true
            }
            if hasDrained, input.isEmpty { return nil }
            guard await receive(upTo: 16 * 1024, isShort: true) else {
                if hasBegun, !timer.isSet, !isBroken {
                    await refuse(HTTPError(status: 408, message: "The request head is too slow."))
                }
                return nil
            }
        }
    }

    /// More input, or `false` at the end, on failure and when the timer has fired.
    ///
    /// What is probably short is copied, so that the input does not keep the room for more. Who
    /// sends faster than is read waits when others have waited long enough.
    func receive(upTo count: Int, isShort: Bool = false) async -> Bool {
        while !isBroken {
            if lastRead.round != loop.now { lastRead = (loop.now, 0) }
            if lastRead.bytes >= Self.roundBytesMax { await nextRound() }
            let result =
                isShort
                ? loop.receive(from: socket, upTo: count) { input.append($0) }
                : socket.receive(upTo: count, appendingTo: &input)
            switch result {
            case .bytes(let count):
                lastRead.bytes += count
                return true
            case .ended, .failed: return false
            case .wouldBlock: break
            }
            guard timer.isSet, !isEvicted, !(isIdle && hasDrained) else { return false }
            await signal.wait()
        }
        return false
    }

    private var hasDrained: Bool { isDraining && lateTimeout == nil }

    private func refuse(_ error: HTTPError) async {
        let (headers, bytes) = handler.body(for: error)
        answer = .pending(keepsAlive: false, version: .http11)
        body = .none
        await respond(status: error.status, headers: headers, body: bytes)
        await linger()
    }

    /// What is left of the connection after an answer: `true` when another request may come.
    private func finishRequest() async -> Bool {
        guard case .done(let keepsAlive) = answer, !isBroken else { return false }
        guard keepsAlive, body.isFinished else {
            await linger()
            return false
        }
        return true
    }

    /// Sends a FIN and reads what the client still sends, within limits, so that it sees the answer
    /// and not a reset.
    private func linger() async {
        guard !isBroken else { return }
        socket.finishSending()
        loop.set(timer, after: .seconds(2))
        defer { loop.cancel(timer) }
        var total = 0
        while total < 64 << 20 {
            input.removeAll(keepingCapacity: true)
            guard await receive(upTo: 64 * 1024) else { return }
            total += input.count
        }
    }
}
