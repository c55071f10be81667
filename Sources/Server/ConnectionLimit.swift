// How many connections all listeners of a kind may have together.
internal import Synchronization

/// Counts connections against one limit, whichever worker they are on.
///
/// The kernel spreads connections over the workers as it likes: with a share for each, one worker
/// would be full long before all of them are.
package final class ConnectionLimit: Sendable {
    private let connectionsMax: Int
    private let count = Atomic<Int>(0)
    private let neighbours = Mutex<(@Sendable () -> Void)?>(nil)

    /// A limit that nobody has used.
    package init(_ connectionsMax: Int) { self.connectionsMax = connectionsMax }

    /// Says how other workers are asked for room; once, before the first connection.
    package func askingNeighbours(_ ask: @escaping @Sendable () -> Void) {
        neighbours.withLock { $0 = ask }
    }

    /// Counts a connection in, unless there are as many as there may be.
    func enter() -> Bool {
        guard count.add(1, ordering: .relaxed).newValue > connectionsMax else { return true }
        leave()
        return false
    }

    /// Counts a connection out.
    func leave() { count.subtract(1, ordering: .relaxed) }

    /// Has other workers close what is idle, since the one that asks has nothing to close.
    func askNeighbours() { neighbours.withLock { $0 }?() }
}
