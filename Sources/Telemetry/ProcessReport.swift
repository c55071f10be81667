// What a scrape reports besides what was counted; the caller measures it.

/// Figures of the process at the time of a scrape.
package struct ProcessReport: Sendable {
    /// CPU time, user and system.
    package var cpuSeconds = 0.0
    /// Resident memory.
    package var residentBytes = 0
    /// Virtual memory.
    package var virtualBytes = 0
    /// Open file descriptors.
    package var openDescriptors = 0
    /// Limit of open file descriptors.
    package var descriptorsMax = 0
    /// When the process started, since 1970.
    package var startSeconds = 0.0
    /// Whether the sidecar takes no new requests.
    package var isDraining = false
    /// Bytes of request bodies in memory; nil if nobody counts them.
    package var inflightBodyBytes: Int?
    /// What request bodies may take together; nil without a budget.
    package var memoryBudgetBytes: Int?
    /// Whether the last attempt reached the upstream; nil before the first.
    package var isUpstreamUp: Bool?
    /// Connections to the upstream that wait for work; nil if nobody counts them.
    package var idleUpstreamConnections: Int?
    /// Connections to the upstream that carry a request; nil if nobody counts them.
    package var activeUpstreamConnections: Int?

    /// A report of zeros.
    package init() {}
}

/// What is running and how it was set up; fixed at the start.
package struct BuildReport: Sendable {
    /// The version of the sidecar.
    package var version: String
    /// The version of libcurl.
    package var curl: String
    /// The commit it was built from; empty if unknown.
    package var commit = ""
    /// The version of the compiler.
    package var swift = BuildReport.compiler
    /// Labels of `config_info`, for instance the protocol and how the upstream is told who calls.
    package var configuration: [(label: String, value: String)] = []
    /// Labels of `target_info`: the attributes of OpenTelemetry's resource.
    package var resource: [(label: String, value: String)] = []

    /// A report of two versions.
    package init(version: String, curl: String) {
        self.version = version
        self.curl = curl
    }

    private static var compiler: String {
        #if swift(>=6.4)
            "6.4 or later"
        #elseif swift(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
