// One tool call while its pieces come in.
internal import JSON

/// A call, and what of its arguments has not gone out yet.
struct StreamedToolCall: Sendable {
    enum State: Sendable { case waiting, open, closed }

    /// What the arguments turned out to be by their first byte.
    enum Shape: Sendable {
        case unknown
        /// Goes out as it comes.
        case object
        /// Waits to the end for a repair: encoded twice, fenced, a plain value.
        case other
        /// The free text of a custom tool.
        case freeText
    }

    /// By what its later pieces find it.
    var index: Int?
    var upstreamID: String?
    var name = ""
    /// Gemini's, to be sent back with the call.
    var thoughtSignature: String?
    /// Arguments that have not gone out, decoded.
    var waiting: [UInt8] = []
    /// Half a surrogate pair at the end of the last piece, still escaped.
    var half: [UInt8] = []
    var scanner = ArgumentScanner()
    var state = State.waiting
    var shape = Shape.unknown

    init(index: Int?, upstreamID: String) {
        self.index = index
        self.upstreamID = upstreamID.isEmpty ? nil : upstreamID
    }

    /// Whether any arguments have come.
    var hasArguments: Bool { shape != .unknown }

    /// Whether the arguments are whole by themselves.
    var isComplete: Bool {
        switch shape {
        case .unknown, .freeText: false
        case .object: scanner.isComplete
        case .other: (try? JSONDocument(parsing: waiting)) != nil
        }
    }

    /// Takes a fragment of the name.
    ///
    /// Some servers cut names, some repeat the whole name with every piece, and some say a little
    /// more of it each time.
    mutating func take(name fragment: String) {
        guard !fragment.isEmpty, fragment != name, state == .waiting else { return }
        if name.isEmpty || fragment.hasPrefix(name) {
            name = fragment
        } else if !hasArguments {
            name += fragment
        }
    }

    /// Takes arguments that wait; what stands behind the object's end is dropped.
    ///
    /// `false` when something was dropped or mended.
    mutating func take(_ bytes: [UInt8]) -> Bool {
        var bytes = bytes[...]
        if shape == .unknown {
            bytes = bytes.drop { $0 <= 0x20 }
            guard let first = bytes.first else { return true }
            shape = first == UInt8(ascii: "{") ? .object : .other
        }
        guard shape == .object else {
            waiting += bytes
            return true
        }
        var before = scanner
        let step = scanner.feed(bytes.span)
        guard !step.hasControl else {
            before.feedMending(bytes.span, into: &waiting)
            return false
        }
        waiting += bytes.prefix(step.count)
        return !bytes.dropFirst(step.count).contains { $0 > 0x20 }
    }
}
