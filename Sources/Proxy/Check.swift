// `claude-sidecar check`: the effective settings, without starting anything.
package import Configuration
internal import EventLoop
internal import Translation

/// Explains a configuration.
package enum Check {
    /// Lines that say what would happen with these settings.
    package static func lines(_ settings: Settings) -> [String] {
        let address: ListenAddress =
            settings.unixPath.map { .unix(path: $0) }
            ?? .tcp(host: settings.host, port: settings.port)
        let keys = settings.clientKeys.count
        var lines = [
            "listens on        \(address.text)",
            "client keys       \(keys == 0 ? "none: open" : "\(keys), ***")",
        ]
        let isOnlyOne = settings.upstreams.count == 1
        for (place, upstream) in settings.upstreams.enumerated() {
            if !isOnlyOne { lines.append("upstream \(place + 1)        \(upstream.name)") }
            lines += describe(upstream, UpstreamServer(upstream, place: place, settings))
        }
        if let port = settings.adminPort {
            let admin = ListenAddress.tcp(host: settings.adminHost, port: port)
            lines.append("admin listener    \(admin.text)")
        }
        lines.append("model map")
        if settings.modelRules.isEmpty { lines.append("  every name      unchanged") }
        for rule in settings.modelRules {
            let padding = String(repeating: " ", count: max(1, 28 - rule.pattern.count))
            let upstream = rule.upstream.map { " on \($0)" } ?? ""
            lines.append("  \(rule.pattern)\(padding)\(rule.model ?? "unchanged")\(upstream)")
        }
        lines.append("settings")
        lines += settings.describe().map { "  \($0)" }
        return lines + (settings.warnings + missingFiles(settings)).map { "warning: \($0)" }
    }

    /// Files for TLS that are named and cannot be read: each handshake will fail.
    static func missingFiles(_ settings: Settings) -> [String] {
        var lines: [String] = []
        for named in settings.upstreams.flatMap(\.transport.paths) {
            let line = "\(named.variable): cannot read \(named.path)"
            if SmallFile.version(named.path) == nil, !lines.contains(line) { lines.append(line) }
        }
        return lines
    }

    private static func describe(
        _ upstream: UpstreamSettings, _ server: UpstreamServer
    ) -> [String] {
        var lines = ["posts to          \(server.shownURL)"]
        if let path = upstream.unixPath { lines.append("over the socket   \(path)") }
        switch upstream.interface {
        case .openai:
            let how = upstream.dialect == "auto" ? " (by its address)" : ""
            lines.append("dialect           \(server.dialect.name)\(how)")
        case .anthropic: lines.append("protocol          anthropic: passed through")
        }
        lines += [
            "upstream key      \(describe(upstream.key))",
            "authentication    \(upstream.authentication.rawValue)",
        ]
        if !upstream.models.isEmpty {
            lines.append("serves            \(upstream.models.joined(separator: ", "))")
        }
        return lines + upstream.modelRules.map { "  \($0.pattern) = \($0.model)" }
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
