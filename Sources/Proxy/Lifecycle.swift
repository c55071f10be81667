// Start, readiness, drain: what all threads know of the life of the process.
internal import EventLoop
internal import Synchronization

/// Where the process is in its life; read by every thread.
package final class Lifecycle: Sendable {
    private let leaving = Atomic<Bool>(false)
    private let draining = Atomic<Bool>(false)
    private let cutting = Atomic<Bool>(false)
    private let scraped = Flag()
    private let quitting = Atomic<Bool>(false)
    private let liveWorkers = Atomic<Int>(0)
    private let pulses = Mutex<[Pulse]>([])

    /// The defaults.
    package init() {}

    /// Whether SIGTERM has come: not ready any more.
    package var isLeaving: Bool { leaving.load(ordering: .acquiring) }

    /// Whether no new work is taken; some time after SIGTERM, if the settings want it so.
    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Whether every worker has ended.
    package var isOver: Bool { liveWorkers.load(ordering: .acquiring) == 0 }

    /// Notes that SIGTERM has come; whether it is the first word of it.
    package func startLeaving() -> Bool {
        !leaving.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// Takes no new work from here on.
    package func startDraining() { draining.store(true, ordering: .releasing) }

    /// Notes that something ran longer than it was given.
    func startCutting() { cutting.store(true, ordering: .releasing) }

    /// Notes that the metrics were read.
    func noteScrape() { scraped.raise() }

    /// Stays until the metrics were read once more, if they have to tell of streams that were cut.
    func waitForLastScrape(_ patience: Duration) {
        guard patience > .zero, cutting.load(ordering: .acquiring) else { return }
        // Scrapes that were before.
        _ = scraped.wait(milliseconds: 0)
        _ = scraped.wait(milliseconds: Int(clamping: patience.nanoseconds / 1_000_000))
    }

    /// Whether the end was asked for by a request.
    package var isQuitting: Bool { quitting.load(ordering: .acquiring) }

    /// Ends the process as SIGTERM does; a second time changes nothing.
    package func quit() {
        guard !quitting.exchange(true, ordering: .acquiringAndReleasing), !isLeaving else {
            return
        }
        TerminationSignals.imitate()
    }

    /// A round takes milliseconds; who has been in one for so long is stuck.
    static let roundMax = Duration.seconds(10)

    /// Looks after a worker from now on.
    func watch(_ pulse: Pulse) { pulses.withLock { $0.append(pulse) } }

    /// Whether every worker gets on, or waits for something to do.
    func isAlive(now: Instant) -> Bool {
        let most = Self.roundMax.nanoseconds
        return pulses.withLock { $0.allSatisfy { $0.busyNanoseconds(now: now) < most } }
    }

    /// Counts a worker in.
    package func workerStarts() { liveWorkers.add(1, ordering: .acquiringAndReleasing) }

    /// Counts a worker out.
    package func workerEnds() { liveWorkers.subtract(1, ordering: .acquiringAndReleasing) }
}

/// Drains the workers on SIGTERM; lives on the first worker.
///
/// The first signal makes the process not ready; when those who send requests had time to hear of
/// that, new ones are refused and what runs may finish; what still runs after the drain timeout is
/// told so and ended, and who does not even hear that is cut off a moment later. A second signal
/// ends it at once, and not from here.
final class DrainControl: TimerHandler {
    /// For the last words to get out to clients that read.
    private static let patience = Duration.seconds(2)

    private let workers: [Worker]
    private let lifecycle: Lifecycle
    private let loop: EventLoop
    private let times: (delay: Duration, timeout: Duration)
    private lazy var timer = Timer(self)
    /// What the workers were told last.
    private var message: WorkerMessage?

    init(
        _ workers: [Worker], _ lifecycle: Lifecycle, on loop: EventLoop,
        delay: Duration, timeout: Duration
    ) {
        self.workers = workers
        self.lifecycle = lifecycle
        self.loop = loop
        times = (delay, timeout)
    }

    func signalHeard(_ tell: () -> Void) {
        guard lifecycle.startLeaving() else { return }
        tell()
        // Whoever asked by a request knows that no more will come.
        guard times.delay > .zero, !lifecycle.isQuitting else { return drain() }
        loop.set(timer, after: times.delay)
    }

    private func drain() {
        lifecycle.startDraining()
        tell(.drain)
        loop.set(timer, after: times.timeout)
    }

    func timerFired(_ timer: Timer) {
        switch message {
        case nil, .makeRoom: drain()
        case .drain:
            lifecycle.startCutting()
            tell(.stop)
            loop.set(timer, after: Self.patience)
        case .stop, .abort: tell(.abort)
        }
    }

    private func tell(_ message: WorkerMessage) {
        self.message = message
        for worker in workers { worker.tell(message) }
    }
}
