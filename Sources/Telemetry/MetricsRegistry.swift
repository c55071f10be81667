// All shards together, and the text that Prometheus reads.

/// The shards of all threads and the names of the models.
package final class MetricsRegistry: Sendable {
    private let shards: [MetricsShard]
    private let models: [String]
    private let build: BuildReport
    private let layout: MetricsLayout

    /// A registry of shards that were made with equal room for models.
    package init(shards: [MetricsShard], models: [String], build: BuildReport) {
        self.shards = shards
        let layout = shards.first?.layout ?? MetricsLayout(modelCount: models.count)
        self.layout = layout
        var names: [String] = []
        for model in models where names.count < layout.modelCount && !names.contains(model) {
            names.append(model)
        }
        self.models = names + ["other"]
        self.build = build
    }

    /// The index of a model's label; unknown ones are `other`, so that clients cannot make series.
    package func modelIndex(_ model: String) -> Int {
        models.firstIndex(of: model) ?? models.count - 1
    }

    /// The whole exposition: `text/plain; version=0.0.4`, or OpenMetrics 1.0.
    package func exposition(_ process: ProcessReport, isOpenMetrics: Bool) -> [UInt8] {
        var families = Metric.allCases.compactMap(family)
        families += process.families() + build.families()
        var text = ExpositionWriter(
            isOpenMetrics: isOpenMetrics, createdSeconds: process.startSeconds)
        families.sort { [text] x, y in text.name(of: x) < text.name(of: y) }
        for family in families { text.write(family) }
        return text.finish()
    }

    /// A metric with all its series that are shown; nil if there is none.
    private func family(_ metric: Metric) -> MetricFamily? {
        let definition = layout.definitions[metric.rawValue]
        let place = layout.places[metric.rawValue]
        var family = MetricFamily(definition)
        for series in 0..<place.seriesCount {
            let start = place.base + series * place.cellsPerSeries
            let cells = start..<(start + place.cellsPerSeries)
            guard definition.isShownFromStart || cells.contains(where: { sum($0) != 0 }) else {
                continue
            }
            family.samples.append(
                MetricFamily.Sample(
                    labels: labels(metric, series), value: value(definition, cells)))
        }
        guard definition.isShownFromStart || !family.samples.isEmpty else { return nil }
        family.samples.sort { x, y in
            x.labels.lexicographicallyPrecedes(y.labels) { $0.value < $1.value }
        }
        return family
    }

    private func value(_ definition: MetricDefinition, _ cells: Range<Int>) -> MetricFamily.Value {
        guard case .histogram(_, let unitsPerOne) = definition.kind else {
            return .number(Double(sum(cells.lowerBound)))
        }
        return .histogram(
            counts: cells.dropLast().map(sum),
            sum: Double(sum(cells.upperBound - 1)) / unitsPerOne)
    }

    private func sum(_ cell: Int) -> Int {
        shards.reduce(0) { $0 &+ $1.value(ofCell: cell) }
    }

    private func labels(_ metric: Metric, _ series: Int) -> MetricFamily.Labels {
        let definition = layout.definitions[metric.rawValue]
        return zip(definition.labels, layout.indices(metric, series: series)).map { label, index in
            switch label.values {
            case .closed(let values): (label.name, values[index])
            case .code: (label.name, StatusCodes.labels[index])
            case .model: (label.name, models[min(index, models.count - 1)])
            case .told: (label.name, "")
            }
        }
    }
}
