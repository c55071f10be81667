// The table of settings, for a terminal and for the documents.

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
        let lines = Setting.Group.allCases.flatMap { group in
            [
                "", "### \(group.rawValue)", "", "| Variable | Default | Values | Meaning |",
                "|---|---|---|---|",
            ] + all.filter { $0.group == group }.map(\.markdownRow)
        }
        return Array(lines.dropFirst())
    }
}

extension Setting {
    fileprivate var markdownRow: String {
        let spellings = ([name] + aliases).map { "`\($0)`" }.joined(separator: ", ")
        let also = aliases.isEmpty ? "also" : "each also"
        let files = isSecret ? ", \(also) with `_FILE`" : ""
        let fallback = defaultValue.map { "`\($0)`" } ?? fallback
        return "| \(spellings)\(files) | \(fallback) | \(values) | \(Self.escaped(meaning)) |"
    }

    /// What may be written, as short as a table wants it.
    private var values: String {
        switch kind {
        case .choice(let values): values.map { "`\($0)`" }.joined(separator: " ")
        case .text: "text"
        case .secret: "a key"
        case .secrets: "keys, by comma"
        case .url, .path, .proxy, .list, .origins, .modelMap, .object, .host, .port, .socket, .flag,
            .size,
            .memory, .rates, .budgets, .duration, .number:
            Self.escaped(allowed)
        }
    }

    /// Stars are emphasis in Markdown.
    private static func escaped(_ text: String) -> String {
        String(text.flatMap { $0 == "*" ? ["\\", $0] : [$0] })
    }
}
