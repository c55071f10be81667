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
    /// Lines that the log's reader was too slow for.
    package var droppedLogLines = 0
    /// The container's memory limit; nil without one.
    package var memoryLimitBytes: Int?
    /// What requests hold of the memory budget; nil if nobody counts it.
    package var inflightBodyBytes: Int?
    /// What request bodies may take together; nil without a budget.
    package var memoryBudgetBytes: Int?
    /// How each upstream has been of late.
    package var upstreams: [UpstreamReport] = []
    /// What the upstream is known not to accept, and for how many of its models.
    package var learnedQuirks: [(quirk: String, models: Int)] = []

    /// A report of zeros.
    package init() {}
}

extension ProcessReport {
    func families() -> [MetricFamily] {
        var families = [
            MetricFamily(.draining, isDraining ? 1 : 0),
            MetricFamily(.droppedLogLines, Double(droppedLogLines)),
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
        if let memoryLimitBytes {
            families.append(MetricFamily(.memoryLimit, Double(memoryLimitBytes)))
        }
        families += upstreamFamilies()
        if !learnedQuirks.isEmpty {
            var family = MetricFamily(.learnedQuirks)
            for (quirk, models) in learnedQuirks.sorted(by: { $0.quirk < $1.quirk }) {
                family.append(Double(models), [("quirk", quirk)])
            }
            families.append(family)
        }
        return families
    }

    private func upstreamFamilies() -> [MetricFamily] {
        var up = MetricFamily(.upstreamUp)
        var breaker = MetricFamily(.upstreamBreaker)
        for upstream in upstreams {
            let name = ("upstream", upstream.name)
            if let isReached = upstream.isReached { up.append(isReached ? 1 : 0, [name]) }
            for state in BreakerLabel.allCases {
                breaker.append(
                    state == upstream.breaker ? 1 : 0, [name, ("state", state.rawValue)])
            }
        }
        return [up, breaker].filter { !$0.samples.isEmpty }
    }
}

/// How an upstream has been of late.
package struct UpstreamReport: Sendable {
    /// As `UPSTREAMS` names it.
    package let name: String
    /// Whether the last attempt reached it; nil before the first.
    package let isReached: Bool?
    /// Whether it is asked at all.
    package let breaker: BreakerLabel

    /// A report of one upstream.
    package init(name: String, isReached: Bool?, breaker: BreakerLabel) {
        self.name = name
        self.isReached = isReached
        self.breaker = breaker
    }
}
