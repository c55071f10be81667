// A rate: a bucket that fills up steadily, once a minute from empty to full.

/// What a rate limit has left.
///
/// It may be overdrawn, when more was used than was thought; the debt is paid by the time that the
/// bucket takes to come back to zero.
struct TokenBucket: Sendable, Equatable {
    private static let minute = 60_000_000_000.0

    let limit: Int
    private var level: Double
    /// When the level was true, in nanoseconds since 1970.
    private var levelAt: Int

    /// A full bucket.
    init(limit: Int, now: Int) {
        self.limit = limit
        level = Double(limit)
        levelAt = now
    }

    /// Lets time pass; a wall clock that was set back costs nobody anything.
    mutating func pass(to now: Int) {
        let elapsed = Double(max(0, now - levelAt))
        level = min(Double(limit), level + elapsed * Double(limit) / Self.minute)
        levelAt = now
    }

    /// Takes an amount, or gives one back.
    mutating func take(_ amount: Int) { level = min(Double(limit), level - Double(amount)) }

    /// Whole units that are left.
    var remaining: Int { max(0, Int(level.rounded(.down))) }

    /// Nanoseconds until an amount can be taken; 0 if now.
    ///
    /// More than the limit can be taken from a full bucket: it would never be there otherwise.
    func wait(for amount: Int) -> Int {
        wait(forLevel: Double(min(amount, limit)))
    }

    /// Nanoseconds until the bucket is full.
    var waitForAll: Int { wait(forLevel: Double(limit)) }

    private func wait(forLevel wanted: Double) -> Int {
        // A millionth of a unit is the dust of adding up fractions.
        guard level + 1e-6 < wanted else { return 0 }
        return Int(((wanted - level) * Self.minute / Double(limit)).rounded(.up))
    }
}
