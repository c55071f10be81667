// Finds the setting that a misspelt variable was meant to be.

/// Compares names by how many letters differ.
enum NameSuggestion {
    /// Names near ours that belong to others and are set on many machines.
    private static let foreign: Set<String> = [
        "HTTP_PROXY", "FTP_PROXY", "ftp_proxy", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL",
    ]

    /// The nearest name that is read, if it is near enough for a slip.
    static func nearest(to name: String, among known: Set<String>) -> String? {
        guard !known.contains(name), !foreign.contains(name),
            !name.hasPrefix(SettingsTable.headerPrefix)
        else { return nil }
        let letters = Array(name.uppercased().utf8)
        var best: (name: String, distance: Int)?
        for candidate in known {
            let count = candidate.utf8.count
            let most = min(slips(in: count), best?.distance ?? .max)
            guard abs(count - letters.count) <= most, !candidate.contains("<"),
                let distance = distance(letters, Array(candidate.utf8), atMost: most)
            else { continue }
            // Of two that are as near the one that comes first by name.
            if let best, (best.distance, best.name) < (distance, candidate) { continue }
            best = (candidate, distance)
        }
        return best?.name
    }

    /// What names begin with that nobody else has.
    private static let ours = ["UPSTREAM_", "DRAIN_", "RATE_LIMIT_", "REASONING_", "TOKEN_BUDGET"]

    /// Whether a name looks like one of ours, is none, and is not near one either.
    static func isUnknown(_ name: String, among known: Set<String>) -> Bool {
        // Kubernetes sets `UPSTREAM_SERVICE_HOST` and more for a service "upstream".
        let isLink = name.contains("_SERVICE_") || name.contains("_PORT")
        return ours.contains { name.hasPrefix($0) } && !known.contains(name) && !isLink
            && nearest(to: name, among: known) == nil
    }

    /// How many slips a name of so many letters bears before it could be anybody's: `HOST` is two
    /// letters from `HOME`.
    private static func slips(in count: Int) -> Int { count >= 10 ? 2 : count >= 6 ? 1 : 0 }

    /// Letters that must be added, removed, changed, or swapped with their neighbour; `nil` when
    /// that is more than so many.
    private static func distance(_ a: [UInt8], _ b: [UInt8], atMost most: Int) -> Int? {
        var last = Array(0...b.count)
        var (before, row) = (last, last)
        var lastLeast = 0
        for (i, x) in a.enumerated() {
            row[0] = i + 1
            var least = row[0]
            for (j, y) in b.enumerated() {
                var count = min(row[j] + 1, last[j + 1] + 1, last[j] + (x == y ? 0 : 1))
                if i > 0, j > 0, x == b[j - 1], y == a[i - 1] {
                    count = min(count, before[j - 1] + 1)
                }
                row[j + 1] = count
                least = min(least, count)
            }
            // No row has less than the least of the two before it.
            if least > most, lastLeast > most { return nil }
            lastLeast = least
            swap(&before, &last)
            swap(&last, &row)
        }
        return last[b.count] <= most ? last[b.count] : nil
    }
}
