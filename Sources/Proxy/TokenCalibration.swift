// How far estimates of tokens are off for each upstream model.
internal import Synchronization
internal import Translation

/// The running ratios of what upstreams count to what we estimate (translation 6.1).
///
/// There are two estimates. The rough one, by the size of the body, is free and every exchange has
/// it. The careful one costs more than the translation: only some exchanges are measured by it, the
/// first of a model and then one in sixteen, of those with long requests one in sixty-four.
final class TokenCalibration: Sendable {
    /// A ratio that follows what was seen last.
    ///
    /// Both sides are summed up, so that a long request says more than a short one: of the little
    /// in a short one much is the frame around the text, which servers render as they like.
    private struct Ratio {
        /// What a sum keeps of itself when the next sample comes.
        private static let kept = 0.8

        private var actual = 0.0
        private var estimate = 0.0
        private(set) var value = 1.0

        mutating func note(_ actual: Int, _ estimate: Int, within range: ClosedRange<Double>) {
            guard actual > 0, estimate > 0 else { return }
            // One count that cannot be must not outweigh what was seen before and comes after.
            let most = Double(estimate) * range.upperBound
            let least = Double(estimate) * range.lowerBound
            self.actual = self.actual * Self.kept + min(max(Double(actual), least), most)
            self.estimate = self.estimate * Self.kept + Double(estimate)
            value = self.actual / self.estimate
        }

        func applied(to estimate: Int) -> Int {
            max(1, Int((Double(estimate) * value).rounded()))
        }
    }

    private struct Entry {
        var rough = Ratio()
        var careful = TokenRatios()
        var exchanges = 0
    }

    /// More models than that are not remembered: their names come from clients.
    private static let modelsMax = 256
    private static let firstSamples = 4
    private static let interval = 16
    private static let longInterval = 64
    /// Tokens of a long request, roughly: 128 KB.
    private static let longTokens = 32 * 1024

    private let entries = Mutex<[String: Entry]>([:])

    /// Whether an exchange with a model is to be measured, its request being so long; counts it.
    func wantsSample(of model: String, rough: Int) -> Bool {
        entries.withLock { entries in
            guard entries[model] != nil || entries.count < Self.modelsMax else { return false }
            entries[model, default: Entry()].exchanges += 1
            guard let entry = entries[model] else { return false }
            return entry.careful.samples < Self.firstSamples
                || entry.exchanges
                    % (rough < Self.longTokens ? Self.interval : Self.longInterval) == 0
        }
    }

    /// Learns from an upstream's own count.
    func learn(_ actual: Int, rough: Int, careful: TokenCount?, of model: String) {
        entries.withLock { entries in
            guard entries[model] != nil else { return }
            // A picture is many bytes and few tokens.
            entries[model]?.rough.note(actual, rough, within: 0.05...4)
            if let careful { entries[model]?.careful.note(actual, careful) }
        }
    }

    /// A rough estimate in the upstream's own measure.
    func calibrated(rough: Int, for model: String) -> Int {
        entries.withLock { $0[model]?.rough ?? Ratio() }.applied(to: rough)
    }

    /// A careful estimate in the upstream's own measure, and whether that is known.
    func calibrated(
        careful: TokenCount, for model: String
    ) -> (tokens: Int, isLearned: Bool) {
        let ratios = entries.withLock { $0[model]?.careful ?? TokenRatios() }
        return (ratios.applied(to: careful), ratios.samples > 0)
    }
}

/// What one exchange's input was estimated at.
struct TokenEstimate: Sendable {
    var rough = 0
    var careful: TokenCount?

    init() {}
}
