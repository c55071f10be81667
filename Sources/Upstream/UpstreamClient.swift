// libcurl's multi interface on the epoll of a worker.
internal import CCurl
package import EventLoop

/// Sends requests upstream and keeps connections for the next ones.
///
/// Confined to a worker; everything it makes is too. Callbacks of libcurl only note what happened:
/// nothing calls back into the multi handle from inside one.
@safe package final class UpstreamClient: RoundHandler, TimerHandler {
    /// Easy handles that are kept for the next transfers.
    private static let spareHandlesMax = 64
    /// Connections in the making; each holds what libcurl needs for a transfer.
    private static let connectingMax = 64
    /// What an abandoned transfer may take to end by itself.
    private static let abandonedTimeout = Duration.seconds(1)

    /// The worker's loop.
    package let loop: EventLoop
    let options: UpstreamOptions
    private let isPlainOurs: Bool
    /// Ours, and cleaned up when the client goes.
    private let multi: UnsafeMutableRawPointer
    /// Room for what a transfer receives and its reader takes at once; for one after the other.
    var room: [UInt8] = []
    private var spare: [EasyHandle] = []
    private var running: [ObjectIdentifier: Transfer] = [:]
    private var readable: [Transfer] = []
    private var sockets: [CInt: WatchedSocket] = [:]
    private var abandoned: [(transfer: Transfer, deadline: Instant)] = []
    private var timer: Timer?
    private var patience: Timer?
    private var mustKick = false
    private var origin: PlainOrigin?
    private let plain: PlainPool
    private var connectingCount = 0
    /// Transfers that wait until fewer connections are in the making.
    private var queue: ArraySlice<Transfer> = []
    /// A socket that libcurl gives up and does not close.
    private var taken: CInt?

    /// Connections that are in use.
    package var activeCount: Int { running.count + plain.count - plain.idleCount }
    /// Connections, idle ones included.
    package var connectionCount: Int { sockets.count + plain.count }

    /// A client on a worker's loop; `nil` when libcurl has no memory.
    package init?(_ loop: EventLoop, options: UpstreamOptions) {
        guard let multi = unsafe curl_multi_init() else { return nil }
        unsafe self.multi = unsafe multi
        self.loop = loop
        self.options = options
        isPlainOurs = options.isPlainOurs
        plain = PlainPool(loop)
        timer = Timer(self)
        patience = Timer(self)
        installCallbacks()
        loop.atEndOfRound(self)
    }

    deinit {
        if let timer { loop.cancel(timer) }
        if let patience { loop.cancel(patience) }
        for (transfer, _) in abandoned { transfer.letGo() }
        // Newer ones (8.23) say goodbye over TLS here and would have its sockets watched, by a
        // client that is no more.
        _ = unsafe ccurl_multi_set_socket_callback(multi, nil)
        _ = unsafe ccurl_multi_set_timer_callback(multi, nil)
        _ = unsafe curl_multi_cleanup(multi)
    }

    /// Must be called once, before the first client and before other threads run.
    package static func prepareProcess() { _ = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) }

    /// The libcurl that is loaded.
    package static var libraryVersion: String { unsafe String(cString: ccurl_version()) }

    /// Starts a POST in this round; `nil` when libcurl has no memory.
    package func post(_ request: UpstreamRequest, signal: Signal) -> Transfer? {
        guard let origin = plainOrigin(of: request.url) else {
            return sendOverLibcurl(request, signal)
        }
        let message = OutgoingMessage(head: origin.head(request), request.body)
        if !request.wantsNewConnection, let connection = plain.take() {
            let transfer = Transfer(
                .empty, .plain(connection), client: self, signal: signal)
            connection.serve(transfer, message)
            return transfer
        }
        return connect(to: origin, message, signal, isPicky: request.wantsNewConnection)
    }

    /// Starts a GET in this round; `nil` when libcurl has no memory.
    package func get(_ url: String, _ headers: HeaderList, signal: Signal) -> Transfer? {
        var request = UpstreamRequest(url: url, headers: headers, body: .empty)
        request.isGet = true
        return sendOverLibcurl(request, signal)
    }

    private func sendOverLibcurl(_ request: UpstreamRequest, _ signal: Signal) -> Transfer? {
        guard let easy = spare.popLast() ?? EasyHandle(self) else { return nil }
        // libcurl has a copy of a small body, and asks for the pieces of a larger one.
        let isAsked = request.body.count > UpstreamBody.inlineBytesMax
        let transfer = Transfer(
            isAsked ? request.body : .empty, .libcurl(easy), client: self, signal: signal)
        unsafe easy.prepare(request, for: Unmanaged.passUnretained(transfer).toOpaque())
        add(transfer, easy)
        return transfer
    }

    /// Has a connection made, or waits for one of those that are in the making; with `isPicky` for
    /// none that has served before.
    private func connect(
        to origin: PlainOrigin, _ message: OutgoingMessage, _ signal: Signal, isPicky: Bool
    ) -> Transfer? {
        let transfer = Transfer(
            .empty, .queued(message, isPicky: isPicky), client: self, signal: signal)
        guard connectingCount < Self.connectingMax else {
            queue.append(transfer)
            return transfer
        }
        return connect(transfer, message, to: origin) ? transfer : nil
    }

    private func connect(
        _ transfer: Transfer, _ message: OutgoingMessage, to origin: PlainOrigin
    ) -> Bool {
        guard let easy = spare.popLast() ?? EasyHandle(self) else { return false }
        connectingCount += 1
        transfer.carrier = .connecting(easy, message)
        unsafe easy.prepareConnection(
            to: origin.url, for: Unmanaged.passUnretained(transfer).toOpaque())
        add(transfer, easy)
        return true
    }

    /// A connection was made, or could not be: the next one's turn.
    func connectingEnded(_ transfer: Transfer, _ easy: EasyHandle) {
        remove(transfer, easy)
        connectingCount -= 1
        while connectingCount < Self.connectingMax, let next = queue.popFirst() {
            guard case .queued(let message, let isPicky) = next.carrier, let origin else {
                continue
            }
            if !isPicky, let connection = plain.take() {
                next.carrier = .plain(connection)
                connection.serve(next, message)
            } else if !connect(next, message, to: origin) {
                next.finish(.failure(.other("libcurl has no memory")))
            }
        }
    }

    private func add(_ transfer: Transfer, _ easy: EasyHandle) {
        running[ObjectIdentifier(transfer)] = transfer
        guard unsafe curl_multi_add_handle(multi, easy.raw) == CURLM_OK else {
            return transfer.finish(.failure(.other("libcurl refused the transfer")))
        }
    }

    /// What connections of our own may serve: all of them go to the first origin that is asked.
    private func plainOrigin(of url: String) -> PlainOrigin? {
        if let origin, origin.url == url { return origin }
        guard isPlainOurs, let next = PlainOrigin(url, userAgent: options.userAgent),
            origin.map({ $0.authority == next.authority }) ?? true
        else { return nil }
        origin = next
        return next
    }

    /// Has libcurl start what was added in this round.
    package func roundEnds() {
        guard mustKick else { return }
        mustKick = false
        act(CURL_SOCKET_TIMEOUT, 0)
        if mustKick, let timer { loop.set(timer, after: .zero) }
    }

    /// The deadline of a timer of ours has passed.
    package func timerFired(_ timer: Timer) {
        guard timer === self.timer else { return endAbandoned() }
        mustKick = true
    }

    // MARK: - For transfers

    func markReadable(_ transfer: Transfer) { readable.append(transfer) }

    func resume(_ easy: EasyHandle) {
        _ = unsafe curl_easy_pause(easy.raw, CInt(CURLPAUSE_CONT))
        mustKick = true
    }

    /// Gives an abandoned transfer a second to end by itself.
    func expectEnd(of transfer: Transfer) {
        abandoned.append((transfer, loop.now + Self.abandonedTimeout))
        if let patience, !patience.isSet { loop.set(patience, after: Self.abandonedTimeout) }
    }

    private func endAbandoned() {
        abandoned.removeAll { transfer, deadline in
            guard transfer.end == nil else { return true }
            guard deadline <= loop.now else { return false }
            transfer.finish(.failure(.other("abandoned")))
            return true
        }
        guard let patience, let next = abandoned.first else { return }
        loop.set(patience, at: next.deadline)
    }

    func remove(_ transfer: Transfer, _ easy: EasyHandle) {
        _ = unsafe curl_multi_remove_handle(multi, easy.raw)
        easy.release()
        if spare.count < Self.spareHandlesMax { spare.append(easy) }
        running[ObjectIdentifier(transfer)] = nil
    }

    // MARK: - libcurl's view of the loop

    static func from(_ context: UnsafeMutableRawPointer?) -> UpstreamClient {
        guard let context = unsafe context else { preconditionFailure("libcurl lost its client") }
        return unsafe Unmanaged<UpstreamClient>.fromOpaque(context).takeUnretainedValue()
    }

    func socketOpened(_ socket: CInt) {
        sockets[socket] = WatchedSocket(socket, client: self, isConnection: true)
    }

    func closeSocket(_ socket: CInt) {
        loop.forget(socket)
        sockets[socket] = nil
        if socket != taken { Socket(descriptor: socket).close() }
    }

    /// Lets libcurl act on a socket, then tells whoever got something, then who has ended.
    func act(_ socket: CInt, _ readiness: CInt) {
        var count: CInt = 0
        _ = unsafe curl_multi_socket_action(multi, socket, readiness, &count)
        var result = CURLE_OK
        while let easy = unsafe ccurl_next_ended(multi, &result) {
            let transfer = unsafe Transfer.from(ccurl_private(easy))
            if result == CURLE_OK, case .connecting(let easy, let message) = transfer.carrier {
                takeOver(easy, transfer, message)
            } else {
                transfer.finish(TransferFailure.result(result, of: transfer))
            }
        }
        guard !readable.isEmpty else { return }
        for transfer in readable { transfer.tellReader() }
        readable.removeAll(keepingCapacity: true)
    }

    /// Makes a connection of libcurl's ours, and sends what it was made for.
    ///
    /// The descriptor itself goes over, since a second one may not be to be had: libcurl ends the
    /// connection at once when its handle is removed, and our callback closes nothing.
    private func takeOver(_ easy: EasyHandle, _ transfer: Transfer, _ message: OutgoingMessage) {
        guard let socket = easy.socket else {
            return transfer.finish(.failure(.other("libcurl has made no connection")))
        }
        let connection = plain.open(
            Socket(descriptor: socket),
            connectMicroseconds: easy.microseconds(CURLINFO_CONNECT_TIME_T))
        taken = socket
        transfer.carrier = .plain(connection)
        connectingEnded(transfer, easy)
        taken = nil
        connection.serve(transfer, message)
    }

    private func installCallbacks() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        _ = unsafe ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        _ = unsafe ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        _ = unsafe ccurl_multi_set_socket_callback(multi) { _, socket, what, context, _ in
            unsafe UpstreamClient.from(context).watch(socket, what)
            return 0
        }
        _ = unsafe ccurl_multi_set_timer_callback(multi) { _, milliseconds, context in
            unsafe UpstreamClient.from(context).setTimer(milliseconds)
            return 0
        }
    }

    private func setTimer(_ milliseconds: Int) {
        guard let timer else { return }
        switch milliseconds {
        case ..<0: loop.cancel(timer)
        case 0: mustKick = true
        default: loop.set(timer, after: .milliseconds(milliseconds))
        }
    }

    private func watch(_ descriptor: CInt, _ what: CInt) {
        let wanted: Readiness =
            switch what {
            case CInt(CURL_POLL_IN): .input
            case CInt(CURL_POLL_OUT): .output
            case CInt(CURL_POLL_INOUT): [.input, .output]
            default: []
            }
        let socket =
            sockets[descriptor] ?? WatchedSocket(descriptor, client: self, isConnection: false)
        guard wanted != [] || socket.isConnection else {
            loop.forget(descriptor)
            sockets[descriptor] = nil
            return
        }
        sockets[descriptor] = socket
        socket.want(wanted)
    }
}

