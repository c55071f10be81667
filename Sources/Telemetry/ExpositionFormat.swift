// Which form a scraper wants its answer in.

/// The two text formats.
package enum ExpositionFormat: Sendable, CaseIterable {
    case text, openMetrics

    /// The value of `content-type`.
    package var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// The format that an `Accept` header likes best; plain text when it likes both as much, or
    /// neither: a scraper that gets what it did not ask for can still say so.
    package init(accept: String?) {
        let ranges = PreferenceList(accept ?? "")
        let plain = ranges.quality(of: "text/plain", version: "0.0.4")
        let open = ranges.quality(of: "application/openmetrics-text", version: "1.0.0")
        self = open > plain ? .openMetrics : .text
    }

    /// Whether an `Accept-Encoding` header lets an answer be gzip.
    package static func allowsGzip(acceptEncoding: String?) -> Bool {
        PreferenceList(acceptEncoding ?? "").quality(of: "gzip", version: "") > .zero
    }
}

/// A header's list of what is wanted, each with a weight (RFC 9110, section 12.4.2).
private struct PreferenceList {
    /// How much something is wanted; at the same weight, what was named goes before what a star
    /// covers.
    struct Quality: Comparable {
        static let zero = Quality(thousandths: 0, precision: 0)

        let thousandths: Int
        let precision: Int

        static func < (a: Quality, b: Quality) -> Bool {
            (a.thousandths, a.thousandths > 0 ? a.precision : 0)
                < (b.thousandths, b.thousandths > 0 ? b.precision : 0)
        }
    }

    private struct Range {
        let name: String
        var version: String?
        var thousandths = 1000
    }

    private let ranges: [Range]

    init(_ header: String) {
        ranges = header.lowercased().split(separator: ",").map { item in
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            var range = Range(name: parts.first ?? "")
            for part in parts.dropFirst() {
                if part.hasPrefix("q=") { range.thousandths = Self.thousandths(part.dropFirst(2)) }
                if part.hasPrefix("version=") {
                    range.version = part.dropFirst(8).filter { $0 != "\"" }
                }
            }
            return range
        }
    }

    /// The weight of the most precise range that covers a name.
    func quality(of name: String, version: String) -> Quality {
        let family = name.prefix { $0 != "/" } + "/*"
        var best: Quality?
        for range in ranges where range.version == nil || range.version == version {
            let precision =
                switch range.name {
                case name: range.version == nil ? 3 : 4
                case String(family): 2
                case "*/*", "*": 1
                default: 0
                }
            guard precision > 0, precision > best?.precision ?? 0 else { continue }
            best = Quality(thousandths: range.thousandths, precision: precision)
        }
        return best ?? .zero
    }

    /// `0.75` as 750; what is no weight is none.
    private static func thousandths(_ text: Substring) -> Int {
        guard let value = Double(text), (0...1).contains(value) else { return 0 }
        return Int((value * 1000).rounded())
    }
}
