// The log: one line, one `write`.
internal import Configuration
internal import EventLoop
internal import Glibc
internal import Telemetry

/// Writes lines to standard error; for every thread.
struct Log: Sendable {
    let level: Settings.LogLevel
    let isJSON: Bool

    /// Writes a line at a level, when that level is on.
    func write(
        _ level: Settings.LogLevel, _ message: String, _ fields: (inout LogLine) -> Void = { _ in }
    ) {
        guard level >= self.level, self.level != .off else { return }
        var line = LogLine(
            isJSON: isJSON, nanoseconds: WallClock.nanoseconds(), level: level.rawValue,
            message: message)
        fields(&line)
        let bytes = line.finish()
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
