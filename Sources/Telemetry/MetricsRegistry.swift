// All shards together, and the text that Prometheus reads.
internal import Bytes

/// Figures of the process that a scrape reports besides what was counted.
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
    /// Start of the process in seconds since 1970.
    package var startSeconds = 0.0
    /// Whether SIGTERM has come.
    package var isDraining = false

    /// The defaults.
    package init() {}
}

/// What this program is, for `build_info`.
package struct BuildReport: Sendable {
    /// Version of this program.
    package var version: String
    /// Version of libcurl.
    package var curl: String

    /// What is running.
    package init(version: String, curl: String) {
        self.version = version
        self.curl = curl
    }
}

/// The shards of all threads and the names of the models.
package final class MetricsRegistry: Sendable {
    /// More models than that share the name `other`.
    private static let modelsMax = 50
    private static let prefix = "claude_sidecar_"

    private let shards: [MetricsShard]
    private let models: [String]
    private let build: BuildReport

    /// A registry over the shards of all threads.
    package init(shards: [MetricsShard], models: [String], build: BuildReport) {
        self.shards = shards
        self.models = Array(models.prefix(Self.modelsMax)) + ["other"]
        self.build = build
    }

    /// The index of a model's label; unknown ones are `other`, so that clients cannot make series.
    package func modelIndex(_ model: String) -> Int {
        models.firstIndex(of: model) ?? models.count - 1
    }

    /// The whole exposition: `text/plain; version=0.0.4`, or OpenMetrics 1.0.
    package func exposition(_ process: ProcessReport, isOpenMetrics: Bool) -> [UInt8] {
        var total = MetricsState()
        for shard in shards { total.add(shard.snapshot()) }
        var text = ExpositionWriter(isOpenMetrics: isOpenMetrics)
        for metric in Metric.allCases {
            let isHistogram = metric.buckets != nil
            text.family(
                Self.prefix + metric.name, isHistogram ? "histogram" : "counter", metric.help)
            if let bounds = metric.buckets {
                for (key, counts) in total.histograms[metric.rawValue].sorted(by: {
                    $0.key < $1.key
                }) {
                    text.histogram(Self.prefix + metric.name, labels(metric, key), bounds, counts)
                }
            } else {
                var series = total.counters[metric.rawValue]
                if metric.labels.isEmpty, series.isEmpty { series[SeriesKey()] = 0 }
                for (key, value) in series.sorted(by: { $0.key < $1.key }) {
                    text.sample(Self.prefix + metric.name, labels(metric, key), Double(value))
                }
            }
        }
        gauges(total, process, to: &text)
        return text.finish()
    }

    private func labels(_ metric: Metric, _ key: SeriesKey) -> [(String, String)] {
        zip(metric.labels, key.indices).map { label, index in
            let value =
                switch label {
                case .code: String(index)
                case .model: models[min(index, models.count - 1)]
                default: Label.values(label, of: metric).map { $0[min(index, $0.count - 1)] } ?? ""
                }
            return (label.rawValue, value)
        }
    }

    private func gauges(
        _ total: MetricsState, _ process: ProcessReport, to text: inout ExpositionWriter
    ) {
        text.family(Self.prefix + "requests_in_flight", "gauge", "Requests being answered.")
        for (route, count) in zip(RouteLabel.allCases, total.requestsInFlight) {
            text.sample(
                Self.prefix + "requests_in_flight", [("route", route.rawValue)], Double(count))
        }
        text.gauge(
            Self.prefix + "streams_in_flight", "Streams being relayed.",
            Double(total.streamsInFlight))
        text.gauge(
            Self.prefix + "draining", "1 from SIGTERM on.", process.isDraining ? 1 : 0)
        text.family(Self.prefix + "build_info", "gauge", "What is running.")
        text.sample(
            Self.prefix + "build_info", [("version", build.version), ("curl", build.curl)], 1)
        text.family("process_cpu_seconds_total", "counter", "CPU time, user and system.")
        text.sample("process_cpu_seconds_total", [], process.cpuSeconds)
        text.gauge(
            "process_resident_memory_bytes", "Resident memory.", Double(process.residentBytes))
        text.gauge("process_virtual_memory_bytes", "Virtual memory.", Double(process.virtualBytes))
        text.gauge("process_open_fds", "Open file descriptors.", Double(process.openDescriptors))
        text.gauge(
            "process_max_fds", "Limit of open file descriptors.", Double(process.descriptorsMax))
        text.gauge(
            "process_start_time_seconds", "Start of the process since 1970.", process.startSeconds)
    }
}

/// Writes the exposition format.
struct ExpositionWriter {
    private let isOpenMetrics: Bool
    private var bytes: [UInt8] = []

    init(isOpenMetrics: Bool) {
        self.isOpenMetrics = isOpenMetrics
        bytes.reserveCapacity(16 * 1024)
    }

    /// OpenMetrics names a counter's family without `_total`.
    mutating func family(_ name: String, _ type: StaticString, _ help: String) {
        let isTotal = isOpenMetrics && name.hasSuffix("_total")
        let family = isTotal ? String(name.dropLast(6)) : name
        bytes.append("# HELP ")
        bytes.append(family)
        bytes.append(" ")
        bytes.append(help)
        bytes.append("\n# TYPE ")
        bytes.append(family)
        bytes.append(" ")
        bytes.append(type)
        bytes.append("\n")
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        bytes.append(name)
        for (index, label) in labels.enumerated() {
            bytes.append(index == 0 ? "{" : ",")
            bytes.append(label.0)
            bytes.append("=\"")
            escape(label.1)
            bytes.append("\"")
        }
        if !labels.isEmpty { bytes.append("}") }
        bytes.append(" ")
        number(value)
        bytes.append("\n")
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        family(name, "gauge", help)
        sample(name, [], value)
    }

    mutating func histogram(
        _ name: String, _ labels: [(String, String)], _ bounds: [Double], _ counts: HistogramCounts
    ) {
        var cumulative = 0
        for (bound, count) in zip(bounds.map { Optional($0) } + [nil], counts.counts) {
            cumulative += count
            let text = bound.map(Self.text) ?? "+Inf"
            sample(name + "_bucket", labels + [("le", text)], Double(cumulative))
        }
        sample(name + "_sum", labels, counts.sum)
        sample(name + "_count", labels, Double(cumulative))
    }

    mutating func finish() -> [UInt8] {
        if isOpenMetrics { bytes.append("# EOF\n") }
        return bytes
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? String(Int(value)) : "\(value)"
    }

    private mutating func number(_ value: Double) { bytes.append(Self.text(value)) }

    private mutating func escape(_ value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append("\\\\")
            case UInt8(ascii: "\""): bytes.append("\\\"")
            case 0x0a: bytes.append("\\n")
            default: bytes.append(byte)
            }
        }
    }
}
