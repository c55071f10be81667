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
    /// What requests hold of the memory budget; nil if nobody counts it.
    package var inflightBodyBytes: Int?
    /// What request bodies may take together; nil without a budget.
    package var memoryBudgetBytes: Int?
    /// Whether the last attempt reached the upstream; nil before the first.
    package var isUpstreamUp: Bool?
    /// What the upstream is known not to accept, and for how many of its models.
    package var learnedQuirks: [(quirk: String, models: Int)] = []

    /// A report of zeros.
    package init() {}
}

extension ProcessReport {
    func families() -> [MetricFamily] {
        var families = [
            MetricFamily(.draining, isDraining ? 1 : 0),
            MetricFamily(.cpuSeconds, cpuSeconds),
            MetricFamily(.residentMemory, Double(residentBytes)),
            MetricFamily(.virtualMemory, Double(virtualBytes)),
            MetricFamily(.openDescriptors, Double(openDescriptors)),
            MetricFamily(.descriptorsMax, Double(descriptorsMax)),
            MetricFamily(.startTime, startSeconds),
        ]
        if let inflightBodyBytes {
            families.append(MetricFamily(.inflightBodyBytes, Double(inflightBodyBytes)))
        }
        if let memoryBudgetBytes {
            families.append(MetricFamily(.memoryBudget, Double(memoryBudgetBytes)))
        }
        if let isUpstreamUp { families.append(MetricFamily(.upstreamUp, isUpstreamUp ? 1 : 0)) }
        if !learnedQuirks.isEmpty {
            var family = MetricFamily(.learnedQuirks)
            for (quirk, models) in learnedQuirks.sorted(by: { $0.quirk < $1.quirk }) {
                family.append(Double(models), [("quirk", quirk)])
            }
            families.append(family)
        }
        return families
    }
}
