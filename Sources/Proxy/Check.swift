// `claude-sidecar check`: the effective settings, without starting anything.
package import Configuration
internal import Translation

/// Explains a configuration.
package enum Check {
    /// Lines that say what would happen with these settings.
    package static func lines(_ settings: Settings) -> [String] {
        let dialect = Dialect.named(settings.dialect) ?? Dialect.detect(baseURL: settings.baseURL)
        let address = settings.unixPath.map { "unix:" + $0 } ?? "\(settings.host):\(settings.port)"
        let isDetected = settings.dialect == "auto"
        let keys = settings.clientKeys.count
        var lines = [
            "listens on        \(address)",
            "posts to          \(ChatEndpoint.url(base: settings.baseURL))",
            "dialect           \(dialect.name)\(isDetected ? " (by its address)" : "")",
            "upstream key      \(describe(settings.upstreamKey))",
            "authentication    \(settings.authentication.rawValue)",
            "client keys       \(keys == 0 ? "none: open" : "\(keys), ***")",
        ]
        if let port = settings.adminPort {
            lines.append("admin listener    \(settings.adminHost):\(port)")
        }
        lines.append("model map")
        if settings.modelRules.isEmpty { lines.append("  every name      unchanged") }
        for rule in settings.modelRules {
            let padding = String(repeating: " ", count: max(1, 28 - rule.pattern.count))
            lines.append("  \(rule.pattern)\(padding)\(rule.model ?? "unchanged")")
        }
        lines.append("set               \(settings.given.sorted().joined(separator: ", "))")
        return lines + settings.warnings.map { "warning: \($0)" }
    }

    private static func describe(_ source: SecretSource?) -> String {
        switch source {
        case nil: "none"
        case .value: "***"
        case .file(let path):
            switch SmallFile.version(path) {
            case nil: "*** from \(path), which cannot be read"
            case _?: "*** from \(path)"
            }
        }
    }
}
