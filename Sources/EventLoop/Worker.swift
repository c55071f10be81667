// One I/O thread: its own loop, its own executor, everything on it confined to it.
internal import CLinux
internal import Glibc
internal import Synchronization

/// An actor with a thread of its own.
///
/// What is made on it (`make` in `run`) is not `Sendable` and never leaves; jobs of its loop are
/// its tasks, so nothing hops between threads.
package actor Worker {
    /// Runs everything that belongs to the worker.
    package nonisolated let executor: WorkerExecutor
    /// What makes the actor run on its own thread.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Tells other threads whether the worker gets on.
    package nonisolated let pulse = Pulse()

    private let loop: EventLoop
    private var tenant: (any WorkerTenant)?
    private var jobs: [Int: any WorkerJob] = [:]
    private var nextJob = 0
    private nonisolated let mail = Mutex<[WorkerMessage]>([])
    private nonisolated let hasMail = Atomic<Bool>(false)

    /// A worker that does not run yet.
    package init() {
        executor = WorkerExecutor()
        loop = EventLoop(wakeup: executor.wakeup, pulse)
    }

    /// Runs the worker on the calling thread until its tenant stops it.
    package nonisolated func run(_ make: @Sendable (EventLoop) -> any WorkerTenant) {
        executor.adoptThread()
        assumeIsolated { $0.tenant = make($0.loop) }
        assumeIsolated { worker in
            // Jobs run inside: to ask in each round whose thread this is costs as much as a round.
            repeat { executor.runJobs() } while worker.turn()
            // What has just been resumed comes to its end, and lets go of what it holds.
            executor.runJobs()
            worker.tenant = nil
            worker.jobs = [:]
            worker.loop.release()
        }
        pulse.waits()
    }

    /// Runs the worker on a thread of its own, which tools show by its name of 15 bytes at most.
    @discardableResult
    package nonisolated func start(
        named name: String,
        _ make: @escaping @Sendable (EventLoop) -> any WorkerTenant,
        atEnd: @escaping @Sendable () -> Void = {}
    ) -> WorkerThread {
        let start = ThreadStart(worker: self, name: name, make: make, atEnd: atEnd)
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(start).toOpaque()
        let status = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(context)
                        .takeRetainedValue()
                    unsafe clinux_name_thread(start.name)
                    start.worker.run(start.make)
                    start.atEnd()
                }
                return nil
            }, context)
        precondition(status == 0, "no thread for a worker: errno \(status)")
        return WorkerThread(thread: thread)
    }

    /// Makes the worker look again whether it is done; from any thread.
    package nonisolated func wake() { eventfd_write(executor.wakeup, 1) }

    /// Tells the tenant something from another thread; in order.
    ///
    /// Nobody waits until it is heard: a worker that has ended hears nothing any more.
    package nonisolated func tell(_ message: WorkerMessage) {
        mail.withLock { $0.append(message) }
        hasMail.store(true, ordering: .releasing)
        wake()
    }

    private func readMail() {
        guard hasMail.load(ordering: .relaxed),
            hasMail.exchange(false, ordering: .acquiring)
        else { return }
        let messages = mail.withLock { mail in
            defer { mail = [] }
            return mail
        }
        for message in messages { tenant?.receive(message) }
    }

    /// One round: what was put off, new jobs, then waiting.
    ///
    /// `false` once the tenant is done.
    private func turn() -> Bool {
        readMail()
        loop.endRound()
        for job in loop.takeJobs() { begin(job) }
        if let tenant, tenant.isDone { return false }
        loop.poll(mayBlock: !executor.hasJobs)
        return true
    }

    private func begin(_ job: any WorkerJob) {
        let key = nextJob
        nextJob &+= 1
        jobs[key] = job
        // A continuation resumes on the task's preferred executor, and only then hops to the actor:
        // with the same executor for both, nothing ever visits another thread.
        Task(executorPreference: executor) { await self.finish(key) }
    }

    private func finish(_ key: Int) async {
        guard let job = jobs[key] else { return }
        await job.run()
        jobs[key] = nil
    }
}

/// What lives on a worker.
package protocol WorkerTenant: AnyObject {
    /// Whether the worker's thread may end.
    var isDone: Bool { get }
    /// Hears what another thread says.
    func receive(_ message: WorkerMessage)
}

/// What may be said to a worker from another thread.
package enum WorkerMessage: Sendable {
    /// Close what nobody needs: another worker needs room.
    case makeRoom
    /// Take no new work, finish what runs, then be done.
    case drain
    /// End what still runs, with a word to those who wait.
    case stop
    /// End what still runs where it stands.
    case abort
}

/// The thread of a worker.
package struct WorkerThread {
    fileprivate let thread: pthread_t

    /// Waits until the thread is gone, at most once.
    ///
    /// What libraries keep for a thread (OpenSSL's random numbers) goes with it, and needs the
    /// library: a process must not leave meanwhile.
    package func join() { pthread_join(thread, nil) }
}

private final class ThreadStart: Sendable {
    let worker: Worker
    let name: String
    let make: @Sendable (EventLoop) -> any WorkerTenant
    let atEnd: @Sendable () -> Void

    init(
        worker: Worker, name: String,
        make: @escaping @Sendable (EventLoop) -> any WorkerTenant,
        atEnd: @escaping @Sendable () -> Void
    ) {
        self.worker = worker
        self.name = name
        self.make = make
        self.atEnd = atEnd
    }
}

/// Queues jobs from any thread, runs them on one.
package final class WorkerExecutor: SerialExecutor, TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        /// Room for jobs while others run.
        var spare: [UnownedJob] = []
        var thread: pthread_t?
    }

    private let descriptor = Descriptor(eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC)))
    var wakeup: CInt { descriptor.number }
    private let state = Mutex(State())

    /// Queues a job; wakes the thread when it is another one.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = state.withLock { state in
            state.jobs.append(job)
            return state.jobs.count == 1 && state.thread != pthread_self()
        }
        if mustWake { eventfd_write(wakeup, 1) }
    }

    /// Stops the process when called from another thread.
    package func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on the worker's thread")
    }

    /// Whether this is the worker's thread.
    package func isIsolatingCurrentContext() -> Bool? {
        state.withLock { $0.thread } == pthread_self()
    }

    func adoptThread() { state.withLock { $0.thread = pthread_self() } }

    var hasJobs: Bool { state.withLock { !$0.jobs.isEmpty } }

    /// Runs what was queued until now; what these jobs queue waits for the next call.
    func runJobs() {
        var jobs: [UnownedJob] = []
        state.withLock { state in
            guard !state.jobs.isEmpty else { return }
            swap(&jobs, &state.jobs)
            swap(&state.jobs, &state.spare)
        }
        guard !jobs.isEmpty else { return }
        for job in jobs {
            unsafe job.runSynchronously(
                isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
        jobs.removeAll(keepingCapacity: true)
        state.withLock { swap(&jobs, &$0.spare) }
    }
}
