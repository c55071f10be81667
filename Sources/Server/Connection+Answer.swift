// Writing answers: whole ones, and streams that flow as they come.
internal import Bytes
internal import EventLoop
internal import HTTP

/// Where a connection is with the answer to its request.
enum AnswerState {
    case none
    /// Nothing is out yet.
    case pending(keepsAlive: Bool, version: HTTPVersion)
    /// A stream is open.
    case streaming(keepsAlive: Bool, isChunked: Bool)
    /// The answer is out, whole.
    case done(keepsAlive: Bool)
}

extension Connection {
    /// Sends a whole answer; `headers` without length and connection.
    package func respond(
        status: Int, headers: [(String, String)], body bytes: [UInt8], isHead: Bool = false
    ) async {
        guard case .pending(let keepsAlive, let version) = answer else { return }
        let staysOpen = keepsAlive && body.isFinished
        var response = ResponseHead(status: status)
        for (name, value) in headers { response.add(name, value) }
        for (name, value) in crossOriginFields { response.add(name, value) }
        // No length goes with a status that never has a body (RFC 9110, 8.6).
        if status != 204 { response.add("content-length", bytes.count) }
        if !staysOpen {
            response.add("connection", "close")
        } else if version == .http10 {
            // It does not know otherwise, and would wait for the end of the connection.
            response.add("connection", "keep-alive")
        }
        var output: [UInt8] = []
        output.reserveCapacity(512 + bytes.count)
        response.append(to: &output)
        if !isHead { output.append(contentsOf: bytes) }
        answer = .done(keepsAlive: staysOpen)
        if await !send(output, evenIfPeerGone: true) { isBroken = true }
    }

    /// Puts the head of a stream into a buffer that `send(stream:)` takes.
    package func beginStream(headers: [(String, String)], into buffer: inout [UInt8]) {
        guard case .pending(let keepsAlive, let version) = answer else { return }
        let isChunked = version == .http11
        let staysOpen = keepsAlive && isChunked && body.isFinished
        var response = ResponseHead(status: 200)
        for (name, value) in headers { response.add(name, value) }
        for (name, value) in crossOriginFields { response.add(name, value) }
        if isChunked { response.add("transfer-encoding", "chunked") }
        response.add("connection", staysOpen ? "keep-alive" : "close")
        response.append(to: &buffer)
        answer = .streaming(keepsAlive: staysOpen, isChunked: isChunked)
    }

    /// Opens a chunk in a buffer: what is appended until `closeChunk` goes out as one.
    package func openChunk(in buffer: inout [UInt8]) -> Int {
        guard case .streaming(_, isChunked: true) = answer else { return buffer.count }
        return ChunkFraming.open(in: &buffer)
    }

    /// Closes the chunk that was opened at `start`; an empty one is taken back.
    package func closeChunk(_ start: Int, in buffer: inout [UInt8]) {
        guard case .streaming(_, isChunked: true) = answer else { return }
        ChunkFraming.close(start, in: &buffer)
    }

    /// Sends what a stream has gathered and empties the buffer; waits while the client is slow.
    ///
    /// `false` when the client is gone.
    package func send(stream buffer: inout [UInt8]) async -> Bool {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard case .streaming = answer, !buffer.isEmpty else { return !isPeerGone }
        guard await send(buffer, evenIfPeerGone: false) else {
            isBroken = true
            return false
        }
        return true
    }

    /// Sends of a stream what goes out at once; what does not stays in the buffer, for
    /// `send(stream:)`.
    package func sendNow(stream buffer: inout [UInt8]) {
        guard case .streaming = answer, !isBroken, !isPeerGone, !buffer.isEmpty,
            case .bytes(let count) = socket.send(buffer.span)
        else { return }
        if count == buffer.count {
            buffer.removeAll(keepingCapacity: true)
        } else {
            buffer.removeFirst(count)
        }
    }

    /// Ends a stream as its framing wants it, sending what is in the buffer.
    package func endStream(_ buffer: inout [UInt8]) async {
        guard case .streaming(let keepsAlive, let isChunked) = answer else { return }
        if isChunked { ChunkFraming.end(in: &buffer) }
        guard await send(stream: &buffer) else { return }
        answer = .done(keepsAlive: keepsAlive)
    }

    /// Sends bytes, waiting while the socket is full.
    func send(_ bytes: [UInt8], evenIfPeerGone: Bool) async -> Bool {
        var sent = 0
        defer { loop.cancel(timer) }
        while sent < bytes.count {
            guard !isBroken, evenIfPeerGone || !isPeerGone else { return false }
            switch socket.send(bytes.span.extracting(sent...)) {
            case .bytes(let count): sent += count
            case .failed, .ended: return false
            case .wouldBlock:
                loop.set(timer, after: limits.writeTimeout)
                isWriting = true
                await signal.wait()
                isWriting = false
                guard timer.isSet else { return false }
            }
        }
        return true
    }
}
