// Start, readiness, drain: what all threads know of the life of the process.
internal import EventLoop
internal import Glibc
internal import Synchronization

/// Where the process is in its life; read by every thread.
package final class Lifecycle: Sendable {
    private let draining = Atomic<Bool>(false)
    private let quitting = Atomic<Bool>(false)
    private let liveWorkers = Atomic<Int>(0)

    /// The defaults.
    package init() {}

    /// Whether SIGTERM has come: not ready any more, no new work.
    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Whether every worker has ended.
    package var isOver: Bool { liveWorkers.load(ordering: .acquiring) == 0 }

    /// Notes that SIGTERM has come.
    package func startDraining() { draining.store(true, ordering: .releasing) }

    /// Whether the end was asked for by a request.
    package var isQuitting: Bool { quitting.load(ordering: .acquiring) }

    /// Ends the process as SIGTERM does; a second time changes nothing.
    package func quit() {
        guard !quitting.exchange(true, ordering: .acquiringAndReleasing), !isDraining else {
            return
        }
        kill(getpid(), SIGTERM)
    }

    /// Counts a worker in.
    package func workerStarts() { liveWorkers.add(1, ordering: .acquiringAndReleasing) }

    /// Counts a worker out.
    package func workerEnds() { liveWorkers.subtract(1, ordering: .acquiringAndReleasing) }
}

/// Drains the workers on SIGTERM; lives on the first worker.
///
/// The first signal makes the process not ready and lets what runs finish; what still runs after
/// the drain timeout is told so and ended, and who does not even hear that is cut off a moment
/// later. A second signal ends it at once.
final class DrainControl: TimerHandler {
    /// For the last words to get out to clients that read.
    private static let patience = Duration.seconds(2)

    private let workers: [Worker]
    private let lifecycle: Lifecycle
    private let loop: EventLoop
    private let timeout: Duration
    private lazy var timer = Timer(self)
    private var message = WorkerMessage.drain
    private let onSecondSignal: () -> Void

    init(
        _ workers: [Worker], _ lifecycle: Lifecycle, on loop: EventLoop, timeout: Duration,
        onSecondSignal: @escaping () -> Void
    ) {
        self.workers = workers
        self.lifecycle = lifecycle
        self.loop = loop
        self.timeout = timeout
        self.onSecondSignal = onSecondSignal
    }

    func signalHeard() {
        guard !lifecycle.isDraining else { return onSecondSignal() }
        lifecycle.startDraining()
        loop.set(timer, after: timeout)
        tellAll()
    }

    func timerFired(_ timer: Timer) {
        switch message {
        case .drain:
            message = .stop
            loop.set(timer, after: Self.patience)
        case .stop, .abort: message = .abort
        }
        tellAll()
    }

    private func tellAll() {
        for worker in workers { worker.tell(message) }
    }
}
