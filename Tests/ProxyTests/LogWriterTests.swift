// Log lines and readers that are slow, stopped or gone.
import Glibc
import Testing

@testable import EventLoop
@testable import Proxy

/// A pipe whose reader reads when the test says so.
private final class Reader {
    private var ends: [CInt] = [-1, -1]
    var writing: CInt { ends[1] }

    init() { _ = pipe(&ends) }
    deinit { for end in ends { close(end) } }

    func read(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var piece = [UInt8](repeating: 0, count: min(4096, count - bytes.count))
            let got = Glibc.read(ends[0], &piece, piece.count)
            guard got > 0 else { break }
            bytes += piece[..<got]
        }
        return bytes
    }
}

@Suite struct LogWriterTests {
    private static func line(_ number: Int) -> [UInt8] {
        let text = "{\"line\":\(number),\"filler\":\"\(String(repeating: "x", count: 400))\"}\n"
        return Array(text.utf8)
    }

    @Test func aReaderThatStopsHoldsNobodyUpAndMissesNothingItHasRoomFor() {
        let reader = Reader()
        let log = LogWriter(StandardError(reader.writing))
        // More than a pipe takes, less than what may wait.
        let lines = (0..<1000).map(Self.line)
        for line in lines { log.write(line) }
        #expect(log.droppedCount == 0)
        let whole = Array(lines.joined())
        #expect(reader.read(whole.count) == whole)
        log.finish(milliseconds: 5000)
        log.write(Self.line(1000))
        #expect(reader.read(Self.line(1000).count) == Self.line(1000))
    }

    @Test func whatIsTooMuchIsDroppedInWholeLinesAndCounted() {
        let reader = Reader()
        let log = LogWriter(StandardError(reader.writing))
        for number in 0..<5000 { log.write(Self.line(number)) }
        let dropped = log.droppedCount
        #expect(dropped > 0 && dropped < 5000)
        let kept = (0..<(5000 - dropped)).map(Self.line).joined()
        #expect(reader.read(kept.count) == Array(kept))
        log.finish(milliseconds: 5000)
    }

    @Test func theEndWaitsForAReaderButNotForEver() {
        let reader = Reader()
        let log = LogWriter(StandardError(reader.writing))
        let lines = (0..<1000).map(Self.line)
        for line in lines { log.write(line) }
        let begun = Instant.read()
        log.finish(milliseconds: 50)
        #expect(Instant.read().nanoseconds(since: begun) >= 50_000_000)
        _ = reader.read(lines.joined().count)
        log.finish(milliseconds: 5000)
    }

    @Test func aSocketIsWrittenTo() {
        // There is no opening it anew; a thread writes.
        var ends: [CInt] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let log = LogWriter(StandardError(ends[0]))
        log.write(Self.line(1))
        log.finish(milliseconds: 5000)
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = read(ends[1], &bytes, bytes.count)
        #expect(Array(bytes.prefix(count)) == Self.line(1))
        for end in ends { close(end) }
    }

    @Test func theDescriptorOthersShareIsLeftAsItWas() {
        let reader = Reader()
        let log = LogWriter(StandardError(reader.writing))
        log.write(Self.line(1))
        #expect(fcntl(reader.writing, F_GETFL) & O_NONBLOCK == 0)
    }
}

@Suite struct LifecycleTests {
    @Test func aWorkerThatNeverFinishesARoundMakesTheProcessUnwell() {
        let lifecycle = Lifecycle()
        let pulse = Pulse()
        lifecycle.watch(pulse)
        let begun = Instant.read()
        #expect(lifecycle.isAlive(now: begun + .seconds(100)))
        pulse.roundBegins(begun)
        #expect(lifecycle.isAlive(now: begun + .seconds(9)))
        #expect(!lifecycle.isAlive(now: begun + .seconds(10)))
        pulse.waits()
        #expect(lifecycle.isAlive(now: begun + .seconds(100)))
    }
}
