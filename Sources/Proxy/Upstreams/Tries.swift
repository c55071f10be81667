// What one exchange has tried so far, and where it may still go.

/// The attempts of one exchange; pure, whoever asks tells which upstream may be asked now.
struct Tries {
    /// Parameters that are healed in one request, at most.
    static let healsMax = 4

    /// Room for a connection is looked for so often, which takes two and a half seconds: clients
    /// that only just came may stay for one.
    private static let shortagesMax = 8

    private let firstChoice: Int
    /// Upstreams that were not asked yet, the next choice first.
    private var untried: [Int]
    /// Whether the upstream that is asked now is thought to be down, and nobody else is left.
    private(set) var isLastResort = false
    var heals = 0
    var retries = 0
    /// Whether a kept connection was found dead: no other kept one is trusted.
    var hasFoundStale = false
    private var shortages = 0

    /// The candidates by their places; there is at least one.
    init(_ places: [Int]) {
        firstChoice = places[0]
        untried = places
    }

    /// The upstream to ask first; when all are thought to be down the first choice is asked all the
    /// same, since a refusal of ours would help nobody.
    mutating func first(_ isAdmitted: (Int) -> Bool) -> Int {
        if let place = next(isAdmitted) { return place }
        isLastResort = true
        untried.removeFirst()
        return firstChoice
    }

    /// How long to wait for a descriptor; `nil` when it was waited for long enough.
    mutating func waitForDescriptor() -> Duration? {
        guard shortages < Self.shortagesMax else { return nil }
        shortages += 1
        return .milliseconds(5 << shortages)
    }

    /// The next upstream that may be asked.
    mutating func next(_ isAdmitted: (Int) -> Bool) -> Int? {
        guard let index = untried.firstIndex(where: isAdmitted) else { return nil }
        isLastResort = false
        return untried.remove(at: index)
    }
}
