// What an operator may look at and change: the settings, the weight of the log.
internal import Configuration
internal import JSON
internal import Telemetry

extension AdminEndpoint {
    /// The effective settings as `check` shows them; secrets are stars.
    static let showConfiguration = AdminEndpoint(
        method: "GET", path: "/debug/config", isLocal: true
    ) { request in
        var text = JSONWriter()
        text.beginObject()
        text.key("version")
        text.string(SharedState.version)
        text.key("endpoints")
        text.beginObject()
        for upstream in request.shared.upstreams {
            text.key(upstream.settings.name)
            text.string(upstream.shownURL)
        }
        text.endObject()
        text.key("settings")
        text.beginObject()
        for line in request.shared.settings.describe() {
            // `NAME = value (set)`
            let sides = line.split(separator: "=", maxSplits: 1)
            guard sides.count == 2 else { continue }
            text.key(String(sides[0].dropLast()))
            text.string(String(sides[1].dropFirst()))
        }
        text.endObject()
        text.endObject()
        return .json(text.finish().contiguous() + [0x0a])
    }

    static let showLogLevel = AdminEndpoint(
        method: "GET", path: "/debug/log-level", isLocal: true
    ) { request in
        .text(request.shared.log.threshold.level.rawValue + "\n")
    }

    /// `curl -X PUT -d debug http://127.0.0.1:9464/debug/log-level`, until the process ends.
    static let changeLogLevel = AdminEndpoint(
        method: "PUT", path: "/debug/log-level", isLocal: true
    ) { request in
        let name = String(decoding: request.body, as: UTF8.self).filter(\.isLetter).lowercased()
        guard let level = Settings.LogLevel(rawValue: name) else {
            let names = Settings.LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
            return .refused(status: 400, message: "log level: expected one of \(names)")
        }
        let log = request.shared.log
        log.threshold.level = level
        log.announce(.info, "log level changed") { line in
            line.add("log_level", level.rawValue)
        }
        return .text(level.rawValue + "\n")
    }
}