/// A descriptor of libcurl on the loop.
///
/// libcurl stops watching a connection at the end of each transfer and starts again with the next;
/// the registration for input stays, so that the steady path needs no `epoll_ctl`. Only when an
/// unwanted event comes is it taken away. Others, like the one that tells of a resolver's thread,
/// libcurl closes itself once it stops watching, and their numbers come back at once.
private final class WatchedSocket: DescriptorHandler {
    /// Whether libcurl tells of its end.
    let isConnection: Bool
    private let descriptor: CInt
    private unowned let client: UpstreamClient
    private var wanted: Readiness = []
    private var registered: Readiness = []

    init(_ descriptor: CInt, client: UpstreamClient, isConnection: Bool) {
        self.descriptor = descriptor
        self.isConnection = isConnection
        self.client = client
    }

    func want(_ wanted: Readiness) {
        self.wanted = wanted
        let keepsInput = registered.contains(.input) || wanted.contains(.input)
        let next: Readiness = keepsInput ? wanted.union(.input) : wanted
        guard next != registered, next != [] else { return }
        registered = next
        client.loop.watch(descriptor, for: next, self)
    }

    func descriptorReady(_ readiness: Readiness) {
        guard wanted != [] else {
            client.loop.forget(descriptor)
            registered = []
            return
        }
        var flags: CInt = 0
        if readiness.has(.readable) { flags |= CInt(CURL_CSELECT_IN) }
        if readiness.has(.output) { flags |= CInt(CURL_CSELECT_OUT) }
        if readiness.has(.failed) { flags |= CInt(CURL_CSELECT_ERR) }
        client.act(descriptor, flags)
    }
}
