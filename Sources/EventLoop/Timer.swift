// Deadlines of one worker, in a binary heap.

/// Told when a timer's deadline has passed.
package protocol TimerHandler: AnyObject {
    /// Called once for each time the timer was set.
    func timerFired(_ timer: Timer)
}

/// A deadline that can be moved and taken back; owned by whoever is told.
package final class Timer {
    /// When it fires; meaningless while it is not set.
    fileprivate(set) var deadline = Instant(nanoseconds: 0)
    /// Place in the heap, -1 while not set.
    fileprivate var place = -1
    weak var handler: (any TimerHandler)?

    /// A timer that is not set; the handler is not kept alive.
    package init(_ handler: any TimerHandler) { self.handler = handler }

    /// Whether it will fire.
    package var isSet: Bool { place >= 0 }
}

/// A binary heap of timers: setting and taking back cost a few swaps.
struct TimerHeap {
    private var timers: [Timer] = []

    /// The next deadline.
    var first: Instant? { timers.first?.deadline }

    mutating func set(_ timer: Timer, at deadline: Instant) {
        timer.deadline = deadline
        if timer.place < 0 {
            timer.place = timers.count
            timers.append(timer)
        }
        rise(timer.place)
        sink(timer.place)
    }

    mutating func cancel(_ timer: Timer) {
        guard timer.place >= 0 else { return }
        let place = timer.place
        swap(place, timers.count - 1)
        timers.removeLast()
        timer.place = -1
        guard place < timers.count else { return }
        rise(place)
        sink(place)
    }

    /// Tells the handlers of all timers that are due; handlers may set timers.
    mutating func takeDue(_ now: Instant) -> Timer? {
        guard let first = timers.first, first.deadline <= now else { return nil }
        cancel(first)
        return first
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        guard a != b else { return }
        timers.swapAt(a, b)
        timers[a].place = a
        timers[b].place = b
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, timers[place].deadline < timers[(place - 1) / 2].deadline {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < timers.count {
                if timers[child].deadline < timers[least].deadline { least = child }
            }
            guard least != place else { return }
            swap(place, least)
            place = least
        }
    }
}
