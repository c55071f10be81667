// How far estimates of tokens are off for each upstream model.
internal import Synchronization

/// The running ratios of what upstreams count to what we estimate (translation 6.1).
///
/// There are two estimates. The rough one, by the size of the body, is free and every exchange has
/// it. The careful one costs more than the translation: only some exchanges are measured by it, the
/// first of a model and then one in sixteen.
final class TokenCalibration: Sendable {
    /// A ratio that follows what was seen last.
    private struct Ratio {
        private static let newest = 0.2

        var value = 1.0
        var samples = 0

        mutating func note(_ actual: Int, _ estimate: Int, within range: ClosedRange<Double>) {
            guard actual > 0, estimate > 0 else { return }
            let ratio = Double(actual) / Double(estimate)
            let bounded = min(max(ratio, range.lowerBound), range.upperBound)
            samples += 1
            value += (bounded - value) * max(Self.newest, 1 / Double(samples))
        }

        func applied(to estimate: Int) -> Int {
            max(1, Int((Double(estimate) * value).rounded()))
        }
    }

    private struct Entry {
        var rough = Ratio()
        var careful = Ratio()
        var exchanges = 0
    }

    /// More models than that are not remembered: their names come from clients.
    private static let modelsMax = 256
    private static let firstSamples = 4
    private static let interval = 16

    private let entries = Mutex<[String: Entry]>([:])

    /// Whether an exchange with a model is to be measured; counts it.
    func wantsSample(of model: String) -> Bool {
        entries.withLock { entries in
            guard entries[model] != nil || entries.count < Self.modelsMax else { return false }
            entries[model, default: Entry()].exchanges += 1
            guard let entry = entries[model] else { return false }
            return entry.careful.samples < Self.firstSamples
                || entry.exchanges % Self.interval == 0
        }
    }

    /// Learns from an upstream's own count.
    func learn(_ actual: Int, rough: Int, careful: Int?, of model: String) {
        entries.withLock { entries in
            guard entries[model] != nil else { return }
            // A picture is many bytes and few tokens.
            entries[model]?.rough.note(actual, rough, within: 0.05...4)
            if let careful { entries[model]?.careful.note(actual, careful, within: 0.5...2) }
        }
    }

    /// A rough estimate in the upstream's own measure.
    func calibrated(rough: Int, for model: String) -> Int {
        entries.withLock { $0[model]?.rough ?? Ratio() }.applied(to: rough)
    }

    /// A careful estimate in the upstream's own measure, and whether that is known.
    func calibrated(careful: Int, for model: String) -> (tokens: Int, isLearned: Bool) {
        let ratio = entries.withLock { $0[model]?.careful ?? Ratio() }
        return (ratio.applied(to: careful), ratio.samples > 0)
    }
}

/// What one exchange's input was estimated at.
struct TokenEstimate {
    var rough = 0
    var careful: Int?
}
