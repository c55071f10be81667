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
        if isJSON { bytes.append("{\"ts\":\"") }
        bytes.append(timestamp: Int(clamping: nanoseconds))
        if isJSON {
            bytes.append(UInt8(ascii: "\""))
            add("level", level)
            add("msg", message)
        } else {
            bytes.append(UInt8(ascii: " "))
            bytes.append(level)
            bytes.append(UInt8(ascii: " "))
            bytes.append(contentsOf: Self.capped(message).map { $0 < 0x20 ? 0x20 : $0 })
        }
    }

    /// Adds a text, at most so many bytes of it; empty ones are left out.
    package mutating func add(_ key: StaticString, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        name(key)
        guard isJSON else { return plain(value) }
        bytes.append(UInt8(ascii: "\""))
        json(value)
        bytes.append(UInt8(ascii: "\""))
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
        bytes.append(UInt8(ascii: "."))
        let rest = micros % 1000
        if rest < 100 { bytes.append(UInt8(ascii: "0")) }
        if rest < 10 { bytes.append(UInt8(ascii: "0")) }
        bytes.append(decimal: rest)
    }

    /// The line with its line feed.
    package consuming func finish() -> [UInt8] {
        if isJSON { bytes.append(UInt8(ascii: "}")) }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private mutating func name(_ key: StaticString) {
        guard isJSON else {
            bytes.append(UInt8(ascii: " "))
            bytes.append(key)
            return bytes.append(UInt8(ascii: "="))
        }
        // In one piece: a line has twenty of them.
        bytes.append(addingCapacity: key.utf8CodeUnitCount + 4) { (free: inout OutputSpan<UInt8>) in
            free.append(UInt8(ascii: ","))
            free.append(UInt8(ascii: "\""))
            unsafe free.withUnsafeMutableBufferPointer { room, count in
                count += unsafe room.extracting(count...).update(fromContentsOf: key.bytes)
            }
            free.append(UInt8(ascii: "\""))
            free.append(UInt8(ascii: ":"))
        }
    }

    /// Longest text of a field; clients choose the names of models.
    private static let textBytesMax = 1024

    private mutating func json(_ value: String) {
        var text = value
        let isPlain = text.withUTF8 { bytes in
            guard bytes.count <= Self.textBytesMax, unsafe bytes.allSatisfy(Self.isPlain) else {
                return false
            }
            unsafe self.bytes.append(contentsOf: bytes)
            return true
        }
        if isPlain { return }
        for byte in Self.capped(value) {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append("\\\\")
            case UInt8(ascii: "\""): bytes.append("\\\"")
            case 0..<0x20, 0x7f: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
    }

    /// Whether a byte may stand in a JSON string as it is.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// A text for a person; one with spaces gets quotes, so that the next field can be told.
    private mutating func plain(_ value: String) {
        let text = Self.capped(value)
        let isWord = text.allSatisfy {
            $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
        }
        if isWord { return bytes.append(contentsOf: text) }
        bytes.append(UInt8(ascii: "\""))
        json(value)
        bytes.append(UInt8(ascii: "\""))
    }

    /// The first bytes of a text, cut between two characters.
    private static func capped(_ value: String) -> Substring.UTF8View {
        let text = value.utf8
        guard text.count > textBytesMax else { return value[...].utf8 }
        var end = text.index(text.startIndex, offsetBy: textBytesMax)
        while text[end] & 0xc0 == 0x80 { text.formIndex(before: &end) }
        return value[..<end].utf8
    }
}
