// One metric as a scrape shows it.

/// All samples of a metric.
struct MetricFamily {
    struct Sample {
        let labels: [(name: String, value: String)]
        let value: Value
    }

    enum Value {
        case number(Double)
        /// Counts of the single buckets, the last above all bounds, and the sum of all values.
        case histogram(counts: [Int], sum: Double)
    }

    let name: String
    let help: String
    let kind: MetricDefinition.Kind
    var samples: [Sample] = []

    init(_ name: String, _ help: String, _ kind: MetricDefinition.Kind) {
        self.name = name
        self.help = help
        self.kind = kind
    }

    /// A gauge with one sample.
    static func gauge(
        _ name: String, _ help: String, _ value: Double,
        _ labels: [(label: String, value: String)] = []
    ) -> MetricFamily {
        var family = MetricFamily(name, help, .gauge)
        family.append(value, labels)
        return family
    }

    mutating func append(_ value: Double, _ labels: [(label: String, value: String)]) {
        samples.append(
            Sample(labels: labels.map { ($0.label, $0.value) }, value: .number(value)))
    }
}
