// The two text formats that Prometheus reads.

internal import Bytes

/// Writes `text/plain; version=0.0.4`, or OpenMetrics 1.0.
struct ExpositionWriter {
    private let isOpenMetrics: Bool
    /// When counting began, in seconds since 1970: OpenMetrics says it of every counter.
    private let createdSeconds: Double
    private var bytes: [UInt8] = []

    init(_ format: ExpositionFormat, createdSeconds: Double) {
        isOpenMetrics = format == .openMetrics
        self.createdSeconds = createdSeconds
        bytes.reserveCapacity(64 << 10)
    }

    /// OpenMetrics names the family of a counter without `_total`; its samples keep it.
    func name(of family: MetricFamily) -> String {
        isOpenMetrics && family.definition.kind == .counter
            ? family.name.without("_total") : family.name
    }

    mutating func write(_ family: MetricFamily) {
        header(family)
        let name = self.name(of: family)
        for sample in family.samples {
            let labels = Self.rendered(sample.labels)
            switch (sample.value, family.definition.kind) {
            case (.number(let value), .counter):
                line(family.name, "", labels, value)
                created(name, labels)
            case (.number(let value), _): line(name, "", labels, value)
            case (.histogram(let counts, let sum), .histogram(let bounds, _)):
                buckets(name, labels, bounds, counts, sample.exemplars)
                line(name, "_sum", labels, sum)
                line(name, "_count", labels, Double(counts.reduce(0, +)))
                created(name, labels)
            case (.histogram, .counter), (.histogram, .gauge):
                preconditionFailure("Only a histogram has buckets.")
            }
        }
    }

    consuming func finish() -> [UInt8] {
        if isOpenMetrics { bytes.append("# EOF\n") }
        return bytes
    }

    private mutating func header(_ family: MetricFamily) {
        let name = self.name(of: family)
        bytes.append("# HELP ")
        bytes.append(name)
        bytes.append(" ")
        Self.escape(family.definition.help, quotes: isOpenMetrics, into: &bytes)
        bytes.append("\n# TYPE ")
        bytes.append(name)
        bytes.append(" ")
        bytes.append(family.definition.typeName)
        bytes.append("\n")
        guard isOpenMetrics, let unit = Self.unit(of: name) else { return }
        bytes.append("# UNIT ")
        bytes.append(name)
        bytes.append(" ")
        bytes.append(unit)
        bytes.append("\n")
    }

    /// The unit that a name ends with, as naming has it.
    private static func unit(of name: String) -> String? {
        ["seconds", "bytes", "ratio"].first { name.hasSuffix("_" + $0) }
    }

    private mutating func buckets(
        _ name: String, _ labels: [UInt8], _ bounds: [Double], _ counts: [Int],
        _ exemplars: [Int: Exemplar]
    ) {
        var below = 0
        for (index, count) in counts.enumerated() {
            below += count
            var bucket = labels
            if !bucket.isEmpty { bucket.append(",") }
            bucket.append("le=\"")
            bucket.append(index < bounds.count ? bound(bounds[index]) : "+Inf")
            bucket.append("\"")
            line(name, "_bucket", bucket, Double(below), exemplars[index])
        }
    }

    private mutating func created(_ name: String, _ labels: [UInt8]) {
        guard isOpenMetrics else { return }
        line(name, "_created", labels, createdSeconds)
    }

    private mutating func line(
        _ name: String, _ suffix: StaticString, _ labels: [UInt8], _ value: Double,
        _ exemplar: Exemplar? = nil
    ) {
        bytes.append(name)
        bytes.append(suffix)
        if !labels.isEmpty {
            bytes.append("{")
            bytes.append(contentsOf: labels)
            bytes.append("}")
        }
        bytes.append(" ")
        bytes.append(Self.number(value))
        if isOpenMetrics, let exemplar {
            bytes.append(" # {trace_id=\"")
            Self.escape(exemplar.traceID, quotes: true, into: &bytes)
            bytes.append("\"} ")
            bytes.append(Self.number(exemplar.value))
            bytes.append(" ")
            bytes.append(Self.number(exemplar.seconds))
        }
        bytes.append("\n")
    }

    /// OpenMetrics wants bounds to look like floating point numbers: `1.0`.
    private func bound(_ value: Double) -> String {
        isOpenMetrics ? value.description : Self.number(value)
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let isWhole = value == value.rounded() && value.magnitude < 1e15
        return isWhole ? String(Int(value)) : value.description
    }

    private static func rendered(_ labels: MetricFamily.Labels) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, label) in labels.enumerated() {
            if index > 0 { bytes.append(",") }
            bytes.append(label.name)
            bytes.append("=\"")
            escape(label.value, quotes: true, into: &bytes)
            bytes.append("\"")
        }
        return bytes
    }

    private static func escape(_ text: String, quotes: Bool, into bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append("\\\\")
            case UInt8(ascii: "\"") where quotes: bytes.append("\\\"")
            case 0x0a: bytes.append("\\n")
            default: bytes.append(byte)
            }
        }
    }
}

extension String {
    fileprivate func without(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
