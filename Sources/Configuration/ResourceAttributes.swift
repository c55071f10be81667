// OpenTelemetry's description of what is running.

/// The pairs of `OTEL_RESOURCE_ATTRIBUTES`: `key=value` by comma, values percent-encoded.
struct ResourceAttributes {
    private var pairs: [(key: String, value: String)] = []

    init() {}

    /// Reads the pairs; nil if one has no key or a broken escape.
    init?(_ text: String) {
        for pair in EnvironmentReader.list(text) {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty, let value = Self.decoded(sides[1]) else {
                return nil
            }
            pairs.append((String(sides[0]).trimmed, value))
        }
    }

    /// The pairs as labels, each once; the service's own name wins over an attribute.
    func labels(serviceName: String?) -> [(label: String, value: String)] {
        var labels = serviceName.map { [(label: "service_name", value: $0)] } ?? []
        for (key, value) in pairs {
            let label = Self.label(key)
            if !labels.contains(where: { $0.label == label }) {
                labels.append((label: label, value: value))
            }
        }
        return labels
    }

    /// `service.version` as Prometheus writes it: `service_version`.
    private static func label(_ key: String) -> String {
        let name = String(
            key.unicodeScalars.map { scalar -> Character in
                let isLetter = scalar.isASCII && scalar.properties.isAlphabetic
                let isDigit = ("0"..."9").contains(scalar)
                return isLetter || isDigit ? Character(scalar) : "_"
            })
        return name.first?.isNumber == true ? "_" + name : name
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(Substring(digits)), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
