// Every transition of the breaker.
import EventLoop
import Testing

@testable import Proxy

@Suite struct CircuitBreakerTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    private func broken() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for _ in 0..<CircuitBreaker.failuresMax { breaker.fail(now: start) }
        return breaker
    }

    private func admits(_ breaker: inout CircuitBreaker, _ now: Instant) -> Bool {
        breaker.admit(now: now)
    }

    @Test func aNewOneIsClosedAndLetsEverythingThrough() {
        var breaker = CircuitBreaker()
        #expect(breaker.state == .closed(failures: 0))
        for _ in 0..<3 { #expect(admits(&breaker, start)) }
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test func failuresInARowOpenIt() {
        var breaker = CircuitBreaker()
        for count in 1..<CircuitBreaker.failuresMax {
            breaker.fail(now: start)
            #expect(breaker.state == .closed(failures: count))
        }
        breaker.fail(now: start)
        #expect(breaker.state == .open(until: start + .seconds(1), coolDown: .seconds(1)))
        #expect(!admits(&breaker, start + .milliseconds(999)))
    }

    @Test func aSuccessBetweenFailuresKeepsItClosed() {
        var breaker = CircuitBreaker()
        for _ in 0..<100 {
            for _ in 1..<CircuitBreaker.failuresMax { breaker.fail(now: start) }
            breaker.succeed()
            #expect(breaker.state == .closed(failures: 0))
        }
    }

    @Test func afterTheCoolDownOneRequestGoesThrough() {
        var breaker = broken()
        #expect(admits(&breaker, start + .seconds(1)))
        #expect(breaker.state == .halfOpen(coolDown: .seconds(1)))
        #expect(!admits(&breaker, start + .seconds(100)))
    }

    @Test func itsSuccessCloses() {
        var breaker = broken()
        #expect(admits(&breaker, start + .seconds(1)))
        breaker.succeed()
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test func itsFailureOpensForTwiceAsLongUpToAMinute() {
        var breaker = broken()
        var now = start + .seconds(1)
        for seconds in [2, 4, 8, 16, 32, 60, 60] {
            #expect(admits(&breaker, now))
            breaker.fail(now: now)
            let until = now + .seconds(seconds)
            #expect(breaker.state == .open(until: until, coolDown: .seconds(seconds)))
            now = until
        }
    }

    @Test func afterASuccessTheCoolDownBeginsAnew() {
        var breaker = broken()
        #expect(admits(&breaker, start + .seconds(1)))
        breaker.fail(now: start + .seconds(1))
        #expect(admits(&breaker, start + .seconds(3)))
        breaker.succeed()
        for _ in 0..<CircuitBreaker.failuresMax { breaker.fail(now: start + .seconds(9)) }
        #expect(breaker.state == .open(until: start + .seconds(10), coolDown: .seconds(1)))
    }

    @Test func aRequestThatTellsNothingLetsTheNextOneTry() {
        var breaker = broken()
        #expect(admits(&breaker, start + .seconds(1)))
        breaker.forget(now: start + .seconds(2))
        #expect(breaker.state == .open(until: start + .seconds(2), coolDown: .seconds(1)))
        #expect(admits(&breaker, start + .seconds(2)))
        var closed = CircuitBreaker()
        closed.fail(now: start)
        closed.forget(now: start)
        #expect(closed.state == .closed(failures: 1))
    }

    @Test func stragglersDoNotProlongTheCoolDownButTheirSuccessCounts() {
        var breaker = broken()
        let open = breaker.state
        breaker.fail(now: start + .milliseconds(500))
        breaker.forget(now: start + .milliseconds(500))
        #expect(breaker.state == open)
        breaker.succeed()
        #expect(breaker.state == .closed(failures: 0))
    }
}
