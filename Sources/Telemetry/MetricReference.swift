// The reference of all metrics, as the documents show it.

/// Writes what there is to know of every metric; `claude-sidecar metrics` prints it.
package enum MetricReference {
    /// Tables in Markdown: the metrics, the buckets of histograms, the values of labels.
    package static func markdown() -> [String] {
        metrics() + ["", "### Buckets", ""] + buckets() + ["", "### Values of labels", ""]
            + values()
    }

    private static func metrics() -> [String] {
        let head = ["| Name | Type | Labels | Promise | Meaning |", "|---|---|---|---|---|"]
        return head
            + MetricDefinition.all.map { metric in
                let labels = metric.labels.map { "`\($0.name)`" }.joined(separator: " ")
                let promise = metric.isStable ? "stable" : "unstable"
                return "| `\(metric.name)` | \(metric.typeName) | \(labels) | \(promise) "
                    + "| \(metric.help) |"
            }
    }

    private static func buckets() -> [String] {
        let head = ["| Histogram | Upper bounds |", "|---|---|"]
        return head
            + MetricDefinition.all.compactMap { metric in
                guard case .histogram(let bounds, _) = metric.kind else { return nil }
                let texts = bounds.map(ExpositionWriter.number)
                return "| `\(metric.name)` | \(texts.joined(separator: " ")) |"
            }
    }

    private static func values() -> [String] {
        var seen: Set<String> = []
        var rows = ["| Label | Of | Values |", "|---|---|---|"]
        for metric in MetricDefinition.all {
            for label in metric.labels {
                guard case .closed(let values) = label.values else { continue }
                let row =
                    "| `\(label.name)` | \(users(of: label.name, values)) | "
                    + values.map { "`\($0)`" }.joined(separator: " ") + " |"
                if seen.insert(row).inserted { rows.append(row) }
            }
        }
        return rows
    }

    /// The metrics with a label of this name and these values.
    private static func users(of name: String, _ values: [String]) -> String {
        MetricDefinition.all.filter { metric in
            metric.labels.contains { label in
                if case .closed(values) = label.values { label.name == name } else { false }
            }
        }.map { "`\($0.name)`" }.joined(separator: " ")
    }
}

extension MetricDefinition {
    var typeName: String {
        switch kind {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}
