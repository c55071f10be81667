// Looking for stop sequences in text that comes in pieces (translation 1.4).

/// Holds text back while it may still become a stop sequence.
///
/// Many servers ignore `stop`, take four at most, or do not say which one matched.
struct StopScanner: Sendable {
    private let sequences: [[UInt8]]
    private var held: [UInt8] = []
    /// The sequence that was found; nothing comes out after it.
    private(set) var match: String?

    init(_ sequences: [String]) { self.sequences = sequences.map { Array($0.utf8) } }

    var isActive: Bool { !sequences.isEmpty }

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
            for sequence in sequences where held[place...].starts(with: sequence) {
                return (place, sequence)
            }
        }
        return nil
    }

    /// The length of the longest end of `held` with which a sequence begins.
    private func longestPrefixAtEnd() -> Int {
        let longest = sequences.map(\.count).max() ?? 0
        for length in stride(from: min(held.count, longest - 1), to: 0, by: -1) {
            let end = held[(held.count - length)...]
            if sequences.contains(where: { $0.count > length && $0.starts(with: end) }) {
                return length
            }
        }
        return 0
    }
}

/// Tells reasoning inside `<think>` tags at the very start of the text from the answer.
struct ThinkTagScanner: Sendable {
    private enum State { case undecided, thinking(closing: [UInt8]), answering }

    private static let tags = ["<think>", "<thinking>"].map { Array($0.utf8) }
    private var state = State.undecided
    private var held: [UInt8] = []

    /// Whether everything that comes is the answer.
    var isDecided: Bool { if case .answering = state { true } else { false } }

    /// Takes text; what is reasoning, and what is answer.
    mutating func feed(_ text: [UInt8]) -> (thinking: [UInt8], answer: [UInt8]) {
        held += text
        switch state {
        case .answering: return ([], take(held.count))
        case .thinking(let closing): return thinking(closing)
        case .undecided: break
        }
        let start = held.drop { $0 <= 0x20 }
        if let tag = Self.tags.first(where: { start.starts(with: $0) }) {
            held = Array(start.dropFirst(tag.count))
            let closing = [tag[0], UInt8(ascii: "/")] + tag.dropFirst()
            state = .thinking(closing: closing)
            return thinking(closing)
        }
        if Self.tags.contains(where: { $0.starts(with: start) }) { return ([], []) }
        state = .answering
        return ([], take(held.count))
    }

    /// What was held back, when no more text comes.
    mutating func flush() -> (thinking: [UInt8], answer: [UInt8]) {
        if case .thinking = state { return (take(held.count), []) }
        return ([], take(held.count))
    }

    private mutating func thinking(_ closing: [UInt8]) -> (thinking: [UInt8], answer: [UInt8]) {
        for place in held.indices where held[place...].starts(with: closing) {
            let thought = take(place)
            held.removeFirst(closing.count)
            state = .answering
            return (thought, Array(take(held.count).drop { $0 == 0x0a }))
        }
        for length in stride(from: min(held.count, closing.count - 1), to: 0, by: -1)
        where closing.starts(with: held[(held.count - length)...]) {
            return (take(held.count - length), [])
        }
        return (take(held.count), [])
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        defer { held.removeFirst(count) }
        return Array(held[..<count])
    }
}
