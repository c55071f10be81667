// Which upstream model answers for which model name.

/// One rule of the map.
package struct ModelRule: Sendable, Equatable {
    /// A name, or a pattern in which `*` stands for any characters.
    package var pattern: String
    /// The upstream's model; `nil` sends the client's name unchanged.
    package var model: String?

    /// A rule for a name or pattern.
    package init(pattern: String, model: String?) {
        self.pattern = pattern
        self.model = model
    }

    /// Whether the rule is for a name.
    package func fits(_ name: String) -> Bool { Self.matches(name.utf8[...], pattern.utf8[...]) }

    /// Whether a name fits a pattern.
    ///
    /// Only the last `*` that was met ever takes more: no name makes it try all combinations.
    private static func matches(_ name: Substring.UTF8View, _ pattern: Substring.UTF8View) -> Bool {
        var (place, wanted) = (name.startIndex, pattern.startIndex)
        var star: (behind: Substring.Index, taken: Substring.Index)?
        while place < name.endIndex {
            if wanted < pattern.endIndex, pattern[wanted] == UInt8(ascii: "*") {
                wanted = pattern.index(after: wanted)
                star = (wanted, place)
            } else if wanted < pattern.endIndex, pattern[wanted] == name[place] {
                wanted = pattern.index(after: wanted)
                place = name.index(after: place)
            } else if let last = star {
                place = name.index(after: last.taken)
                star = (last.behind, place)
                wanted = last.behind
            } else {
                return false
            }
        }
        return pattern[wanted...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// The model map: exact names first, then patterns in order, else the client's name unchanged.
package struct ModelMap: Sendable {
    private let rules: [ModelRule]

    /// A map from its rules, in order.
    package init(rules: [ModelRule]) { self.rules = rules }

    /// The upstream's model for a client's name; Claude Code's suffix `[1m]` is not part of a name.
    package func resolve(_ name: String) -> String {
        let name = name.hasSuffix("[1m]") ? String(name.dropLast(4)) : name
        let rule =
            rules.first { $0.pattern == name }
            ?? rules.first { $0.fits(name) }
        return rule?.model ?? name
    }

    /// Upstream models that the rules name, each once, in order.
    package var upstreamModels: [String] { Self.unique(rules.compactMap(\.model)) }

    /// Names without `*` that clients may ask for, each once, in order.
    package var aliases: [String] { Self.unique(rules.map(\.pattern).filter { !$0.contains("*") }) }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}
