// The order of timers.
import Testing

@testable import EventLoop

private final class Recorder: TimerHandler {
    func timerFired(_ timer: Timer) {}
}

private func instant(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

@Suite struct TimerHeapTests {
    private let recorder = Recorder()

    @Test func timersComeOutInTheOrderOfTheirDeadlines() {
        var heap = TimerHeap()
        var generator = SystemRandomNumberGenerator()
        let deadlines = (0..<500).map { _ in UInt64.random(in: 1...1000, using: &generator) }
        for deadline in deadlines { heap.set(Timer(recorder), at: instant(deadline)) }
        var seen: [UInt64] = []
        while let timer = heap.takeDue(instant(2000)) { seen.append(timer.deadline.nanoseconds) }
        #expect(seen == deadlines.sorted())
    }

    @Test func aTimerThatIsNotDueStays() {
        var heap = TimerHeap()
        let timer = Timer(recorder)
        heap.set(timer, at: instant(10))
        #expect(heap.takeDue(instant(9)) == nil)
        #expect(timer.isSet)
        #expect(heap.takeDue(instant(10)) === timer)
        #expect(!timer.isSet)
    }

    @Test func aTimerCanBeMovedBothWays() {
        var heap = TimerHeap()
        let a = Timer(recorder)
        let b = Timer(recorder)
        heap.set(a, at: instant(10))
        heap.set(b, at: instant(20))
        heap.set(a, at: instant(30))
        #expect(heap.takeDue(instant(19)) == nil)
        #expect(heap.first == instant(20))
        heap.set(a, at: instant(5))
        #expect(heap.takeDue(instant(100)) === a)
        #expect(heap.takeDue(instant(100)) === b)
    }

    @Test func randomSetsAndCancelsKeepTheHeapInOrder() {
        var heap = TimerHeap()
        var generator = SystemRandomNumberGenerator()
        let timers = (0..<64).map { _ in Timer(recorder) }
        var expected: [Int: UInt64] = [:]
        for _ in 0..<5000 {
            let index = Int.random(in: 0..<64, using: &generator)
            if Bool.random(using: &generator) {
                let deadline = UInt64.random(in: 1...1_000_000, using: &generator)
                heap.set(timers[index], at: instant(deadline))
                expected[index] = deadline
            } else {
                heap.cancel(timers[index])
                expected[index] = nil
            }
            guard let least = expected.values.min() else {
                #expect(heap.first == nil)
                continue
            }
            // A timer that was moved to later keeps its place until that comes first.
            #expect(heap.first.map { $0.nanoseconds <= least } == true)
            #expect(heap.takeDue(instant(least - 1)) == nil)
            #expect(heap.first?.nanoseconds == least)
        }
    }
}
