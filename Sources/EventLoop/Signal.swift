// What a task on a worker waits on.

/// Hears of a signal before the task that waits on it.
package protocol SignalListener: AnyObject {
    /// Does what the task would do; `false` when the task must wake for it.
    func settles() -> Bool
}

/// A flag that one task waits for and anybody on the same worker raises.
///
/// Whoever wakes looks at the state again: a signal says that something may have changed, not what.
@safe package final class Signal: TimerHandler {
    private var waiter: UnsafeContinuation<Void, Never>?
    private var isRaised = false
    /// Asked first while the task waits: to wake one costs more than most of what it would do.
    package var listener: (any SignalListener)?

    /// The defaults.
    package init() {}

    /// Wakes the waiting task, or the next one that waits.
    package func raise() {
        guard let waiter = unsafe waiter else {
            isRaised = true
            return
        }
        if let listener, listener.settles() { return }
        unsafe self.waiter = nil
        unsafe waiter.resume()
    }

    /// Suspends until raised; returns at once if it was raised since the last wait.
    package func wait() async {
        if isRaised {
            isRaised = false
            return
        }
        await unsafe withUnsafeContinuation { continuation in
            precondition(unsafe waiter == nil, "one task waits on a signal")
            unsafe waiter = continuation
        }
    }

    /// The deadline of a timer of ours has passed.
    package func timerFired(_ timer: Timer) { raise() }
}
