// The log: one line, one `write`.
internal import Configuration
internal import EventLoop
internal import Glibc
internal import Telemetry

/// Writes lines to standard error; for every thread.
struct Log: Sendable {
    private let level: Settings.LogLevel
    private let isJSON: Bool
    /// Where in a cluster this process runs, if it was told.
    private let place: (pod: String?, namespace: String?, node: String?)

    init(_ settings: Settings) {
        level = settings.logLevel
        isJSON = settings.logFormat == .json
        place = (settings.podName, settings.podNamespace, settings.nodeName)
    }

    /// Writes a line at a level, when that level is on.
    func write(
        _ level: Settings.LogLevel, _ message: String, _ fields: (inout LogLine) -> Void = { _ in }
    ) {
        guard level >= self.level, self.level != .off else { return }
        var line = LogLine(
            isJSON: isJSON, nanoseconds: WallClock.nanoseconds(), level: level.rawValue,
            message: message)
        fields(&line)
        line.add("pod", place.pod)
        line.add("namespace", place.namespace)
        line.add("node", place.node)
        let bytes = line.finish()
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
