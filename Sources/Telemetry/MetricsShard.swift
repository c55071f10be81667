// One worker's share of the metrics.
internal import Synchronization

/// Which series of a metric: the indices of its labels' values, in the order of the labels.
package struct SeriesKey: Hashable, Sendable, Comparable {
    var a: UInt16 = 0
    var b: UInt16 = 0
    var c: UInt16 = 0
    var d: UInt16 = 0

    /// A key from the indices of up to four labels.
    package init(_ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) {
        self.a = UInt16(clamping: a)
        self.b = UInt16(clamping: b)
        self.c = UInt16(clamping: c)
        self.d = UInt16(clamping: d)
    }

    var indices: [Int] { [Int(a), Int(b), Int(c), Int(d)] }

    /// Order by value.
    package static func < (x: SeriesKey, y: SeriesKey) -> Bool {
        x.indices.lexicographicallyPrecedes(y.indices)
    }
}

/// A histogram's counts.
struct HistogramCounts: Sendable {
    /// For each bucket those in it alone; the last is for what is above all bounds.
    var counts: [Int]
    var sum = 0.0

    init(buckets: Int) { counts = Array(repeating: 0, count: buckets + 1) }

    mutating func add(_ value: Double, _ bounds: [Double]) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}

/// Everything counted so far.
struct MetricsState: Sendable {
    var counters: [[SeriesKey: Int]] = Metric.allCases.map { _ in [:] }
    var histograms: [[SeriesKey: HistogramCounts]] = Metric.allCases.map { _ in [:] }
    var requestsInFlight = Array(repeating: 0, count: RouteLabel.allCases.count)
    var streamsInFlight = 0

    mutating func add(_ other: MetricsState) {
        for metric in Metric.allCases {
            counters[metric.rawValue].merge(other.counters[metric.rawValue], uniquingKeysWith: +)
            histograms[metric.rawValue].merge(other.histograms[metric.rawValue]) { a, b in
                var sum = a
                for index in sum.counts.indices { sum.counts[index] += b.counts[index] }
                sum.sum += b.sum
                return sum
            }
        }
        for index in requestsInFlight.indices {
            requestsInFlight[index] += other.requestsInFlight[index]
        }
        streamsInFlight += other.streamsInFlight
    }
}

/// One worker's counts.
///
/// Its lock is the worker's own but for the moment of a scrape, and is taken a few times for each
/// exchange, never for a token.
package final class MetricsShard: Sendable {
    private let state = Mutex(MetricsState())

    /// The defaults.
    package init() {}

    /// Adds to a counter.
    package func add(_ metric: Metric, _ key: SeriesKey = SeriesKey(), _ amount: Int = 1) {
        state.withLock { $0.counters[metric.rawValue][key, default: 0] += amount }
    }

    /// Adds a value to a histogram.
    package func observe(_ metric: Metric, _ key: SeriesKey, _ value: Double) {
        guard let bounds = metric.buckets else { return }
        state.withLock { state in
            state.histograms[metric.rawValue][key, default: HistogramCounts(buckets: bounds.count)]
                .add(value, bounds)
        }
    }

    /// Counts a request that begins (1) or ends (-1).
    package func inFlight(_ route: RouteLabel, _ change: Int) {
        let index = RouteLabel.allCases.firstIndex(of: route) ?? 0
        state.withLock { $0.requestsInFlight[index] += change }
    }

    /// Counts a stream that begins (1) or ends (-1).
    package func streamsInFlight(_ change: Int) { state.withLock { $0.streamsInFlight += change } }

    func snapshot() -> MetricsState { state.withLock { $0 } }
}

extension CaseIterable where Self: Equatable {
    /// Place among all cases; the index that a series key wants.
    package var labelIndex: Int {
        Self.allCases.enumerated().first { $0.element == self }?.offset ?? 0
    }
}

/// Indices of values that other modules name by text.
package enum LabelIndex {
    /// Index of a value of `errors_total{type}`.
    package static func error(_ type: String) -> Int { index(type, ErrorTypes.all) }
    /// Index of a value of `stop_reasons_total{reason}`.
    package static func stopReason(_ reason: String) -> Int { index(reason, StopReasons.all) }
    /// Index of a value of `repairs_total{kind}`.
    package static func repair(_ kind: String) -> Int { index(kind, RepairKinds.all) }
    /// Index of a value of `lossy_translations_total{field}`.
    package static func loss(_ field: String) -> Int { index(field, LossFields.all) }

    private static func index(_ value: String, _ all: [String]) -> Int {
        all.firstIndex(of: value) ?? all.count - 1
    }
}
