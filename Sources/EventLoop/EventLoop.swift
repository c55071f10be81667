// One epoll and the timers of one worker.
internal import CLinux
internal import Glibc

/// What a descriptor is ready for, or is asked to be watched for.
package struct Readiness: OptionSet, Sendable {
    /// The bits of epoll.
    package let rawValue: UInt32
    /// A set of epoll's bits.
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bytes can be read.
    package static let input = Readiness(rawValue: EPOLLIN.rawValue)
    /// Bytes can be written.
    package static let output = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer has sent its last byte, or is gone.
    package static let peerClosed = Readiness(rawValue: EPOLLRDHUP.rawValue)
    /// An error or a hang-up; reported without being asked for.
    package static let failed = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
    /// Nothing more can come, or be sent.
    package static let gone = Readiness(rawValue: peerClosed.rawValue | failed.rawValue)
    /// A read would tell something.
    package static let readable = Readiness(rawValue: input.rawValue | failed.rawValue)
    /// Report changes only, not states.
    package static let edge = Readiness(rawValue: EPOLLET.rawValue)

    /// Whether it has any bit of another set; the library's way is slow across modules.
    package func has(_ any: Readiness) -> Bool { rawValue & any.rawValue != 0 }
}

/// Told when its descriptor is ready.
///
/// Spurious calls happen.
package protocol DescriptorHandler: AnyObject {
    /// Called on the worker that watches the descriptor.
    func descriptorReady(_ readiness: Readiness)
}

/// Called once a round, before the loop may block.
package protocol RoundHandler: AnyObject {
    /// Does what was put off until everybody had a say in this round.
    func roundEnds()
}

/// An asynchronous job that runs on the worker from first to last.
package protocol WorkerJob: AnyObject {
    /// The job; runs on the worker that it was given to.
    func run() async
}

