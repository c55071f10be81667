// The log: whole lines, to standard error.
internal import Configuration
internal import EventLoop
internal import Synchronization
internal import Telemetry

/// Writes lines to standard error; for every thread.
struct Log: Sendable {
    let threshold: LogThreshold
    let writer = LogWriter()
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

    /// Adds a line to those of a worker, when its level is on.
    func write(
        _ level: Settings.LogLevel, _ message: String, to lines: inout LogLines,
        _ fields: (inout LogLine) -> Void
    ) {
        let least = threshold.level
        guard level >= least, least != .off else { return }
        lines.add(line(level, message, fields), writer)
    }

    /// Writes a line whatever level is on: what somebody may wait for, such as the port.
    func announce(
        _ level: Settings.LogLevel, _ message: String, _ fields: (inout LogLine) -> Void = { _ in }
    ) {
        writer.write(line(level, message, fields))
    }

    private func line(
        _ level: Settings.LogLevel, _ message: String, _ fields: (inout LogLine) -> Void
    ) -> [UInt8] {
        var line = LogLine(
            isJSON: isJSON, nanoseconds: WallClock.nanoseconds(), level: level.rawValue,
            message: message)
        fields(&line)
        line.add("pod", place.pod)
        line.add("namespace", place.namespace)
        line.add("node", place.node)
        return line.finish()
    }
}

/// Lines that go out together: those of the exchanges that a worker ends in one round.
struct LogLines {
    private var bytes: [UInt8] = []

    mutating func add(_ line: [UInt8], _ writer: LogWriter) {
        if bytes.count + line.count > StandardError.wholeBytesMax { flush(to: writer) }
        bytes.append(contentsOf: line)
    }

    mutating func flush(to writer: LogWriter) {
        guard !bytes.isEmpty else { return }
        writer.write(bytes)
        bytes.removeAll(keepingCapacity: true)
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
