// How durations, sizes and the like are written.

extension EnvironmentReader {
    /// Reads `250ms`, `10s`, `5m`, `1h`, or a number of seconds.
    static func duration(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
        let unit = units.first { text.hasSuffix($0.0) }
        let digits = unit.map { String(text.dropLast($0.0.count)) } ?? text
        guard isDecimal(digits), let value = Double(digits), value < 1e9 else { return nil }
        let milliseconds = value * (unit?.1 ?? 1) * 1000
        return milliseconds < 1e12 ? .milliseconds(Int(milliseconds.rounded())) : nil
    }

    /// Reads `32MiB`, `64kB`, or a number of bytes.
    static func bytes(_ text: String) -> Int? {
        let units: [(String, Int)] = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("Ki", 1 << 10),
            ("Mi", 1 << 20), ("Gi", 1 << 30), ("kB", 1000), ("KB", 1000), ("MB", 1_000_000),
            ("GB", 1_000_000_000), ("B", 1),
        ]
        let unit = units.first { text.hasSuffix($0.0) }
        let digits = unit.map { String(text.dropLast($0.0.count)) } ?? text
        guard let value = number(digits), value > 0 else { return nil }
        let (bytes, isTooLarge) = value.multipliedReportingOverflow(by: unit?.1 ?? 1)
        return isTooLarge ? nil : bytes
    }

    static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }

    /// Reads digits alone: no sign, no `0x`, no `1e3`.
    static func number(_ text: String) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    /// Reads an address or a name, also `[::1]`.
    static func host(_ text: String) -> String? {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let host = isBracketed ? String(text.dropFirst().dropLast()) : text
        let colons = host.utf8.filter { $0 == UInt8(ascii: ":") }.count
        let isValid = host.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"),
                UInt8(ascii: "%"):
                true
            default: false
            }
        }
        // One colon is a port, which has a setting of its own; an IPv6 address has at least two.
        return isValid && !host.isEmpty && colons != 1 ? host : nil
    }

    /// The parts between commas, without blanks and without empty ones.
    static func list(_ text: String) -> [String] {
        text.split { $0 == "," || $0.isNewline }.map { String($0).trimmed }
            .filter { !$0.isEmpty }
    }

    /// Reads what browsers send as `Origin`: a scheme, a host in small letters, perhaps a port.
    static func origins(_ text: String) -> [String]? {
        guard text.isPrintable else { return nil }
        let origins = list(text)
        let isGood = origins.allSatisfy { origin in
            guard origin != "*" else { return origins.count == 1 }
            guard let colon = origin.firstIndex(of: ":") else { return false }
            let rest = origin[colon...]
            return rest.hasPrefix("://") && rest.count > 3 && origin == origin.lowercased()
                && !rest.dropFirst(3).contains { "/*?#@ ".contains($0) }
        }
        return isGood && !origins.isEmpty ? origins : nil
    }

    private static func isDecimal(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { !$0.isEmpty && number(String($0)) != nil }
    }
}
