// A budget: tokens of one day or month of the calendar, in UTC.
internal import Bytes
internal import Configuration

/// What a budget has left in its window.
///
/// It counts from the start of the process: a sidecar keeps nothing over its end.
struct BudgetWindow: Sendable, Equatable {
    let limit: Int
    private let window: ModelLimit.Window
    private var used = 0
    /// When the next window begins, in seconds since 1970.
    private var endsAt: Int

    init(limit: Int, per window: ModelLimit.Window, now: Int) {
        self.limit = limit
        self.window = window
        endsAt = Self.end(of: window, at: now / 1_000_000_000)
    }

    /// Lets time pass, in nanoseconds since 1970.
    mutating func pass(to now: Int) {
        let seconds = now / 1_000_000_000
        guard seconds >= endsAt else { return }
        used = 0
        endsAt = Self.end(of: window, at: seconds)
    }

    /// Takes tokens, or gives some back.
    mutating func take(_ amount: Int) { used = max(0, used + amount) }

    /// Tokens that are left.
    var remaining: Int { max(0, limit - used) }

    /// Nanoseconds until tokens can be taken; 0 if now.
    ///
    /// The last request may overdraw what is left: how long its answer gets nobody knows.
    func wait(now: Int) -> Int { remaining > 0 ? 0 : waitForAll(now: now) }

    /// Nanoseconds until the next window.
    func waitForAll(now: Int) -> Int { max(0, endsAt * 1_000_000_000 - now) }

    private static func end(of window: ModelLimit.Window, at seconds: Int) -> Int {
        switch window {
        case .minute: return (seconds / 60 + 1) * 60
        case .day: return (seconds / 86_400 + 1) * 86_400
        case .month:
            let time = CivilTime(unixSeconds: seconds)
            let first = seconds / 86_400 - (time.day - 1)
            // A month has 28 to 31 days.
            let days = (28...31).first { CivilTime(unixSeconds: (first + $0) * 86_400).day == 1 }
            return (first + (days ?? 31)) * 86_400
        }
    }
}
