// Whether an upstream is asked at all: a pure state machine, told the time.
internal import EventLoop

/// Keeps requests from an upstream that has failed again and again.
///
/// Closed, it lets everything through and counts failures in a row. A run of them opens it: nothing
/// goes through until a cool-down is over. Then it is half open: one request goes through, and what
/// comes of that decides. Each time it opens again the cool-down doubles.
struct CircuitBreaker: Sendable, Equatable {
    enum State: Equatable {
        case closed(failures: Int)
        case open(until: Instant, coolDown: Duration)
        /// One request is on its way.
        case halfOpen(coolDown: Duration)
    }

    /// Failures in a row that open it.
    static let failuresMax = 5
    static let coolDownMin = Duration.seconds(1)
    static let coolDownMax = Duration.seconds(60)

    private(set) var state = State.closed(failures: 0)

    /// Whether a request may go out now; each that may must be followed by one of the three below.
    mutating func admit(now: Instant) -> Bool {
        switch state {
        case .closed: return true
        case .open(let until, let coolDown):
            guard now >= until else { return false }
            state = .halfOpen(coolDown: coolDown)
            return true
        case .halfOpen: return false
        }
    }

    /// The upstream has answered: it is well, however late the request was sent.
    mutating func succeed() { state = .closed(failures: 0) }

    /// The upstream has failed.
    mutating func fail(now: Instant) {
        switch state {
        case .closed(let failures):
            guard failures + 1 >= Self.failuresMax else {
                state = .closed(failures: failures + 1)
                return
            }
            state = .open(until: now + Self.coolDownMin, coolDown: Self.coolDownMin)
        case .halfOpen(let coolDown):
            let longer = min(coolDown * 2, Self.coolDownMax)
            state = .open(until: now + longer, coolDown: longer)
        case .open: break  // it was sent before the breaker opened
        }
    }

    /// The request ended without telling anything of the upstream: the next one may ask.
    mutating func forget(now: Instant) {
        guard case .halfOpen(let coolDown) = state else { return }
        state = .open(until: now, coolDown: coolDown)
    }
}
