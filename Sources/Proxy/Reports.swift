// What a scrape tells of the process: how it was set up, and whether the upstream answers.
internal import Configuration
internal import Synchronization
internal import Telemetry
internal import Upstream

/// Whether the last attempt reached the upstream, whichever worker made it.
final class UpstreamState: Sendable {
    private let state = Atomic<Int>(-1)

    /// `nil` before the first attempt.
    var isUp: Bool? {
        let state = state.load(ordering: .relaxed)
        return state < 0 ? nil : state == 1
    }

    func note(isReached: Bool) { state.store(isReached ? 1 : 0, ordering: .relaxed) }
}

extension BuildReport {
    /// What the settings say of the process; names and choices only, never a value that is secret.
    init(_ settings: Settings, dialect: String) {
        self.init(version: SharedState.version, curl: UpstreamClient.libraryVersion)
        configuration = [
            ("protocol", "openai"), ("dialect", dialect),
            ("upstream_auth", settings.authentication.rawValue),
            ("client_auth", settings.clientKeys.isEmpty ? "none" : "key"),
        ]
    }
}
