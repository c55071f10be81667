// One worker's share of the metrics.
internal import Synchronization

/// One worker's counts: relaxed additions, no lock, no hashing, no allocation.
///
/// Only its worker writes, so its cache lines stay with that worker; a scrape reads them and adds
/// up all shards.
package final class MetricsShard: Sendable {
    let layout: MetricsLayout
    private let pages: [MetricsPage]
    private let lastExemplars = Mutex<[Int: Exemplar]>([:])

    /// A shard in which nothing was counted yet, with room for so many models and `other`.
    package init(modelCount: Int = 50) {
        layout = MetricsLayout(modelCount: modelCount)
        let pageCount = layout.cellCount / MetricsPage.cellCount + 1
        pages = (0..<pageCount).map { _ in MetricsPage() }
    }

    /// Adds to a counter or a gauge.
    package func add(_ metric: Metric, _ key: SeriesKey = SeriesKey(), _ amount: Int = 1) {
        add(amount, toCell: layout.cell(layout.places[metric.rawValue], key))
    }

    /// Sets this worker's share of a gauge.
    package func set(_ metric: Metric, _ key: SeriesKey, _ value: Int) {
        let cell = layout.cell(layout.places[metric.rawValue], key)
        pages[cell / MetricsPage.cellCount].set(value, at: cell % MetricsPage.cellCount)
    }

    /// Adds a value to a histogram.
    package func observe(_ metric: Metric, _ key: SeriesKey, _ value: Double) {
        count(metric, key, value)
    }

    /// Adds a value to a histogram and keeps its trace as the bucket's exemplar; `seconds` is the
    /// time since 1970.
    ///
    /// Takes a lock that only a scrape ever holds too: for the end of a request, not for a token.
    package func observe(
        _ metric: Metric, _ key: SeriesKey, _ value: Double, traceID: String, seconds: Double
    ) {
        let bucket = count(metric, key, value)
        let exemplar = Exemplar(traceID: traceID, value: value, seconds: seconds)
        lastExemplars.withLock { $0[bucket] = exemplar }
    }

    /// The last exemplar of each bucket that has one, by the bucket's cell.
    var exemplars: [Int: Exemplar] { lastExemplars.withLock { $0 } }

    /// Adds a value and tells the cell of its bucket.
    @discardableResult
    private func count(_ metric: Metric, _ key: SeriesKey, _ value: Double) -> Int {
        let place = layout.places[metric.rawValue]
        precondition(!place.bounds.isEmpty, "Only histograms observe values.")
        let cell = layout.cell(place, key)
        var bucket = 0
        while bucket < place.bounds.count, value > layout.bounds[place.bounds.lowerBound + bucket] {
            bucket += 1
        }
        // What is no number is above all bounds and spoils no sum.
        if value.isNaN { bucket = place.bounds.count }
        add(1, toCell: cell + bucket)
        let units = (value * place.unitsPerOne).rounded()
        add(Int(exactly: units) ?? 0, toCell: cell + place.bounds.count + 1)
        return cell + bucket
    }

    /// What a cell holds.
    func value(ofCell cell: Int) -> Int {
        pages[cell / MetricsPage.cellCount].value(cell % MetricsPage.cellCount)
    }

    private func add(_ amount: Int, toCell cell: Int) {
        pages[cell / MetricsPage.cellCount].add(amount, to: cell % MetricsPage.cellCount)
    }
}

/// Some cells; an array of them stands for the one that atomics cannot be put into.
private final class MetricsPage: Sendable {
    static let cellCount = 512

    private let cells = InlineArray<512, Atomic<Int>> { _ in Atomic(0) }

    func add(_ amount: Int, to cell: Int) {
        cells[cell].wrappingAdd(amount, ordering: .relaxed)
    }

    func set(_ value: Int, at cell: Int) { cells[cell].store(value, ordering: .relaxed) }

    func value(_ cell: Int) -> Int { cells[cell].load(ordering: .relaxed) }
}

extension CaseIterable where Self: Equatable {
    /// Place among all cases; the index that a series key wants.
    @inlinable
    package var labelIndex: Int {
        var index = 0
        for value in Self.allCases {
            if value == self { return index }
            index += 1
        }
        return index
    }
}

/// Indices of values that other modules name by text.
package enum LabelIndex {
    /// The index of an error's label.
    package static func error(_ type: String) -> Int { index(type, ErrorTypes.all) }
    /// The index of a stop reason.
    package static func stopReason(_ reason: String) -> Int { index(reason, StopReasons.all) }
    /// The index of a kind of repair.
    package static func repair(_ kind: String) -> Int { index(kind, RepairKinds.all) }
    /// The index of a field that was lost.
    package static func loss(_ field: String) -> Int { index(field, LossFields.all) }

    private static func index(_ value: String, _ all: [String]) -> Int {
        all.firstIndex(of: value) ?? all.count - 1
    }
}
