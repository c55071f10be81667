// Where the log's lines go, without anybody waiting for who reads them.
internal import EventLoop
internal import Synchronization

/// Writes lines to standard error; from every thread.
///
/// A reader that is slow, or stopped, must not hold up a worker: what cannot be written at once
/// goes to a thread that may wait, and what would be too much for that is dropped and counted.
final class LogWriter: Sendable {
    /// What waits for a reader; some thousand lines.
    private static let waitingBytesMax = 1 << 20

    private struct State {
        var waiting: [UInt8] = []
        var writer: Worker?
    }

    private let standardError: StandardError
    private let state = Mutex(State())
    /// Whether lines wait; new ones then go behind them.
    private let isBehind = Atomic<Bool>(false)
    private let dropped = Atomic<Int>(0)
    private let caughtUp = Flag()

    init(_ standardError: StandardError = StandardError()) { self.standardError = standardError }

    /// Lines that nobody will read.
    var droppedCount: Int { dropped.load(ordering: .relaxed) }

    /// Writes whole lines; never waits.
    func write(_ lines: borrowing [UInt8]) {
        guard isBehind.load(ordering: .relaxed) || !standardError.writeNow(lines) else { return }
        keep(lines)
    }

    /// Gives who reads a last moment.
    func finish(milliseconds: Int) {
        while isBehind.load(ordering: .acquiring), caughtUp.wait(milliseconds: milliseconds) {}
    }

    private func keep(_ lines: borrowing [UInt8]) {
        let (writer, isNew): (Worker?, Bool) = state.withLock { state in
            guard state.waiting.count + lines.count <= Self.waitingBytesMax else {
                drop(lines[...])
                return (nil, false)
            }
            state.waiting += lines
            isBehind.store(true, ordering: .releasing)
            if let writer = state.writer { return (writer, false) }
            let writer = Worker()
            state.writer = writer
            return (writer, true)
        }
        // Not under the lock: the first thing that its thread wants is the lock.
        if isNew {
            writer?.start(named: "log") { loop in PatientWriter(self, on: loop) }
        } else {
            writer?.wake()
        }
    }

    private func drop(_ lines: ArraySlice<UInt8>) {
        let count = lines.count { $0 == UInt8(ascii: "\n") }
        dropped.add(count, ordering: .relaxed)
    }

    /// Writes what waits until nothing does.
    fileprivate func catchUp() {
        while let bytes = takeWaiting() {
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = Self.piece(of: rest)
                if !standardError.writeWaiting(piece) { drop(piece) }
                rest = rest[piece.endIndex...]
            }
        }
    }

    private func takeWaiting() -> [UInt8]? {
        state.withLock { state in
            guard state.waiting.isEmpty else {
                defer { state.waiting = [] }
                return state.waiting
            }
            if isBehind.exchange(false, ordering: .acquiringAndReleasing) { caughtUp.raise() }
            return nil
        }
    }

    /// As many whole lines as go out in one piece, or one that is longer.
    private static func piece(of bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let lineFeed = UInt8(ascii: "\n")
        let head = bytes.prefix(StandardError.wholeBytesMax)
        let end = head.lastIndex(of: lineFeed) ?? bytes.firstIndex(of: lineFeed)
        return end.map { bytes[...$0] } ?? bytes
    }
}

/// The tenant of the thread that may wait; it lives until the process ends.
private final class PatientWriter: WorkerTenant, RoundHandler {
    private let log: LogWriter
    let isDone = false

    init(_ log: LogWriter, on loop: EventLoop) {
        self.log = log
        loop.atEndOfRound(self)
    }

    func roundEnds() { log.catchUp() }

    func receive(_ message: WorkerMessage) {}
}
