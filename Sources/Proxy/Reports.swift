// What a scrape tells of the process: how it was set up, and whether the upstream answers.
internal import Configuration
internal import Telemetry
internal import Translation
internal import Upstream

extension BuildReport {
    /// What the settings say of the process; names and choices only, never a value that is secret.
    init(_ settings: Settings, _ upstreams: [UpstreamServer]) {
        self.init(version: SharedState.version, curl: UpstreamClient.libraryVersion)
        commit = Self.sourceCommit
        configuration = upstreams.map { upstream in
            [
                ("upstream", upstream.settings.name),
                ("protocol", upstream.settings.interface.rawValue),
                ("dialect", upstream.dialect.name),
                ("upstream_auth", upstream.settings.authentication.rawValue),
                ("client_auth", settings.clientKeys.isEmpty ? "none" : "key"),
            ]
        }
        if let name = settings.serviceName { resource.append(("service_name", name)) }
        for (name, value) in settings.resourceAttributes {
            let label = Self.label(name)
            if !resource.contains(where: { $0.name == label }) { resource.append((label, value)) }
        }
        if settings.addsGenAINames {
            let dialect = upstreams[0].dialect.name
            genAIProvider = Self.providers[dialect] ?? dialect
        }
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
