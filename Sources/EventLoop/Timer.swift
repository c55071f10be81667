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
    /// What its place in the heap stands for: its deadline, or an earlier one.
    fileprivate var key = Instant(nanoseconds: 0)
    /// Place in the heap, -1 while not set.
    fileprivate var place = -1
    /// Not `weak`: every use of an object that is weakly referred to takes the slow way.
    unowned let handler: any TimerHandler

    /// A timer that is not set; the handler is not kept alive and takes it back before it goes.
    package init(_ handler: any TimerHandler) { self.handler = handler }

    /// Whether it will fire.
    package var isSet: Bool { place >= 0 }
}

/// A binary heap of timers: setting and taking back cost a few swaps.
///
/// Most timers are moved again and again, and always to later, with each token: such a one keeps
/// its place, and is moved when that comes first.
struct TimerHeap {
    private var timers: [Timer] = []

    /// The next deadline, or a moment before it.
    var first: Instant? { timers.first?.key }

    mutating func set(_ timer: Timer, at deadline: Instant) {
        timer.deadline = deadline
        if timer.place < 0 {
            timer.place = timers.count
            timers.append(timer)
        } else if deadline >= timer.key {
            return
        }
        timer.key = deadline
        rise(timer.place)
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
        while let first = timers.first, first.key <= now {
            guard first.deadline > first.key else {
                cancel(first)
                return first
            }
            first.key = first.deadline
            sink(0)
        }
        return nil
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        guard a != b else { return }
        timers.swapAt(a, b)
        timers[a].place = a
        timers[b].place = b
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, timers[place].key < timers[(place - 1) / 2].key {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            let left = 2 * place + 1
            if left < timers.count, timers[left].key < timers[least].key { least = left }
            if left + 1 < timers.count, timers[left + 1].key < timers[least].key {
                least = left + 1
            }
            guard least != place else { return }
            swap(place, least)
            place = least
        }
    }
}
