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
        if let name = settings.serviceName { resource.append(("service_name", name)) }
        for (name, value) in settings.resourceAttributes {
            let label = Self.label(name)
            if !resource.contains(where: { $0.name == label }) { resource.append((label, value)) }
        }
        if settings.addsGenAINames { genAIProvider = Self.providers[dialect] ?? dialect }
    }

    /// The values of `gen_ai.provider.name` that OpenTelemetry knows; ours serve for the rest.
    private static let providers = [
        "azure": "azure.ai.openai", "gemini": "gcp.gemini", "mistral": "mistral_ai",
    ]

    /// An attribute's name as Prometheus writes it: `k8s.pod.name` is `k8s_pod_name`.
    private static func label(_ name: String) -> String {
        let label = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        // Neither digits nor what is reserved for Prometheus itself may stand at the front.
        let needsPrefix = label.first.map { $0.isNumber || $0 == "_" } ?? true
        return (needsPrefix ? "key_" : "") + String(label)
    }
}
