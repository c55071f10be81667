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

    /// Whether OpenTelemetry's names for generative AI are wanted too.
    package var hasGenAINames: Bool { build.genAIProvider != nil }

    /// The index of a model's label; unknown ones are `other`, so that clients cannot make series.
    package func modelIndex(_ model: String) -> Int {
        models.firstIndex(of: model) ?? models.count - 1
    }

    /// The whole exposition.
    package func exposition(_ process: ProcessReport, _ format: ExpositionFormat) -> [UInt8] {
        let exemplars = format == .openMetrics ? lastExemplars() : [:]
        var families = Metric.allCases.compactMap { family($0, exemplars) }
        if let provider = build.genAIProvider {
            let mirror = GenAIMirror(provider: provider)
            families = families.map { family in
                family.name == MetricDefinition.genAITokenUsage.name
                    ? mirror.completed(family) : family
            }
            families += mirror.families(families)
        }
        families += process.families() + build.families()
        var text = ExpositionWriter(format, createdSeconds: process.startSeconds)
        families.sort { [text] x, y in text.name(of: x) < text.name(of: y) }
        for family in families { text.write(family) }
        return text.finish()
    }

    /// A metric with all its series that are shown; nil if there is none.
    private func family(_ metric: Metric, _ exemplars: [Int: Exemplar]) -> MetricFamily? {
        let definition = layout.definitions[metric.rawValue]
        let place = layout.places[metric.rawValue]
        var family = MetricFamily(definition)
        for series in 0..<place.seriesCount {
            let start = place.base + series * place.cellsPerSeries
            let cells = start..<(start + place.cellsPerSeries)
            guard definition.isShownFromStart || cells.contains(where: { sum($0) != 0 }) else {
                continue
            }
            var sample = MetricFamily.Sample(
                labels: labels(metric, series), value: value(definition, cells))
            if !exemplars.isEmpty {
                for cell in cells { sample.exemplars[cell - start] = exemplars[cell] }
            }
            family.samples.append(sample)
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

    /// The latest exemplar of each bucket, whichever thread has it.
    private func lastExemplars() -> [Int: Exemplar] {
        shards.reduce(into: [:]) { all, shard in
            all.merge(shard.exemplars) { $0.seconds > $1.seconds ? $0 : $1 }
        }
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
