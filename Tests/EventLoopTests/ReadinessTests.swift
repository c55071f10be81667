// Who is ready is heard before a deadline passes, however many there are.
import Glibc
import Testing

@testable import EventLoop

/// One end of a pair of sockets that has something to read.
private final class Pair {
    let descriptor: CInt
    private let other: Socket
    private let own: Socket

    init() {
        var pair: [CInt] = [-1, -1]
        unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair)
        (own, other) = (Socket(descriptor: pair[0]), Socket(descriptor: pair[1]))
        descriptor = pair[0]
        _ = other.send([1].span)
    }
}

/// Has something to read, and a deadline that has come.
private final class Guest: DescriptorHandler, TimerHandler {
    enum Fate { case waiting, heard, late }

    private(set) var fate = Fate.waiting
    private let pair = Pair()
    private let loop: EventLoop
    private let signal: Signal
    private lazy var timer = Timer(self)

    init(_ loop: EventLoop, _ signal: Signal) {
        self.loop = loop
        self.signal = signal
        loop.watch(pair.descriptor, for: .input, self)
        loop.set(timer, after: .zero)
    }

    func descriptorReady(_ readiness: Readiness) { end(.heard) }

    func timerFired(_ timer: Timer) { end(.late) }

    private func end(_ fate: Fate) {
        guard self.fate == .waiting else { return }
        self.fate = fate
        loop.cancel(timer)
        loop.forget(pair.descriptor)
        signal.raise()
    }
}

/// Is ready whenever somebody looks.
private final class Chatterbox: DescriptorHandler {
    private let pair = Pair()
    private let loop: EventLoop

    init(_ loop: EventLoop) {
        self.loop = loop
        loop.watch(pair.descriptor, for: .input, self)
    }

    func descriptorReady(_ readiness: Readiness) {}

    func end() { loop.forget(pair.descriptor) }
}

@Suite struct ReadinessTests {
    /// As after a pause of the process: everything has come, and every deadline has passed.
    @Test func whoeverIsReadyIsHeardBeforeADeadlinePasses() {
        Worker().run { loop in
            OneJob(loop) { loop in
                let signal = Signal()
                let guests = (0..<300).map { _ in Guest(loop, signal) }
                while guests.contains(where: { $0.fate == .waiting }) { await signal.wait() }
                #expect(guests.filter { $0.fate == .late }.isEmpty)
            }
        }
    }

    @Test func whoeverIsAlwaysReadyStopsNoClock() {
        Worker().run { loop in
            OneJob(loop) { loop in
                let signal = Signal()
                let crowd = (0..<200).map { _ in Chatterbox(loop) }
                let timer = Timer(signal)
                loop.set(timer, after: .milliseconds(5))
                while timer.isSet { await signal.wait() }
                for one in crowd { one.end() }
            }
        }
    }
}
