// Whether, and when, a failed attempt is made again: pure values, told the time and the dice.
internal import EventLoop
internal import Translation

/// How often one exchange may try again, and how long it waits before.
struct RetryPolicy: Sendable, Equatable {
    /// The longest wait that an upstream may ask for; a longer one is for the client to know.
    static let patience = Duration.seconds(60)
    /// A wait that is bearable while another upstream could be asked.
    static let impatience = Duration.seconds(1)
    private static let firstDelay: UInt64 = 250_000_000
    private static let delayMax: UInt64 = 8_000_000_000

    /// Retries of one exchange, at most.
    let retriesMax: Int

    /// How long to wait before the next attempt; `nil` when there is to be none.
    ///
    /// The wait is drawn from the whole range below a bound that doubles (full jitter), so that
    /// clients that failed together do not come back together. It is added to what the upstream
    /// asked for.
    func delay(
        after failure: AttemptFailure, retries: Int, patience: Duration = Self.patience,
        random: UInt64
    ) -> Duration? {
        guard failure.isTransient, retries < retriesMax else { return nil }
        let bound = min(Self.delayMax, Self.firstDelay << UInt64(min(retries, 16)))
        let jitter = Duration.nanoseconds(Int64(random % (bound + 1)))
        guard let seconds = failure.error.retryAfterSeconds else { return jitter }
        let asked = Duration.seconds(seconds)
        return asked <= patience ? asked + jitter : nil
    }
}

/// Retries that all exchanges together may make: a share of the traffic, so that an outage is not
/// multiplied by those who suffer from it.
///
/// A bucket that each request fills by a fifth of a retry. A floor that fills by itself lets the
/// first requests, and those of a quiet sidecar, try again too.
struct RetryBudget: Sendable {
    /// In fifths of a retry, so that nothing is lost in fractions.
    private static let retry = 5
    private static let most = 100 * retry
    private static let floor = 10 * retry

    private var fill = Self.floor
    private var lastRefill: Instant

    init(now: Instant) { lastRefill = now }

    /// Retries that could be made now.
    var retries: Int { fill / Self.retry }

    /// Counts a request that is sent for the first time.
    mutating func deposit() { fill = min(Self.most, fill + 1) }

    /// Takes a retry; `false` when none is left.
    mutating func withdraw(now: Instant) -> Bool {
        refill(now)
        guard fill >= Self.retry else { return false }
        fill -= Self.retry
        return true
    }

    /// One retry a second, up to the floor.
    private mutating func refill(_ now: Instant) {
        let seconds = Int(clamping: now.nanoseconds(since: lastRefill) / 1_000_000_000)
        guard seconds > 0 else { return }
        lastRefill = lastRefill + .seconds(seconds)
        guard fill < Self.floor else { return }
        fill = min(Self.floor, fill + min(seconds, Self.floor) * Self.retry)
    }
}
