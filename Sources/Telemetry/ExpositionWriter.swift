// The two text formats that Prometheus reads.

internal import Bytes

/// Writes `text/plain; version=0.0.4`, or OpenMetrics 1.0.
struct ExpositionWriter {
    private let isOpenMetrics: Bool
    private var bytes: [UInt8] = []

    init(isOpenMetrics: Bool) {
        self.isOpenMetrics = isOpenMetrics
        bytes.reserveCapacity(32 << 10)
    }

    /// OpenMetrics names the family of a counter without `_total`; its samples keep it.
    func name(of family: MetricFamily) -> String {
        let isTotal = isOpenMetrics && family.kind == .counter && family.name.hasSuffix("_total")
        return isTotal ? String(family.name.dropLast(6)) : family.name
    }

    mutating func write(_ family: MetricFamily) {
        header(family)
        for sample in family.samples {
            switch (sample.value, family.kind) {
            case (.number(let value), _): line(family.name, sample.labels, value)
            case (.histogram(let counts, let sum), .histogram(let bounds, _)):
                histogram(family.name, sample.labels, bounds, counts)
                line(family.name + "_sum", sample.labels, sum)
                line(family.name + "_count", sample.labels, Double(counts.reduce(0, +)))
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
        escape(family.help, quotes: isOpenMetrics)
        bytes.append("\n# TYPE ")
        bytes.append(name)
        switch family.kind {
        case .counter: bytes.append(" counter\n")
        case .gauge: bytes.append(" gauge\n")
        case .histogram: bytes.append(" histogram\n")
        }
    }

    private mutating func histogram(
        _ name: String, _ labels: [(name: String, value: String)], _ bounds: [Double],
        _ counts: [Int]
    ) {
        var below = 0
        for (index, count) in counts.enumerated() {
            below += count
            let bound = index < bounds.count ? self.bound(bounds[index]) : "+Inf"
            line(name + "_bucket", labels + [(name: "le", value: bound)], Double(below))
        }
    }

    private mutating func line(
        _ name: String, _ labels: [(name: String, value: String)], _ value: Double
    ) {
        bytes.append(name)
        for (index, label) in labels.enumerated() {
            bytes.append(index == 0 ? "{" : ",")
            bytes.append(label.name)
            bytes.append("=\"")
            escape(label.value, quotes: true)
            bytes.append("\"")
        }
        if !labels.isEmpty { bytes.append("}") }
        bytes.append(" ")
        bytes.append(Self.number(value))
        bytes.append("\n")
    }

    /// OpenMetrics wants bounds to look like floating point numbers: `1.0`.
    private func bound(_ value: Double) -> String {
        isOpenMetrics ? value.description : Self.number(value)
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let isWhole = value == value.rounded() && value.magnitude < 1e15
        return isWhole ? String(Int(value)) : value.description
    }

    private mutating func escape(_ text: String, quotes: Bool) {
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
