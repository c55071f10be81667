// One POST and its answer, while it comes in.
internal import CCurl
package import EventLoop
internal import HTTP

/// Why a transfer ended before its answer was whole.
package enum TransferFailure: Error, Equatable {
    case resolve(String)
    case connect(String)
    case connectTimeout
    /// This process has no descriptor left to connect with.
    case exhausted
    case tls(String)
    /// The connection ended; `answered` tells whether any byte of the answer had come.
    case closed(answered: Bool, reason: String)
    /// What came is not HTTP, or breaks a limit of ours.
    case malformed(String)
    case other(String)
}

/// A running or finished POST.
///
/// Whoever waits for it waits on its signal and looks again.
@safe package final class Transfer {
    /// Bytes that may wait for the reader before the upstream is made to stop.
    static let waitingBytesMax = 256 * 1024
    static let headBytesMax = 64 * 1024

    /// Raised whenever something has changed.
    package let signal: Signal
    /// Status and headers, once they are whole.
    package private(set) var head: UpstreamHead?
    /// How it ended; `nil` while it runs.
    package private(set) var end: Result<Void, TransferFailure>?
    /// When the last byte of the answer came in.
    package private(set) var lastByteAt: Instant
    /// Timings, once there is a head or the transfer has ended.
    package private(set) var timings: TransferTimings?

    /// What carries it; `nil` once it has ended.
    var carrier: TransferCarrier?
    private unowned let client: UpstreamClient
    /// Whether the client knows that there is news for the reader.
    private var isMarked = false
    private var waiting: [UInt8] = []
    private var isPaused = false
    private var isAbandoned = false
    private var headBytes: [UInt8] = []
    /// What libcurl asks for piece by piece.
    private var body: UpstreamBody
    private var bodyPiece = 0
    private var bodyOffset = 0

    init(_ body: UpstreamBody, _ carrier: TransferCarrier, client: UpstreamClient, signal: Signal) {
        self.body = body
        self.carrier = carrier
        self.client = client
        self.signal = signal
        lastByteAt = client.loop.now
    }

    /// Whether bytes wait to be taken.
    package var hasBytes: Bool { !waiting.isEmpty }

    /// Gives what has come in, in exchange for an emptied buffer to be used for what comes next.
    package func take(into buffer: inout [UInt8]) {
        buffer.removeAll(keepingCapacity: true)
        swap(&buffer, &waiting)
        resume()
    }

    /// Ends the transfer now; the upstream sees its connection close.
    ///
    /// One that was abandoned is let be.
    package func cancel() {
        guard end == nil, !isAbandoned else { return }
        finish(.failure(.other("cancelled")))
    }

    /// Lets the transfer run to its end without a reader, so that its connection can be used again.
    ///
    /// The answer is complete for us, only the framing's end is still out. Not more than a
    /// little is waited for: `UpstreamClient` ends what takes longer than a second.
    package func abandon() {
        guard end == nil else { return }
        isAbandoned = true
        waiting = []
        client.expectEnd(of: self)
        resume()
    }

    /// Lets go of what carries it, at the end of its client: the two hold each other.
    func letGo() {
        if case .plain(let connection) = carrier { connection.close() }
        carrier = nil
    }

    private func resume() {
        guard isPaused else { return }
        isPaused = false
        switch carrier {
        case .libcurl(let easy): client.resume(easy)
        case .plain(let connection): connection.resume()
        case .queued, .connecting, nil: break
        }
    }

    /// Ends the transfer, whoever says so, and gives back what has carried it.
    func finish(_ result: Result<Void, TransferFailure>) {
        guard end == nil, let carrier else { return }
        end = result
        timings = timings ?? carrier.timings
        self.carrier = nil
        switch carrier {
        case .libcurl(let easy): client.remove(self, easy)
        case .connecting(let easy, _): client.connectingEnded(self, easy)
        case .queued: break
        case .plain(let connection): connection.leave()
        }
        signal.raise()
    }

    func tellReader() {
        isMarked = false
        signal.raise()
        if waiting.isEmpty, waiting.capacity > 0 { swap(&waiting, &client.room) }
    }

    // MARK: - Called by a connection of our own

    /// How many bytes may come now; none pauses the connection until the reader has taken some.
    func room() -> Int {
        let room = isAbandoned ? Self.waitingBytesMax : Self.waitingBytesMax - waiting.count
        if room <= 0 { isPaused = true }
        return room
    }

    /// Lets a connection add to what waits for the reader.
    func receive(
        _ read: (inout [UInt8]) throws(HTTPError) -> Int
    ) throws(HTTPError) -> Int {
        let client = client
        lastByteAt = client.loop.now
        // Whoever reads at once needs no room of his own.
        if waiting.isEmpty { swap(&waiting, &client.room) }
        let count = try read(&waiting)
        if isAbandoned { waiting.removeAll(keepingCapacity: true) }
        return count
    }

    func receive(_ head: UpstreamHead) {
        self.head = head
        timings = carrier?.timings
    }

    // MARK: - Called by libcurl

    static func from(_ context: UnsafeMutableRawPointer?) -> Transfer {
        guard let context = unsafe context else { preconditionFailure("libcurl lost a transfer") }
        return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isAbandoned else { return bytes.count }
        guard waiting.count + bytes.count <= Self.waitingBytesMax || waiting.isEmpty else {
            isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        unsafe waiting.append(contentsOf: bytes)
        markReadable()
        return bytes.count
    }

    /// libcurl calls once for each chunk of the answer: the reader is told of all of them at once.
    private func markReadable() {
        guard !isMarked else { return }
        isMarked = true
        lastByteAt = client.loop.now
        client.markReadable(self)
    }

    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        guard head == nil else { return line.count }  // a trailer
        lastByteAt = client.loop.now
        guard headBytes.count + line.count <= Self.headBytesMax else { return 0 }
        if unsafe line.starts(with: "HTTP/".utf8) { headBytes.removeAll() }
        unsafe headBytes.append(contentsOf: line)
        guard line.count <= 2, case .libcurl(let easy) = carrier else { return line.count }
        let status = easy.info(CURLINFO_RESPONSE_CODE)
        guard status >= 200 else { return line.count }  // an interim answer
        head = UpstreamHead(status: status, bytes: headBytes)
        timings = TransferTimings(easy)
        headBytes = []
        if bodyPiece == body.pieces.count { body = .empty }
        markReadable()
        return line.count
    }

    func supplyBody(_ room: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < room.count, bodyPiece < body.pieces.count {
            let piece = body.pieces[bodyPiece].dropFirst(bodyOffset)
            let count = min(piece.count, room.count - filled)
            unsafe piece.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
            }
            filled += count
            bodyOffset += count
            if count == piece.count { (bodyPiece, bodyOffset) = (bodyPiece + 1, 0) }
        }
        return filled
    }

    func rewindBody(to offset: Int) {
        (bodyPiece, bodyOffset) = (0, offset)
        while bodyPiece < body.pieces.count, bodyOffset >= body.pieces[bodyPiece].count {
            bodyOffset -= body.pieces[bodyPiece].count
            bodyPiece += 1
        }
    }
}

/// What carries a transfer.
enum TransferCarrier {
    /// All of it is libcurl's: TLS, proxies, HTTP/2.
    case libcurl(EasyHandle)
    /// A message that waits until libcurl makes a connection for it, or for one that is idle.
    case queued(OutgoingMessage, isPicky: Bool)
    /// libcurl makes a connection that will be ours.
    case connecting(EasyHandle, OutgoingMessage)
    case plain(PlainConnection)

    var timings: TransferTimings? {
        switch self {
        case .queued: nil
        case .libcurl(let easy), .connecting(let easy, _): TransferTimings(easy)
        case .plain(let connection): TransferTimings(connection)
        }
    }
}
