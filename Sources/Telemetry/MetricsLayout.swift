// Where each series lies in the cells of a shard.

/// Which series of a metric: the indices of its labels' values, in the order of the labels.
///
/// The index of a `code` is the status itself.
package struct SeriesKey: Sendable {
    var indices: SIMD4<Int32>

    /// A key of up to four indices.
    package init(_ first: Int = 0, _ second: Int = 0, _ third: Int = 0, _ fourth: Int = 0) {
        indices = SIMD4(
            Int32(clamping: first), Int32(clamping: second), Int32(clamping: third),
            Int32(clamping: fourth))
    }
}

/// The plan that all shards share: every series has its place before anything is counted.
struct MetricsLayout: Sendable {
    /// More models than that share the label `other`.
    static let modelsMax = 50

    /// A metric's place; a label that it does not have counts as one with a single value.
    struct Place: Sendable {
        fileprivate(set) var base = 0
        fileprivate(set) var cellsPerSeries = 1
        fileprivate(set) var seriesCount = 1
        /// Where its buckets' bounds stand among those of all histograms.
        fileprivate(set) var bounds = 0..<0
        fileprivate(set) var unitsPerOne = 1.0
        /// For each label how many cells its next value is away, and how many values it has.
        fileprivate var strides = SIMD4<Int32>()
        fileprivate var counts = SIMD4<Int32>(repeating: 1)
        fileprivate var codePosition: Int?
    }

    let definitions: [MetricDefinition]
    /// How many models have a label of their own; one more is `other`.
    let modelCount: Int
    private(set) var places: [Place] = []
    /// The bounds of all histograms, one after the other.
    private(set) var bounds: [Double] = []
    /// Cells of one shard.
    private(set) var cellCount = 0

    init(modelCount: Int) {
        self.modelCount = min(max(0, modelCount), Self.modelsMax)
        definitions = Metric.allCases.map(\.definition)
        for definition in definitions { place(definition) }
    }

    private mutating func place(_ definition: MetricDefinition) {
        var place = Place()
        place.base = cellCount
        if case .histogram(let bounds, let unitsPerOne) = definition.kind {
            place.bounds = self.bounds.count..<(self.bounds.count + bounds.count)
            place.unitsPerOne = unitsPerOne
            // The bucket above all bounds, and the sum of the values.
            place.cellsPerSeries = bounds.count + 2
            self.bounds += bounds
        }
        for (position, label) in definition.labels.enumerated() {
            place.strides[position] = Int32(place.seriesCount * place.cellsPerSeries)
            place.counts[position] = Int32(count(label))
            place.seriesCount *= count(label)
            if case .code = label.values { place.codePosition = position }
        }
        cellCount += place.seriesCount * place.cellsPerSeries
        places.append(place)
    }

    /// How many values a label has.
    private func count(_ label: MetricLabel) -> Int {
        switch label.values {
        case .closed(let values): values.count
        case .code: StatusCodes.labels.count
        case .model: modelCount + 1
        case .told: 1
        }
    }

    /// First cell of a series; an index that is too large names the last value, which is `other`.
    func cell(_ place: Place, _ key: SeriesKey) -> Int {
        var indices = key.indices
        if let position = place.codePosition {
            indices[position] = Int32(StatusCodes.place(of: Int(indices[position])))
        }
        indices.clamp(lowerBound: SIMD4(), upperBound: place.counts &- 1)
        return place.base + Int((indices &* place.strides).wrappedSum())
    }

    /// The label values' indices of the series with a running number.
    func indices(_ metric: Metric, series: Int) -> [Int] {
        var rest = series
        return definitions[metric.rawValue].labels.map { label in
            defer { rest /= count(label) }
            return rest % count(label)
        }
    }
}
