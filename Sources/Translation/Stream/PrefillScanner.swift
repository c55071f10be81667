// A prefill that the model repeats.

/// Cuts the client's own beginning of the answer off, when the model begins with it again
/// (translation 2.9): the client puts the two together itself.
struct PrefillScanner: Sendable {
    private var expected: [UInt8]
    private var held: [UInt8] = []

    init(_ prefill: String?) { expected = Array((prefill ?? "").utf8) }

    /// Whether text may still be the prefill.
    var isActive: Bool { !expected.isEmpty }

    /// Takes text; what can go out now.
    mutating func feed(_ text: [UInt8]) -> [UInt8] {
        guard isActive else { return text }
        held += text
        if held.count < expected.count, expected.starts(with: held) { return [] }
        let isRepeated = held.starts(with: expected)
        let out = isRepeated ? Array(held.dropFirst(expected.count)) : held
        expected = []
        held = []
        return out
    }

    /// What was held back, when no more text comes.
    mutating func flush() -> [UInt8] {
        defer { held = [] }
        expected = []
        return held
    }
}
