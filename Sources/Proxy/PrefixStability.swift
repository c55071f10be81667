// How much of a request an upstream has seen before: what its prefix cache can serve at best.
internal import Synchronization

/// The last requests of the sessions that are going on; shared by all workers.
///
/// Claude Code runs subagents under one session, so a request is compared with several.
final class PrefixStability: Sendable {
    private static let sessionsMax = 64
    private static let conversationsMax = 8

    private struct Session {
        var usedAt = 0
        /// The last request of each, the latest last.
        private var conversations: [[UInt64]] = []

        mutating func note(_ blocks: [UInt64], goesOn: Bool) -> Double? {
            let common = conversations.map { zip($0, blocks).prefix { $0 == $1 }.count }
            var ratio: Double?
            if goesOn, let best = common.indices.max(by: { common[$0] < common[$1] }) {
                ratio = Double(common[best]) / Double(conversations[best].count)
                // With nothing in common it is one that nobody knows, or that was spoilt.
                if common[best] > 0 { conversations.remove(at: best) }
            }
            conversations.append(blocks)
            if conversations.count > conversationsMax { conversations.removeFirst() }
            return ratio
        }
    }

    private struct State {
        var sessions: [String: Session] = [:]
        var uses = 0
    }

    private let state = Mutex(State())

    /// Remembers a request; how much of the one it goes on with it begins with, if there was one.
    func note(_ blocks: [UInt64], of session: String, goesOn: Bool) -> Double? {
        guard !blocks.isEmpty else { return nil }
        return state.withLock { state in
            state.uses += 1
            if state.sessions[session] == nil, state.sessions.count >= Self.sessionsMax,
                let oldest = state.sessions.min(by: { $0.value.usedAt < $1.value.usedAt })
            {
                state.sessions[oldest.key] = nil
            }
            state.sessions[session, default: Session()].usedAt = state.uses
            return state.sessions[session]?.note(blocks, goesOn: goesOn)
        }
    }
}

/// Digests of a body's blocks, from its beginning; what is short of a block at the end is left out.
///
/// Sums, and sums of sums: they tell any change and any other order, and cost a quarter of an
/// instruction a byte. Nobody gains by forging one.
struct PrefixDigest {
    private static let lineBytes = 64
    private static let blockLines = 32
    /// Two megabytes are looked at.
    private static let blocksMax = 1024

    private(set) var blocks: [UInt64] = []
    private var sum = SIMD8<UInt64>.zero
    private var sumOfSums = SIMD8<UInt64>.zero
    private var lines = 0
    /// The beginning of a line that goes on in the next piece.
    private var carried: [UInt8] = []

    init(_ pieces: [ArraySlice<UInt8>], upTo count: Int) {
        blocks.reserveCapacity(min(count / (Self.lineBytes * Self.blockLines), Self.blocksMax))
        var left = count
        for piece in pieces where left > 0 && blocks.count < Self.blocksMax {
            let part = piece.prefix(left)
            left -= part.count
            unsafe part.withUnsafeBytes { unsafe add($0) }
        }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var place = 0
        if !carried.isEmpty {
            place = min(Self.lineBytes - carried.count, bytes.count)
            unsafe carried.append(contentsOf: bytes[..<place])
            guard carried.count == Self.lineBytes else { return }
            unsafe carried.withUnsafeBytes { unsafe addLines($0, from: 0, count: 1) }
            carried.removeAll(keepingCapacity: true)
        }
        while bytes.count - place >= Self.lineBytes, blocks.count < Self.blocksMax {
            let count = min((bytes.count - place) / Self.lineBytes, Self.blockLines - lines)
            unsafe addLines(bytes, from: place, count: count)
            place += count * Self.lineBytes
        }
        unsafe carried.append(contentsOf: bytes[place...].prefix(Self.lineBytes - 1))
    }

    /// Adds lines of one block.
    private mutating func addLines(
        _ bytes: UnsafeRawBufferPointer, from start: Int, count: Int
    ) {
        var (sum, sumOfSums, place) = (sum, sumOfSums, start)
        for _ in 0..<count {
            unsafe sum &+= bytes.loadUnaligned(fromByteOffset: place, as: SIMD8<UInt64>.self)
            sumOfSums &+= sum
            place &+= Self.lineBytes
        }
        lines += count
        guard lines == Self.blockLines else {
            (self.sum, self.sumOfSums) = (sum, sumOfSums)
            return
        }
        var digest: UInt64 = 0
        for lane in 0..<8 {
            digest = (digest ^ sum[lane]) &* 0x9e37_79b9_7f4a_7c15
            digest = (digest ^ digest >> 29 ^ sumOfSums[lane]) &* 0xbf58_476d_1ce4_e5b9
        }
        blocks.append(digest ^ digest >> 32)
        (self.sum, self.sumOfSums, lines) = (.zero, .zero, 0)
    }
}
