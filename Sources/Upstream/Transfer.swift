// One POST and its answer, while it comes in.
internal import CCurl
package import EventLoop

/// Why a transfer ended before its answer was whole.
package enum TransferFailure: Error, Equatable {
    case resolve(String)
    case connect(String)
    case connectTimeout
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

    let body: UpstreamBody
    var easy: EasyHandle?
    private unowned let client: UpstreamClient
    /// Whether the client knows that there is news for the reader.
    private var isMarked = false
    private var waiting: [UInt8] = []
    private var isPaused = false
    private var isAbandoned = false
    private var headBytes: [UInt8] = []
    private var bodyPiece = 0
    private var bodyOffset = 0

    init(_ request: UpstreamRequest, easy: EasyHandle, client: UpstreamClient, signal: Signal) {
        body = request.body
        self.easy = easy
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
        guard isPaused, let easy else { return }
        isPaused = false
        client.resume(easy)
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
        if isPaused, let easy {
            isPaused = false
            client.resume(easy)
        }
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

    func tellReader() {
        isMarked = false
        signal.raise()
    }

    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        guard head == nil else { return line.count }  // a trailer
        lastByteAt = client.loop.now
        guard headBytes.count + line.count <= Self.headBytesMax else { return 0 }
        if unsafe line.starts(with: "HTTP/".utf8) { headBytes.removeAll() }
        unsafe headBytes.append(contentsOf: line)
        guard line.count <= 2, let easy else { return line.count }
        let status = easy.info(CURLINFO_RESPONSE_CODE)
        guard status >= 200 else { return line.count }  // an interim answer
        head = UpstreamHead(status: status, bytes: headBytes)
        timings = TransferTimings(easy)
        headBytes = []
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

    /// Ends the transfer, whoever says so, and gives its handle back.
    func finish(_ result: Result<Void, TransferFailure>) {
        guard end == nil, let easy else { return }
        end = result
        timings = timings ?? TransferTimings(easy)
        self.easy = nil
        client.remove(self, easy)
        signal.raise()
    }
}

/// Status and headers of an upstream's answer.
package struct UpstreamHead {
    /// The status of the answer.
    package let status: Int
    private let bytes: [UInt8]

    init(status: Int, bytes: [UInt8]) {
        self.status = status
        self.bytes = bytes
    }

    /// The value of the first header of that name (any case), without the white space around it.
    package func header(_ name: StaticString) -> String? {
        var found: String?
        forEachHeader { candidate, value in
            guard found == nil, candidate.count == name.utf8CodeUnitCount,
                unsafe zip(
                    candidate, UnsafeBufferPointer(start: name.utf8Start, count: candidate.count)
                )
                .allSatisfy({ $0 | 0x20 == $1 | 0x20 })
            else { return }
            found = String(decoding: value, as: UTF8.self)
        }
        return found
    }

    /// Names and values of all headers in order; one pass over the bytes.
    package func forEachHeader(_ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            let last = value.lastIndex { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }
            body(line[..<colon], last.map { value[...$0] } ?? value.prefix(0))
        }
    }
}

/// Where the time of a transfer went.
package struct TransferTimings {
    /// Until the connection stood, TLS included; zero when an old one was used again.
    package let connectMicroseconds: Int
    /// Whether an old connection was used again.
    package let isReused: Bool

    init(_ easy: EasyHandle) {
        isReused = easy.info(CURLINFO_NUM_CONNECTS) == 0
        connectMicroseconds =
            isReused
            ? 0
            : max(
                easy.microseconds(CURLINFO_CONNECT_TIME_T),
                easy.microseconds(CURLINFO_APPCONNECT_TIME_T))
    }
}
