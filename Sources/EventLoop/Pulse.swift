// Whether a worker gets on.
internal import Synchronization

/// Since when a worker has been at work without a look at what else came in; read by every thread.
///
/// A worker that waits for something to do is not at work, however long it waits.
package final class Pulse: Sendable {
    /// Zero while it waits.
    private let busySince = Atomic<UInt64>(0)

    /// Of a worker that does nothing yet.
    package init() {}

    /// For how long the round that runs has been running.
    package func busyNanoseconds(now: Instant) -> UInt64 {
        let since = busySince.load(ordering: .relaxed)
        return since == 0 ? 0 : now.nanoseconds(since: Instant(nanoseconds: since))
    }

    func roundBegins(_ now: Instant) { busySince.store(now.nanoseconds, ordering: .relaxed) }

    func waits() { busySince.store(0, ordering: .relaxed) }
}
