// Points in time on the monotonic clock.
internal import CLinux

/// A point in time that never jumps; only differences mean anything.
package struct Instant: Comparable, Sendable {
    /// Nanoseconds since some moment before the start.
    package let nanoseconds: UInt64

    /// The moment so many nanoseconds after the clock's own zero.
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Reads the clock.
    ///
    /// On a worker, `EventLoop.now` is the same for one round and costs nothing.
    package static func read() -> Instant {
        Instant(nanoseconds: clinux_nanoseconds(CLOCK_MONOTONIC))
    }

    /// Order by value.
    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The moment that much later.
    package static func + (start: Instant, delay: Duration) -> Instant {
        Instant(nanoseconds: start.nanoseconds &+ delay.nanoseconds)
    }

    /// The moment so many nanoseconds later.
    package static func + (start: Instant, nanoseconds: UInt64) -> Instant {
        Instant(nanoseconds: start.nanoseconds &+ nanoseconds)
    }

    /// Time since an earlier moment; zero when it is the later one.
    package func nanoseconds(since earlier: Instant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}

extension Duration {
    /// The whole duration in nanoseconds; negative ones count as zero.
    package var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0 else { return 0 }
        return UInt64(seconds) &* 1_000_000_000 &+ UInt64(attoseconds / 1_000_000_000)
    }
}

/// The wall clock, for logs.
package enum WallClock {
    /// Nanoseconds since 1970 in UTC.
    package static func nanoseconds() -> UInt64 { clinux_nanoseconds(CLOCK_REALTIME) }
}

/// Chance from the kernel, for seeds.
package enum Entropy {
    /// 64 random bits.
    package static func word() -> UInt64 { clinux_random() }
}
