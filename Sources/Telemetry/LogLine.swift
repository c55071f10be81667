// One line of the log.
internal import Bytes

/// A log line: JSON for machines, or text for a person at a terminal.
package struct LogLine {
    private var bytes: [UInt8] = []
    private let isJSON: Bool

    /// A line with its time (nanoseconds since 1970), level and message.
    package init(isJSON: Bool, nanoseconds: UInt64, level: String, message: String) {
        self.isJSON = isJSON
        bytes.reserveCapacity(512)
        bytes.append(isJSON ? "{\"ts\":\"" : "")
        appendTime(nanoseconds)
        if isJSON { bytes.append("\"") }
        if isJSON {
            add("level", level)
            add("msg", message)
        } else {
            bytes.append(" ")
            bytes.append(level)
            bytes.append(" ")
            plain(message)
        }
    }

    /// Adds a text, at most so many bytes of it; empty ones are left out.
    package mutating func add(_ key: StaticString, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        name(key)
        if isJSON { bytes.append("\"") }
        isJSON ? escape(value) : plain(value)
        if isJSON { bytes.append("\"") }
    }

    /// Adds a number.
    package mutating func add(_ key: StaticString, _ value: Int?) {
        guard let value else { return }
        name(key)
        bytes.append(decimal: value)
    }

    /// Adds a truth value.
    package mutating func add(_ key: StaticString, _ value: Bool) {
        name(key)
        bytes.append(value ? "true" : "false")
    }

    /// Adds milliseconds with three decimals.
    package mutating func add(_ key: StaticString, milliseconds nanoseconds: UInt64?) {
        guard let nanoseconds else { return }
        name(key)
        let micros = Int(nanoseconds / 1000)
        bytes.append(decimal: micros / 1000)
        bytes.append(".")
        let rest = micros % 1000
        if rest < 100 { bytes.append("0") }
        if rest < 10 { bytes.append("0") }
        bytes.append(decimal: rest)
    }

    /// The line with its line feed.
    package consuming func finish() -> [UInt8] {
        bytes.append(isJSON ? "}\n" : "\n")
        return bytes
    }

    private mutating func name(_ key: StaticString) {
        bytes.append(isJSON ? ",\"" : " ")
        bytes.append(key)
        bytes.append(isJSON ? "\":" : "=")
    }

    private mutating func escape(_ value: String) {
        for byte in value.utf8.prefix(1024) {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append("\\\\")
            case UInt8(ascii: "\""): bytes.append("\\\"")
            case 0..<0x20, 0x7f: bytes.append(" ")
            default: bytes.append(byte)
            }
        }
        // A cut in the middle of a character would be no UTF-8.
        while let last = bytes.last, last >= 0x80, value.utf8.count > 1024 { bytes.removeLast() }
    }

    private mutating func plain(_ value: String) {
        for byte in value.utf8.prefix(1024) { bytes.append(byte < 0x20 ? 0x20 : byte) }
    }

    /// RFC 3339 in UTC with milliseconds (days to date by Howard Hinnant's algorithm).
    private mutating func appendTime(_ nanoseconds: UInt64) {
        let seconds = Int(nanoseconds / 1_000_000_000)
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        digits(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4, "-")
        digits(month, 2, "-")
        digits(dayOfYear - (153 * shifted + 2) / 5 + 1, 2, "T")
        digits(seconds % 86_400 / 3600, 2, ":")
        digits(seconds % 3600 / 60, 2, ":")
        digits(seconds % 60, 2, ".")
        digits(Int(nanoseconds % 1_000_000_000 / 1_000_000), 3, "Z")
    }

    private mutating func digits(_ value: Int, _ width: Int, _ after: StaticString) {
        var limit = 1
        for _ in 1..<width { limit *= 10 }
        while limit > max(value, 1) {
            bytes.append("0")
            limit /= 10
        }
        bytes.append(decimal: value)
        bytes.append(after)
    }
}
