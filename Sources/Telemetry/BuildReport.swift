// What is running and how it was set up; fixed at the start.
internal import CBuild

/// What `build_info`, `config_info` and `target_info` say.
package struct BuildReport: Sendable {
    /// The version of the sidecar.
    package var version: String
    /// The version of libcurl.
    package var curl: String
    /// The commit it was built from; empty if unknown.
    package var commit = ""
    /// The version of the compiler.
    package var swift = BuildReport.compiler
    /// Labels of `config_info` for each upstream, for instance how it is told who calls.
    package var configuration: [[(name: String, value: String)]] = []
    /// Labels of `target_info`: the attributes of OpenTelemetry's resource.
    package var resource: [(name: String, value: String)] = []

    /// Who serves the models, when OpenTelemetry's names for generative AI are wanted.
    package var genAIProvider: String?

    /// A report of two versions.
    package init(version: String, curl: String) {
        self.version = version
        self.curl = curl
    }

    /// The commit that this program was built from; empty if the build was not told.
    package static var sourceCommit: String { unsafe String(cString: cbuild_commit()) }

    private static var compiler: String {
        #if swift(>=6.4)
            "6.4 or later"
        #elseif swift(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    func families() -> [MetricFamily] {
        let versions = [
            ("version", version), ("commit", commit), ("swift", swift), ("curl", curl),
        ]
        var families = [MetricFamily(.buildInfo, 1, versions.filter { !$0.1.isEmpty })]
        var config = MetricFamily(.configInfo)
        for labels in configuration { config.append(1, labels) }
        if !config.samples.isEmpty { families.append(config) }
        if !resource.isEmpty { families.append(MetricFamily(.targetInfo, 1, resource)) }
        return families
    }
}
