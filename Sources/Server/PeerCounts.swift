// How many connections each address has.
internal import EventLoop
internal import Synchronization

/// Counts the connections of each address, for all listeners of the process together.
package final class PeerCounts: Sendable {
    private let connectionsMax: Int
    private let counts = Mutex<[PeerAddress: Int]>([:])

    /// Counts with a limit for each address.
    package init(connectionsMax: Int) { self.connectionsMax = connectionsMax }

    /// Counts a connection in, unless its address has too many.
    func enter(_ peer: PeerAddress) -> Bool {
        counts.withLock { counts in
            let count = counts[peer, default: 0]
            guard count < connectionsMax else { return false }
            counts[peer] = count + 1
            return true
        }
    }

    /// Counts a connection out.
    func leave(_ peer: PeerAddress) {
        counts.withLock { counts in
            let count = counts[peer, default: 0]
            counts[peer] = count > 1 ? count - 1 : nil
        }
    }
}
