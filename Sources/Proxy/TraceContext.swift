// W3C Trace Context: the client's trace goes on through the sidecar.
internal import HTTP

/// A valid `traceparent` and the `tracestate` that came with it.
///
/// What is not valid is not passed on: whoever gets it starts a trace of its own (W3C Trace Context
/// section 4.3).
struct TraceContext: Equatable {
    /// 32 hexadecimal digits; never all zero.
    let traceID: String
    private let flags: Substring
    private let state: String?

    /// Reads the headers of a request; `nil` without exactly one valid `traceparent`.
    init?(parents: [String], states: [String]) {
        guard parents.count == 1, let parent = parents.first else { return nil }
        let fields = parent.split(separator: "-", omittingEmptySubsequences: false)
        guard fields.count >= 4, fields.prefix(4).map(\.utf8.count) == [2, 32, 16, 2],
            fields.prefix(4).allSatisfy(Self.isLowerHex), fields[0] != "ff",
            // Version 00 is four fields; later ones may have anything behind them.
            fields.count == 4 || fields[0] != "00",
            !Self.isZero(fields[1]), !Self.isZero(fields[2])
        else { return nil }
        traceID = String(fields[1])
        // We speak version 00, and what another version's flags mean is known of the lowest bit
        // alone (section 3.2.2.5 and 4.3).
        let isSampled = (Int(fields[3], radix: 16) ?? 0) & 1 == 1
        flags = fields[0] == "00" ? fields[3] : isSampled ? "01" : "00"
        // Several headers are one list (RFC 9110 section 5.3).
        state = states.isEmpty ? nil : states.joined(separator: ",")
    }

    /// Header lines for the next hop, in which we are the parent.
    func lines(spanID: UInt64) -> [String] {
        let digits = String(max(1, spanID), radix: 16)
        let padded = String(repeating: "0", count: 16 - digits.utf8.count) + digits
        let parent = "traceparent: 00-\(traceID)-\(padded)-\(flags)"
        return [parent] + (state.map { ["tracestate: \($0)"] } ?? [])
    }

    private static func isZero(_ field: Substring) -> Bool { field.allSatisfy { $0 == "0" } }

    private static func isLowerHex(_ field: Substring) -> Bool {
        field.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
    }
}

extension TraceContext {
    /// The trace of a request, if it is part of one.
    init?(_ head: RequestHead) {
        guard head.header("traceparent") != nil else { return nil }
        func values(_ wanted: String) -> [String] {
            head.headers.filter { $0.name.lowercased() == wanted }.map(\.value)
        }
        self.init(parents: values("traceparent"), states: values("tracestate"))
    }
}
