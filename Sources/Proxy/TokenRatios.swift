// What an upstream counts, part by part, of what we estimate.
internal import Translation

/// The ratio of each part of an estimate to what the upstream counts of it, learned from sums.
///
/// A server tells one number for words, digits, other scripts and pictures together. What is known
/// of the parts is a Kalman filter's state: a request that is all Chinese moves the ratio of other
/// scripts, one that is all English leaves it where it is. One factor for all of a model was a
/// quarter off for Chinese among English.
struct TokenRatios: Sendable {
    /// How far a ratio may be from one, squared, when nothing is known, and how much less is known
    /// after each sample.
    private static let doubt = SIMD4(0.15, 0.15, 0.15, 0.15)
    private static let forgotten = 0.002
    /// How far an estimate may be off although the ratios are right, squared.
    private static let noise = 0.003
    /// Tokens of the frame around a request, which servers render as they like.
    private static let frame = 30.0
    /// A count beyond these, by what was estimated, cannot be.
    private static let credible = 0.4...2.5
    private static let range = (least: SIMD4(repeating: 0.3), most: SIMD4(repeating: 4.0))

    private(set) var samples = 0
    private var ratios = SIMD4(repeating: 1.0)
    /// The covariance, by columns.
    private var covariance = (0..<4).map { column in
        var doubt = SIMD4<Double>.zero
        doubt[column] = Self.doubt[column]
        return doubt
    }

    /// Learns from an upstream's count.
    mutating func note(_ actual: Int, _ count: TokenCount) {
        let estimate = count.parts.sum()
        guard actual > 0, estimate >= 1 else { return }
        samples += 1
        let shares = count.parts / estimate
        let told = Double(actual) / estimate
        let seen = min(max(told, Self.credible.lowerBound), Self.credible.upperBound)
        var gain = SIMD4<Double>.zero
        for column in 0..<4 {
            covariance[column][column] = min(
                covariance[column][column] + Self.forgotten, Self.doubt[column] * 2)
            gain += covariance[column] * shares[column]
        }
        let uncertainty =
            (gain * shares).sum() + Self.noise + (Self.frame / estimate) * (Self.frame / estimate)
        let step = gain * ((seen - (ratios * shares).sum()) / uncertainty)
        ratios = (ratios + step).clamped(lowerBound: Self.range.least, upperBound: Self.range.most)
        for column in 0..<4 { covariance[column] -= gain * (gain[column] / uncertainty) }
    }

    /// An estimate in the upstream's own measure.
    func applied(to count: TokenCount) -> Int {
        max(1, Int((ratios * count.parts).sum().rounded()))
    }
}
