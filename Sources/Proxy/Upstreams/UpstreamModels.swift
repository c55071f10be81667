// What an upstream has told of its models, for a few minutes.
internal import EventLoop
internal import Synchronization

/// The models of one upstream; shared by all workers.
final class UpstreamModels: Sendable {
    private static let lifetime = Duration.seconds(300)
    /// One that did not tell is left in peace for so long.
    private static let pause = Duration.seconds(30)

    private struct State {
        var names: [String] = []
        var until: Instant?
    }

    private let state = Mutex(State())

    /// What it has told; `nil` when it is to be asked.
    func names(now: Instant) -> [String]? {
        state.withLock { state in state.until.map { $0 > now } == true ? state.names : nil }
    }

    /// Remembers an answer, and tells what holds now: without one, what was told before.
    func note(_ names: [String]?, now: Instant) -> [String] {
        state.withLock { state in
            state.until = now + (names == nil ? Self.pause : Self.lifetime)
            if let names { state.names = names }
            return state.names
        }
    }
}