/// What one worker waits for.
///
/// Confined to the worker's thread.
@safe package final class EventLoop {
    private struct Registration {
        var handler: any DescriptorHandler
        var generation: UInt32
    }

    /// How many ready descriptors one call tells of.
    private static let readyMax = 64

    private let pulse: Pulse
    private let epoll = Descriptor(epoll_create1(CInt(EPOLL_CLOEXEC)))
    private var registrations: [Registration?] = []
    private var generation: UInt32 = 0
    private var timers = TimerHeap()
    private var roundHandlers: [any RoundHandler] = []
    private var pendingJobs: [any WorkerJob] = []
    private let ready = UnsafeMutableBufferPointer<clinux_ready>.allocate(capacity: readyMax)
    /// Rounds in a row in which more may have been ready than one call tells.
    private var fullRounds = 0

    /// Room for what is read before anybody knows how much it is.
    private var scratch: [UInt8] = []

    /// The time at the start of this round.
    package private(set) var now = Instant.read()

    init(wakeup: CInt, _ pulse: Pulse) {
        self.pulse = pulse
        _ = clinux_epoll_set(
            epoll.number, EPOLL_CTL_ADD, wakeup, EPOLLIN.rawValue | EPOLLET.rawValue, UInt64.max)
    }

    deinit { unsafe ready.deallocate() }

    /// Watches a descriptor until it is forgotten; the handler is kept alive.
    package func watch(
        _ descriptor: CInt, for interest: Readiness, _ handler: any DescriptorHandler
    ) {
        let index = Int(descriptor)
        if index >= registrations.count {
            let missing = index + 1 - registrations.count
            registrations.append(contentsOf: repeatElement(nil, count: missing))
        }
        generation &+= 1
        let operation = registrations[index] == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        registrations[index] = Registration(handler: handler, generation: generation)
        _ = clinux_epoll_set(
            epoll.number, operation, descriptor, interest.rawValue, token(descriptor, generation))
    }

    /// Stops watching.
    ///
    /// Call it before the descriptor is closed; a number may come back at once.
    package func forget(_ descriptor: CInt) {
        guard descriptor >= 0, Int(descriptor) < registrations.count,
            registrations[Int(descriptor)] != nil
        else { return }
        registrations[Int(descriptor)] = nil
        _ = clinux_epoll_set(epoll.number, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    /// Sets or moves a timer.
    package func set(_ timer: Timer, after delay: Duration) { timers.set(timer, at: now + delay) }

    /// Sets or moves a timer.
    package func set(_ timer: Timer, at deadline: Instant) { timers.set(timer, at: deadline) }

    /// Takes a timer back; nothing happens when it is not set.
    package func cancel(_ timer: Timer) { timers.cancel(timer) }

    /// Has a handler called at the end of each round, for as long as the loop lives.
    package func atEndOfRound(_ handler: any RoundHandler) { roundHandlers.append(handler) }

    /// Starts a job on this worker, in this round.
    package func start(_ job: any WorkerJob) { pendingJobs.append(job) }

    /// Reads at most `count` bytes, and hands them to somebody before anything else is read.
    package func receive(
        from socket: Socket, upTo count: Int, _ take: (Span<UInt8>) -> Void
    ) -> SocketResult {
        var bytes: [UInt8] = []
        swap(&bytes, &scratch)
        bytes.removeAll(keepingCapacity: true)
        let result = socket.receive(upTo: count, appendingTo: &bytes)
        if case .bytes = result { take(bytes.span) }
        swap(&bytes, &scratch)
        return result
    }

    // MARK: - Driven by the worker

    /// Lets go of everybody who is told something: they hold the loop, and it holds them.
    func release() {
        roundHandlers = []
        registrations = []
        pendingJobs = []
        timers = TimerHeap()
    }

    func endRound() {
        for handler in roundHandlers { handler.roundEnds() }
    }

    func takeJobs() -> [any WorkerJob] {
        guard !pendingJobs.isEmpty else { return [] }
        defer { pendingJobs.removeAll(keepingCapacity: true) }
        return pendingJobs
    }

    /// Waits for descriptors and timers, and tells their handlers.
    ///
    /// A deadline passes only after everybody was heard who was ready by then: a process that was
    /// stopped for a while, anywhere, would else take those for silent whose bytes are here.
    func poll(mayBlock: Bool) {
        pulse.waits()
        let asked = mayBlock ? Instant.read() : now
        let timeout = mayBlock ? timeoutMilliseconds(asked) : 0
        let count =
            unsafe ready.baseAddress.map {
                unsafe clinux_epoll_wait(epoll.number, $0, timeout)
            } ?? 0
        now = Instant.read()
        pulse.roundBegins(now)
        for index in 0..<max(0, Int(count)) {
            let event = unsafe ready[index]
            let slot = Int(truncatingIfNeeded: event.token & 0xffff_ffff)
            guard slot < registrations.count, let registration = registrations[slot],
                registration.generation == UInt32(truncatingIfNeeded: event.token >> 32)
            else { continue }
            registration.handler.descriptorReady(Readiness(rawValue: event.events))
        }
        guard hasHeardEverybody(count) else { return }
        while let timer = timers.takeDue(asked) { timer.fire() }
    }

    /// Whether whoever was ready has been told of.
    ///
    /// The kernel goes round: after as many calls as all descriptors take, everybody had a turn.
    private func hasHeardEverybody(_ count: CInt) -> Bool {
        guard count == Self.readyMax, fullRounds * Self.readyMax < registrations.count else {
            fullRounds = 0
            return true
        }
        fullRounds += 1
        return false
    }

    private func timeoutMilliseconds(_ now: Instant) -> CInt {
        guard let first = timers.first else { return -1 }
        let delay = first.nanoseconds(since: now)
        return CInt(min((delay + 999_999) / 1_000_000, 60_000))
    }

    private func token(_ descriptor: CInt, _ generation: UInt32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }
}

extension Timer {
    fileprivate func fire() { handler.timerFired(self) }
}
