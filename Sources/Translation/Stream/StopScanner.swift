// Looking for stop sequences in text that comes in pieces (translation 1.4).

/// Holds text back while it may still become a stop sequence.
///
/// Many servers ignore `stop`, take four at most, or do not say which one matched.
struct StopScanner: Sendable {
    private let sequences: [[UInt8]]
    private let longest: Int
    private var held: [UInt8] = []
    /// The sequence that was found; nothing comes out after it.
    private(set) var match: String?

    init(_ sequences: [String]) {
        self.sequences = sequences.filter { !$0.isEmpty }.map { Array($0.utf8) }
        longest = self.sequences.map(\.count).max() ?? 0
    }

    var isActive: Bool { longest > 0 }

    /// Takes text; what can go out now.
    mutating func feed(_ text: [UInt8]) -> [UInt8] {
        guard match == nil else { return [] }
        held += text
        if let (place, sequence) = firstMatch() {
            match = String(decoding: sequence, as: UTF8.self)
            defer { held = [] }
            return Array(held[..<place])
        }
        let keep = longestPrefixAtEnd()
        let out = Array(held[..<(held.count - keep)])
        held.removeFirst(held.count - keep)
        return out
    }

    /// What was held back, when no more text comes.
    mutating func flush() -> [UInt8] {
        defer { held = [] }
        return match == nil ? held : []
    }

    private func firstMatch() -> (Int, [UInt8])? {
        for place in held.indices {
            for sequence in sequences
            where held[place] == sequence[0] && held[place...].starts(with: sequence) {
                return (place, sequence)
            }
        }
        return nil
    }

    /// The length of the longest end of `held` with which a sequence begins.
    private func longestPrefixAtEnd() -> Int {
        for length in stride(from: min(held.count, longest - 1), to: 0, by: -1) {
            let end = held[(held.count - length)...]
            if sequences.contains(where: { $0.count > length && $0.starts(with: end) }) {
                return length
            }
        }
        return 0
    }
}
