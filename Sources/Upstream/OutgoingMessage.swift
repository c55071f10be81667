// A request on its way out over a connection of our own.
internal import EventLoop

/// What of a request is still to be sent.
struct OutgoingMessage {
    /// Smaller pieces are gathered, so that the head and a small body go out together.
    private static let gatheredBytesMax = 16 * 1024
    private static let bufferBytesMax = 64 * 1024

    private let pieces: [ArraySlice<UInt8>]
    private var piece = 0
    private var offset = 0

    init(head: [UInt8], _ body: UpstreamBody) {
        var pieces = [head[...]]
        pieces += body.pieces
        self.pieces = pieces
        skip(0)
    }

    var isSent: Bool { piece == pieces.count }

    /// Sends once; `buffer` is room to gather in.
    mutating func send(over socket: Socket, _ buffer: inout [UInt8]) -> SocketResult {
        let first = pieces[piece].dropFirst(offset)
        let result: SocketResult
        if first.count >= Self.gatheredBytesMax {
            result = socket.send(first.span)
        } else {
            gather(from: first, into: &buffer)
            result = socket.send(buffer.span)
        }
        if case .bytes(let count) = result { skip(count) }
        return result
    }

    private func gather(from first: ArraySlice<UInt8>, into buffer: inout [UInt8]) {
        buffer.removeAll(keepingCapacity: true)
        buffer.append(contentsOf: first)
        var next = piece + 1
        while next < pieces.count, buffer.count + pieces[next].count <= Self.bufferBytesMax {
            buffer.append(contentsOf: pieces[next])
            next += 1
        }
    }

    /// Goes on behind bytes that were sent, and behind empty pieces.
    private mutating func skip(_ count: Int) {
        offset += count
        while piece < pieces.count, offset >= pieces[piece].count {
            offset -= pieces[piece].count
            piece += 1
        }
    }
}
