// Jobs, signals and sockets on a worker of their own.
import Glibc
import Synchronization
import Testing

@testable import EventLoop

/// What the tenants of these tests tell their test, from the worker's thread.
private final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

/// Runs one job, then is done.
final class OneJob: WorkerTenant, WorkerJob {
    private let loop: EventLoop
    private let body: (EventLoop) async -> Void
    private(set) var isDone = false

    init(_ loop: EventLoop, _ body: @escaping (EventLoop) async -> Void) {
        self.loop = loop
        self.body = body
        loop.start(self)
    }

    func run() async {
        await body(loop)
        isDone = true
    }

    func receive(_ message: WorkerMessage) {}
}

/// Waits until it is told to drain.
private final class Waiter: WorkerTenant {
    private let notes: Notes
    private(set) var isDone = false
    init(_ notes: Notes) { self.notes = notes }
    func receive(_ message: WorkerMessage) {
        notes.add("\(message)")
        isDone = true
    }
}

/// Settles a signal so many times, then leaves it to the task.
private final class Settler: SignalListener, TimerHandler {
    private var left: Int
    private let notes: Notes
    var onTimer: () -> Void = {}

    init(_ count: Int, _ notes: Notes) {
        left = count
        self.notes = notes
    }

    func settles() -> Bool {
        left -= 1
        notes.add(left >= 0 ? "settled" : "left")
        return left >= 0
    }

    func timerFired(_ timer: Timer) { onTimer() }
}

@Suite struct WorkerTests {
    @Test func aJobWaitsForTimersWithoutLosingItsPlace() {
        let notes = Notes()
        Worker().run { loop in
            OneJob(loop) { loop in
                let signal = Signal()
                for step in 1...3 {
                    let timer = Timer(signal)
                    loop.set(timer, after: .milliseconds(2))
                    while timer.isSet { await signal.wait() }
                    notes.add("step \(step)")
                }
            }
        }
        #expect(notes.all == ["step 1", "step 2", "step 3"])
    }

    @Test func aSignalRaisedBeforeTheWaitIsNotLost() {
        let notes = Notes()
        Worker().run { loop in
            OneJob(loop) { _ in
                let signal = Signal()
                signal.raise()
                signal.raise()
                await signal.wait()
                notes.add("woken")
            }
        }
        #expect(notes.all == ["woken"])
    }

    @Test func aRoundThatDoesNotEndIsSeenFromOutside() async {
        let worker = Worker()
        let isHeld = Flag(), isSeen = Flag()
        let later = Instant.read() + .seconds(60)
        #expect(worker.pulse.busyNanoseconds(now: later) == 0)
        worker.start(named: "test") { loop in
            OneJob(loop) { loop in
                let signal = Signal()
                let timer = Timer(signal)
                // The first round is the start's; from the second on the worker has looked around.
                loop.set(timer, after: .milliseconds(1))
                while timer.isSet { await signal.wait() }
                isHeld.raise()
                _ = isSeen.wait(milliseconds: 5000)
            }
        }
        #expect(isHeld.wait(milliseconds: 5000))
        #expect(worker.pulse.busyNanoseconds(now: later) > 50_000_000_000)
        isSeen.raise()
    }

    @Test func whoWaitsForSomethingToDoIsNotStuck() async {
        let notes = Notes()
        let worker = Worker()
        let hasBegun = Flag()
        worker.start(named: "test") { _ in
            hasBegun.raise()
            return Waiter(notes)
        }
        #expect(hasBegun.wait(milliseconds: 5000))
        #expect(worker.pulse.busyNanoseconds(now: Instant.read() + .seconds(60)) == 0)
        worker.tell(.drain)
    }

    @Test func aListenerSettlesWhatTheTaskNeedNotWakeFor() {
        let notes = Notes()
        Worker().run { loop in
            OneJob(loop) { loop in
                let signal = Signal()
                let listener = Settler(3, notes)
                signal.listener = listener
                let timer = Timer(listener)
                listener.onTimer = {
                    signal.raise()
                    loop.set(timer, after: .milliseconds(1))
                }
                loop.set(timer, after: .milliseconds(1))
                await signal.wait()
                loop.cancel(timer)
                signal.listener = nil  // the two hold each other
                notes.add("woken")
            }
        }
        #expect(notes.all == ["settled", "settled", "settled", "left", "woken"])
    }

    @Test func anotherThreadCanTellAWorker() async {
        let notes = Notes()
        let worker = Worker()
        await withCheckedContinuation { continuation in
            worker.start(named: "test", { _ in Waiter(notes) }, atEnd: { continuation.resume() })
            worker.tell(.drain)
        }
        worker.tell(.stop)  // nobody hears it, and nobody waits for that
        #expect(notes.all == ["drain"])
    }

    @Test func bytesThatArriveInPiecesAreAllSeen() throws {
        let (listener, address) = try ListeningSocket.open(.tcp(host: "127.0.0.1", port: 0))
        guard case .tcp(_, let port) = address else { throw ListenError(reason: "no port") }
        let notes = Notes()
        Worker().run { loop in
            OneJob(loop) { loop in
                let client = Socket(descriptor: connect(port))
                var server: Socket?
                while server == nil {
                    if case .connection(let accepted) = listener.accept() { server = accepted }
                }
                guard let server else { return }
                let signal = Signal()
                let watcher = Watcher(signal)
                loop.watch(server.descriptor, for: [.input, .peerClosed, .edge], watcher)
                var received: [UInt8] = []
                for piece in ["one ", "two ", "three"] {
                    _ = client.send(Array(piece.utf8).span)
                    let before = received.count
                    while received.count < before + piece.utf8.count {
                        if server.receive(upTo: 2, appendingTo: &received) == .wouldBlock {
                            await signal.wait()
                        }
                    }
                }
                client.close()
                while server.receive(upTo: 2, appendingTo: &received) != .ended {
                    await signal.wait()
                }
                loop.forget(server.descriptor)
                server.close()
                notes.add(String(decoding: received, as: UTF8.self))
            }
        }
        listener.close()
        #expect(notes.all == ["one two three"])
    }
}

private final class Watcher: DescriptorHandler {
    private let signal: Signal
    init(_ signal: Signal) { self.signal = signal }
    func descriptorReady(_ readiness: Readiness) { signal.raise() }
}

private func connect(_ port: UInt16) -> CInt {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = unsafe withUnsafeBytes(of: &address) { bytes in
        unsafe Glibc.connect(
            descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress,
            socklen_t(bytes.count))
    }
    precondition(status == 0, "cannot connect to the test's listener")
    return descriptor
}
