// A request on its way out over a connection of our own.
internal import EventLoop

/// What of a request is still to be sent.
struct OutgoingMessage {
    /// A message of at most so many bytes is gathered in one buffer.
    private static let gatheredBytesMax = 16 * 1024

    private let pieces: [ArraySlice<UInt8>]
    private var piece = 0
    private var offset = 0
    private let isGathered: Bool

    init(head: [UInt8], _ body: UpstreamBody) {
        var pieces = [head[...]]
        pieces += body.pieces
        self.pieces = pieces
        isGathered = pieces.reduce(0) { $0 + $1.count } <= Self.gatheredBytesMax
        skip(0)
    }

    var isSent: Bool { piece == pieces.count }

    /// Sends once; `buffer` is room to gather in.
    mutating func send(over socket: Socket, _ buffer: inout [UInt8]) -> SocketResult {
        let result: SocketResult
        if isGathered {
            buffer.removeAll(keepingCapacity: true)
            buffer.append(contentsOf: pieces[piece].dropFirst(offset))
            for next in pieces[(piece + 1)...] { buffer.append(contentsOf: next) }
            result = socket.send(buffer.span)
        } else {
            result = socket.send(pieces[piece...], from: offset)
        }
        if case .bytes(let count) = result { skip(count) }
        return result
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
