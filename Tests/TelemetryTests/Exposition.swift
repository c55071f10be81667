// A strict reader of the exposition formats, so that the tests judge by the grammar.

import Testing

/// What a scrape said.
struct Exposition {
    struct Family {
        var help = ""
        var type = ""
        var samples: [Sample] = []
    }

    struct Sample {
        var name = ""
        var labels: [(name: String, value: String)] = []
        var value = 0.0
        var exemplar: String?

        /// The sample as it would be asked for: `name{label="value"}`.
        var key: String {
            labels.isEmpty
                ? name
                : name + "{" + labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",")
                    + "}"
        }
    }

    struct Mistake: Error { let text: String }

    private(set) var families: [(name: String, family: Family)] = []

    /// Reads a whole exposition, or throws at the first line that the grammar does not allow.
    init(_ bytes: [UInt8], isOpenMetrics: Bool) throws {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Mistake(text: "no UTF-8")
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.popLast() == "" else { throw Mistake(text: "no line feed at the end") }
        if isOpenMetrics, lines.popLast() != "# EOF" { throw Mistake(text: "no EOF") }
        for line in lines {
            if line.hasPrefix("# HELP ") {
                let words = line.dropFirst(7).split(separator: " ", maxSplits: 1)
                guard words.count == 2 else { throw Mistake(text: "HELP: \(line)") }
                families.append((String(words[0]), Family(help: String(words[1]))))
            } else if line.hasPrefix("# TYPE ") {
                try readType(line)
            } else if isOpenMetrics, line.hasPrefix("# UNIT ") {
                try readUnit(line)
            } else {
                try readSample(line, isOpenMetrics)
            }
        }
        for (name, family) in families { try check(name, family) }
        let names = families.map(\.name)
        guard names == names.sorted(), Set(names).count == names.count else {
            throw Mistake(text: "families are repeated or not sorted")
        }
    }

    private mutating func readType(_ line: Substring) throws {
        let words = line.dropFirst(7).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, families.last?.name == String(words[0]),
            families[families.count - 1].family.type.isEmpty,
            ["counter", "gauge", "histogram"].contains(words[1])
        else { throw Mistake(text: "TYPE: \(line)") }
        families[families.count - 1].family.type = String(words[1])
    }

    private func readUnit(_ line: Substring) throws {
        let words = line.dropFirst(7).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, let family = families.last, family.name == String(words[0]),
            family.name.hasSuffix("_" + words[1]), family.family.samples.isEmpty
        else { throw Mistake(text: "UNIT: \(line)") }
    }

    private mutating func readSample(_ line: Substring, _ isOpenMetrics: Bool) throws {
        var scanner = LineScanner(Array(line.utf8))
        var sample = Sample()
        sample.name = try scanner.name()
        sample.labels = try scanner.labels()
        if isOpenMetrics { sample.exemplar = try scanner.exemplar() }
        sample.value = try scanner.value()
        guard let (name, family) = families.last else { throw Mistake(text: "no family") }
        let suffixes: [String] =
            switch family.type {
            case "histogram": ["_bucket", "_sum", "_count"] + (isOpenMetrics ? ["_created"] : [])
            case "counter": isOpenMetrics ? ["_total", "_created"] : [""]
            default: [""]
            }
        guard suffixes.contains(where: { sample.name == name + $0 }) else {
            throw Mistake(text: "\(sample.name) is no sample of \(name)")
        }
        families[families.count - 1].family.samples.append(sample)
    }

    private func check(_ name: String, _ family: Family) throws {
        guard !family.help.isEmpty, !family.type.isEmpty, !family.samples.isEmpty else {
            throw Mistake(text: "\(name) is incomplete")
        }
        let keys = family.samples.map(\.key)
        guard Set(keys).count == keys.count else { throw Mistake(text: "\(name) is repeated") }
        if family.type == "counter" {
            guard family.samples.allSatisfy({ $0.value >= 0 }) else {
                throw Mistake(text: "\(name) is negative")
            }
        }
        if family.type == "histogram" { try checkHistogram(name, family.samples) }
    }

    /// Buckets ascend, the last is `+Inf` and equals the count.
    private func checkHistogram(_ name: String, _ samples: [Sample]) throws {
        var bound = -Double.infinity
        var below = 0.0
        for sample in samples {
            if sample.name.hasSuffix("_bucket") {
                guard let last = sample.labels.last, last.name == "le",
                    let next = Double(last.value.replacing("+Inf", with: "inf")), next > bound,
                    sample.value >= below
                else { throw Mistake(text: "bucket \(sample.key) of \(name)") }
                (bound, below) = (next, sample.value)
            } else if sample.name.hasSuffix("_count") {
                guard bound == .infinity, sample.value == below else {
                    throw Mistake(text: "count of \(name)")
                }
                (bound, below) = (-.infinity, 0)
            }
        }
    }

    /// The value of a sample; nil if it is not there.
    subscript(key: String) -> Double? {
        families.lazy.flatMap(\.family.samples).first { $0.key == key }?.value
    }

    var seriesCount: Int { families.reduce(0) { $0 + $1.family.samples.count } }
}

