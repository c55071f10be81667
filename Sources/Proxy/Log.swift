// The log: one line, one `write`.
internal import Configuration
internal import EventLoop
internal import Glibc
internal import Synchronization
internal import Telemetry

/// Writes lines to standard error; for every thread.
struct Log: Sendable {
    let threshold: LogThreshold
    private let isJSON: Bool
    /// Where in a cluster this process runs, if it was told.
    private let place: (pod: String?, namespace: String?, node: String?)

    init(_ settings: Settings) {
        threshold = LogThreshold(settings.logLevel)
        isJSON = settings.logFormat == .json
        place = (settings.podName, settings.podNamespace, settings.nodeName)
    }

    /// Writes a line at a level, when that level is on.
    func write(
        _ level: Settings.LogLevel, _ message: String, _ fields: (inout LogLine) -> Void = { _ in }
    ) {
        let least = threshold.level
        guard level >= least, least != .off else { return }
        announce(level, message, fields)
    }

    /// Writes a line whatever level is on: what somebody may wait for, such as the port.
    func announce(
        _ level: Settings.LogLevel, _ message: String, _ fields: (inout LogLine) -> Void = { _ in }
    ) {
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

/// From what weight on lines are written; can be changed while the process runs.
final class LogThreshold: Sendable {
    private let order: Atomic<Int>

    init(_ level: Settings.LogLevel) { order = Atomic(level.labelIndex) }

    var level: Settings.LogLevel {
        get { Settings.LogLevel.allCases[order.load(ordering: .relaxed)] }
        set { order.store(newValue.labelIndex, ordering: .relaxed) }
    }
}
