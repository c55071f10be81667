// One metric as a scrape shows it.

/// All samples of a metric.
struct MetricFamily {
    typealias Labels = [(name: String, value: String)]

    struct Sample {
        let labels: Labels
        let value: Value
        /// Exemplars of buckets, by the bucket's place.
        var exemplars: [Int: Exemplar] = [:]
    }

    enum Value {
        case number(Double)
        /// Counts of the single buckets, the last above all bounds, and the sum of all values.
        case histogram(counts: [Int], sum: Double)
    }

    let definition: MetricDefinition
    var samples: [Sample] = []

    var name: String { definition.name }

    init(_ definition: MetricDefinition) { self.definition = definition }

    /// A metric with one sample.
    init(_ definition: MetricDefinition, _ value: Double, _ labels: Labels = []) {
        self.definition = definition
        append(value, labels)
    }

    mutating func append(_ value: Double, _ labels: Labels = []) {
        samples.append(Sample(labels: labels, value: .number(value)))
    }
}
