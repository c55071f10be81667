// What there is to say about one metric.

/// The declaration of a metric.
struct MetricDefinition: Sendable {
    enum Kind: Sendable, Equatable {
        case counter, gauge
        /// Upper bounds of the buckets, and how many units of its sum make one.
        case histogram(bounds: [Double], unitsPerOne: Double)
    }

    /// The name with its prefix.
    let name: String
    let help: String
    let kind: Kind
    let labels: [MetricLabel]
    /// Whether series stand in a scrape before anything happened: then `rate` sees the first event.
    private(set) var isShownFromStart: Bool
    /// Whether name, labels and meaning stay as they are until a new major version.
    private(set) var isStable = true

    private init(
        _ name: String, _ help: String, _ kind: Kind, _ labels: [MetricLabel],
        prefix: String = "claude_sidecar_"
    ) {
        self.name = prefix + name
        self.help = help
        self.kind = kind
        self.labels = labels
        isShownFromStart = labels.allSatisfy(\.isClosed)
    }

    /// The same metric, about which nothing is promised yet.
    var unstable: MetricDefinition {
        var other = self
        other.isStable = false
        return other
    }

    /// The same metric, hidden until something is counted.
    ///
    /// For what not every deployment measures: a zero would claim that it was looked at.
    var shownWhenTouched: MetricDefinition {
        var other = self
        other.isShownFromStart = false
        return other
    }

    static func counter(_ name: String, _ help: String, _ labels: [MetricLabel]) -> Self {
        Self(name, help, .counter, labels)
    }

    static func gauge(_ name: String, _ help: String, _ labels: [MetricLabel]) -> Self {
        Self(name, help, .gauge, labels)
    }

    static func seconds(
        _ name: String, _ help: String, _ labels: [MetricLabel], _ bounds: [Double]
    ) -> Self {
        // Nanoseconds in 64 bits: enough for three hundred years.
        Self(name, help, .histogram(bounds: bounds, unitsPerOne: 1e9), labels)
    }

    static func amounts(
        _ name: String, _ help: String, _ labels: [MetricLabel], _ bounds: [Double]
    ) -> Self {
        Self(name, help, .histogram(bounds: bounds, unitsPerOne: 1), labels)
    }

    /// A metric whose name others have chosen.
    static func foreign(
        _ name: String, _ help: String, _ kind: Kind, _ labels: [MetricLabel] = []
    ) -> Self {
        Self(name, help, kind, labels, prefix: "")
    }

    static func ratio(_ name: String, _ help: String, _ bounds: [Double]) -> Self {
        Self(name, help, .histogram(bounds: bounds, unitsPerOne: 1e6), []).shownWhenTouched
    }
}

/// Upper bounds of buckets.
enum Buckets {
    /// OpenTelemetry's list for model servers, two steps longer for agents.
    static let exchange = [
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
        163.84, 327.68,
    ]
    static let overhead = [
        0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
    ]
    static let firstToken = [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20,
        40, 80,
    ]
    static let perToken = [
        0.001, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5,
    ]
    /// Around the 20 and 180 seconds after which clients complain and give up.
    static let silence = [0.1, 0.5, 1, 2, 5, 10, 20, 60, 180, 300]
    static let bodies = (0..<9).map { Double(1024 << (2 * $0)) }
    static let tokens = (0..<14).map { Double(1 << (2 * $0)) }
    /// OpenMetrics allows no sum beside negative buckets, so a signed error would have no mean.
    static let aroundOne = [0.25, 0.5, 0.75, 0.9, 0.95, 1, 1.05, 1.1, 1.25, 1.5, 2]
    static let tenths = (0...10).map { Double($0) / 10 }
    static let connect = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
    static let lag = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1,
    ]
}
