// Reads values out of the environment and gathers every mistake.

/// Reads variables by name; a value that does not parse is a mistake, not the end.
struct EnvironmentReader {
    private let environment: [String: String]
    private(set) var mistakes: [String] = []
    private(set) var given: Set<String> = []

    init(_ environment: [String: String]) { self.environment = environment }

    /// The value under a name or one of its aliases; empty counts as not set.
    mutating func text(_ names: String...) -> String? { text(names) }

    mutating func text(_ names: [String]) -> String? {
        for name in names {
            guard let value = environment[name], !value.isEmpty else { continue }
            given.insert(name)
            return value
        }
        return nil
    }

    mutating func into<Value>(
        _ target: inout Value, _ name: String, allowed: String, _ parse: (String) -> Value?
    ) {
        guard let text = text(name) else { return }
        if let value = parse(text) {
            target = value
        } else {
            mistake(name, text, allowed)
        }
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ target: inout Value, _ name: String
    ) where Value.RawValue == String {
        let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
        into(&target, name, allowed: "one of \(allowed)") { Value(rawValue: $0.lowercased()) }
    }

    mutating func duration(_ target: inout Duration, _ name: String) {
        into(&target, name, allowed: "a duration like 250ms, 10s or 5m", Self.duration)
    }

    mutating func port(_ target: inout UInt16, _ name: String) {
        into(&target, name, allowed: "a port from 0 to 65535") { UInt16($0) }
        if let text = environment[name], text.hasPrefix("tcp://") {
            mistakes.append(
                "\(name): set by a Kubernetes service link; use enableServiceLinks: false")
        }
    }

    /// A secret by value or by file; the file wins.
    mutating func secret(_ name: String) -> SecretSource? {
        if let path = text(name + "_FILE") { return .file(path) }
        return text(name).map { .value(Secret($0)) }
    }

    mutating func mistake(_ name: String, _ value: String, _ allowed: String) {
        mistakes.append("\(name)=\(value): expected \(allowed)")
    }

    mutating func mistake(_ line: String) { mistakes.append(line) }

    /// Reads `250ms`, `10s`, `5m`, `1h`, or a number of seconds.
    static func duration(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
        let unit = units.first { text.hasSuffix($0.0) }
        let number = unit.map { String(text.dropLast($0.0.count)) } ?? text
        guard let value = Double(number), value.isFinite, value >= 0, value < 1e9 else {
            return nil
        }
        return .milliseconds(Int((value * (unit?.1 ?? 1) * 1000).rounded()))
    }

    /// Reads `32MiB`, `64kB`, or a number of bytes.
    static func bytes(_ text: String) -> Int? {
        let units: [(String, Int)] = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("kB", 1000), ("MB", 1_000_000),
            ("GB", 1_000_000_000), ("B", 1),
        ]
        let unit = units.first { text.hasSuffix($0.0) }
        let number = unit.map { String(text.dropLast($0.0.count)) } ?? text
        guard let value = Int(number), value > 0 else { return nil }
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
}
