// How much of something a model may have: `60`, `gpt-5*=200k`, `1M/day`.

/// A limit for the upstream models that a pattern fits.
package struct ModelLimit: Sendable, Equatable {
    /// For how long an amount is.
    package enum Window: String, Sendable, CaseIterable {
        case minute, day, month
    }

    /// A name, or a pattern in which `*` stands for any characters.
    package let pattern: String
    /// How much.
    package let amount: Int
    /// In how long.
    package let window: Window

    /// A limit.
    package init(_ pattern: String, _ amount: Int, per window: Window) {
        self.pattern = pattern
        self.amount = amount
        self.window = window
    }
}

extension EnvironmentReader {
    /// Limits by comma, each for the models of its pattern, or for all.
    mutating func limits(_ setting: Setting) -> [ModelLimit] {
        let windows: [ModelLimit.Window]
        switch setting.kind {
        case .rates: windows = [.minute]
        case .budgets: windows = [.day, .month]
        default: return []
        }
        return value(setting, else: []) { text in
            guard text.isPrintable else { return nil }
            let parts = Self.list(text)
            let limits = parts.compactMap { Self.limit($0, windows) }
            return limits.count == parts.count ? limits : nil
        }
    }

    /// Reads `[PATTERN=]AMOUNT[/WINDOW]`; the window is left out where there is only one.
    static func limit(_ text: String, _ windows: [ModelLimit.Window]) -> ModelLimit? {
        var amount = text[...]
        var pattern = "*"
        if let equals = text.lastIndex(of: "=") {
            pattern = String(text[..<equals]).trimmed
            amount = text[text.index(after: equals)...]
        }
        var window = windows[0]
        if windows.count > 1 {
            guard let slash = amount.lastIndex(of: "/"),
                let named = ModelLimit.Window(
                    rawValue: String(amount[amount.index(after: slash)...]).trimmed.lowercased()),
                windows.contains(named)
            else { return nil }
            window = named
            amount = amount[..<slash]
        }
        guard !pattern.isEmpty, let count = Self.count(String(amount).trimmed) else { return nil }
        return ModelLimit(pattern, count, per: window)
    }

    /// Reads `500`, `200k`, `30M`, `2G`: at least one, and few enough to be added up.
    static func count(_ text: String) -> Int? {
        let units: [(String, Int)] = [
            ("k", 1000), ("K", 1000), ("M", 1_000_000), ("G", 1_000_000_000),
        ]
        let unit = units.first { text.hasSuffix($0.0) }
        let digits = unit.map { String(text.dropLast($0.0.count)) } ?? text
        guard let value = number(digits), value > 0 else { return nil }
        let (count, isTooLarge) = value.multipliedReportingOverflow(by: unit?.1 ?? 1)
        return isTooLarge || count > 1_000_000_000_000 ? nil : count
    }
}
