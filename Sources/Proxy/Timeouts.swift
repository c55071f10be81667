// How long things may take, ready for the data path.
internal import Configuration
internal import EventLoop

/// The waits of an exchange in nanoseconds: looked at for every token, so made once.
struct Timeouts: Sendable {
    let firstByte: UInt64
    let upstreamIdle: UInt64
    let ping: UInt64
    let commitAfter: UInt64
    /// The whole exchange; without a limit it is longer than any clock runs.
    let request: UInt64
    /// After the finish reason, how long usage or `[DONE]` may take.
    let grace = Duration.seconds(5).nanoseconds

    init(_ settings: Settings) {
        firstByte = settings.firstByteTimeout.nanoseconds
        upstreamIdle = settings.upstreamIdleTimeout.nanoseconds
        ping = settings.pingInterval.nanoseconds
        commitAfter = settings.commitAfter.nanoseconds
        request = settings.requestTimeout?.nanoseconds ?? .max / 2
    }
}