/// Reads one sample line byte by byte.
private struct LineScanner {
    let bytes: [UInt8]
    var index = 0
    private var end: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        end = bytes.count
    }

    private func fail(_ text: String) -> Exposition.Mistake {
        Exposition.Mistake(text: text + ": " + String(decoding: bytes, as: UTF8.self))
    }

    private var byte: UInt8 { index < bytes.count ? bytes[index] : 0 }

    mutating func name() throws -> String {
        let start = index
        while UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || byte == UInt8(ascii: "_")
            || index > start && UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
        {
            index += 1
        }
        guard index > start else { throw fail("no name") }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    mutating func labels() throws -> [(name: String, value: String)] {
        var labels: [(name: String, value: String)] = []
        guard byte == UInt8(ascii: "{") else { return labels }
        repeat {
            index += 1
            let label = try name()
            guard byte == UInt8(ascii: "=") else { throw fail("no =") }
            index += 1
            labels.append((label, try quoted()))
        } while byte == UInt8(ascii: ",")
        guard byte == UInt8(ascii: "}") else { throw fail("no }") }
        index += 1
        return labels
    }

    private mutating func quoted() throws -> String {
        guard byte == UInt8(ascii: "\"") else { throw fail("no quote") }
        index += 1
        var value: [UInt8] = []
        while byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") {
                index += 1
                switch byte {
                case UInt8(ascii: "n"): value.append(0x0a)
                case UInt8(ascii: "\\"), UInt8(ascii: "\""): value.append(byte)
                default: throw fail("bad escape")
                }
            } else {
                guard index < bytes.count else { throw fail("no end quote") }
                value.append(byte)
            }
            index += 1
        }
        index += 1
        return String(decoding: value, as: UTF8.self)
    }

    /// What stands behind the value: `# {trace_id="…"} 0.5 1763989740.123`.
    mutating func exemplar() throws -> String? {
        guard let sign = bytes[index...].firstIndex(of: UInt8(ascii: "#")) else { return nil }
        let start = index
        (index, end) = (sign + 2, sign - 1)
        let labels = try labels()
        let numbers = bytes[index...].split(separator: 0x20).map {
            Double(String(decoding: $0, as: UTF8.self))
        }
        index = start
        guard labels.map(\.name) == ["trace_id"], numbers.count == 2, !numbers.contains(nil) else {
            throw fail("exemplar")
        }
        return labels[0].value
    }

    mutating func value() throws -> Double {
        guard byte == 0x20, index + 1 < end else { throw fail("no value") }
        let text = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
        guard let value = Double(text), !text.contains(" ") else { throw fail("bad value") }
        return value
    }
}
