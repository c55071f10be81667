// What a scrape tells of the process: how it was set up, and whether the upstream answers.
internal import Configuration
internal import Telemetry
internal import Translation
internal import Upstream

extension BuildReport {
    /// What the settings say of the process; names and choices only, never a value that is secret.
    init(_ settings: Settings, _ upstream: UpstreamServer) {
        self.init(version: SharedState.version, curl: UpstreamClient.libraryVersion)
        configuration = [
            ("protocol", upstream.settings.interface.rawValue),
            ("dialect", upstream.dialect.name),
            ("upstream_auth", upstream.settings.authentication.rawValue),
            ("client_auth", settings.clientKeys.isEmpty ? "none" : "key"),
        ]
    }
}
