// Reading the body of a request.
internal import Bytes
internal import EventLoop
package import HTTP

/// How much of a request's body is still to come.
enum RequestBodyState {
    case none
    case length(Int)
    case chunked(ChunkedDecoder)
    case finished

    init(_ framing: BodyFraming) {
        switch framing {
        case .none, .length(0): self = .none
        case .length(let length): self = .length(length)
        case .chunked: self = .chunked(ChunkedDecoder())
        }
    }

    var isFinished: Bool {
        switch self {
        case .none, .finished: true
        case .length, .chunked: false
        }
    }
}

/// Why a request's body could not be read.
package enum RequestBodyError: Error, Equatable {
    case tooLarge
    case malformed(HTTPError)
    /// There is no room for a body that is longer than was known.
    case noRoom
    /// The client stopped in the middle, or is gone.
    case incomplete
    /// The client stays, and sends too little.
    case tooSlow
}

extension Connection {
    /// The size that the head announces; `nil` without a body of known length.
    package var announcedBodyBytes: Int? {
        if case .length(let left) = body { return left }
        return nil
    }

    /// Reads the request's body, whole.
    ///
    /// A body whose length the head does not tell asks `mayGrow` each time that it has grown.
    package func readBody(
        bytesMax: Int, mayGrow: (Int) -> Bool = { _ in true }
    ) async throws(RequestBodyError) -> [UInt8] {
        bodyStartedAt = loop.now
        // Most bodies come with their head.
        if announcedBodyBytes.map({ $0 > input.count }) ?? true { expectMore(after: 0) }
        defer { loop.cancel(timer) }
        switch body {
        case .none, .finished: return []
        case .length(let length): return try await readBody(length: length, bytesMax: bytesMax)
        case .chunked(var decoder):
            defer { if !body.isFinished { body = .chunked(decoder) } }
            return try await readChunks(&decoder, bytesMax: bytesMax, mayGrow)
        }
    }

    private func readBody(length: Int, bytesMax: Int) async throws(RequestBodyError) -> [UInt8] {
        guard length <= bytesMax else { throw .tooLarge }
        await continueIfExpected()
        var bytes: [UInt8] = []
        if input.count <= length {
            swap(&bytes, &input)
        } else {
            bytes = Array(input.prefix(length))
            input.removeFirst(length)
        }
        // Pages that the client never fills are never touched.
        bytes.reserveCapacity(length)
        while bytes.count < length {
            swap(&bytes, &input)
            let isMore = await receive(upTo: min(length - input.count, 256 * 1024))
            swap(&bytes, &input)
            guard isMore else { throw timer.isSet ? .incomplete : .tooSlow }
            expectMore(after: bytes.count)
        }
        body = .finished
        return bytes
    }

    private func readChunks(
        _ decoder: inout ChunkedDecoder, bytesMax: Int, _ mayGrow: (Int) -> Bool
    ) async throws(RequestBodyError) -> [UInt8] {
        await continueIfExpected()
        var bytes: [UInt8] = []
        var total = input.count
        while true {
            do throws(HTTPError) {
                var received: [UInt8] = []
                swap(&received, &input)
                let consumed = try decoder.decode(received.span, into: &bytes)
                received.removeFirst(consumed)
                swap(&received, &input)
            } catch {
                throw .malformed(error)
            }
            guard bytes.count <= bytesMax else { throw .tooLarge }
            guard mayGrow(bytes.count) else { throw .noRoom }
            if decoder.isFinished {
                body = .finished
                return bytes
            }
            let before = input.count
            guard await receive(upTo: 64 * 1024) else {
                throw timer.isSet ? .incomplete : .tooSlow
            }
            total += input.count - before
            expectMore(after: total)
        }
    }

    /// Moves the deadline for the next bytes: not long after the last ones, and in any case soon
    /// enough for the least rate from the start, so that a drip does not hold a place for ever.
    private func expectMore(after count: Int) {
        let least = Duration.seconds(count) / limits.bodyBytesPerSecondMin
        let rateEndsAt = bodyStartedAt + limits.bodyIdleTimeout + least
        loop.set(timer, at: min(loop.now + limits.bodyIdleTimeout, rateEndsAt))
    }

    private func continueIfExpected() async {
        guard case .pending = answer, expectsContinue else { return }
        expectsContinue = false
        var interim: [UInt8] = []
        interim.append("HTTP/1.1 100 Continue\r\n\r\n")
        _ = await send(interim, evenIfPeerGone: true)
        expectMore(after: 0)
    }
}
