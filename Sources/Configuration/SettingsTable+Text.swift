// The table of settings, for a terminal and for the README.

extension SettingsTable {
    /// The table in aligned lines, group by group.
    package static var helpLines: [String] {
        let width = (all.map(\.name.count).max() ?? 0) + 2
        return Setting.Group.allCases.flatMap { group in
            ["", group.rawValue]
                + all.filter { $0.group == group }.map { setting in
                    let padding = String(repeating: " ", count: width - setting.name.count)
                    let fallback = setting.fallback.isEmpty ? "" : " [\(setting.fallback)]"
                    return "  \(setting.name)\(padding)\(setting.meaning)\(fallback)"
                }
        }
    }

    /// The table in Markdown, group by group.
    package static var markdownLines: [String] {
        Setting.Group.allCases.flatMap { group in
            ["", "### \(group.rawValue)", "", "| Name | Default | Meaning |", "|---|---|---|"]
                + all.filter { $0.group == group }.map { setting in
                    let names = ([setting.name] + setting.aliases).map { "`\($0)`" }
                    let secret = setting.isSecret ? " (also as `_FILE`)" : ""
                    let fallback = setting.defaultValue.map { "`\($0)`" } ?? setting.fallback
                    return "| \(names.joined(separator: ", "))\(secret) | \(fallback) | "
                        + "\(setting.meaning); \(setting.allowed) |"
                }
        }
    }
}
