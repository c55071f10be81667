// Reasoning that a model writes into its text.
internal import Bytes

/// Tells reasoning inside `<think>` tags at the very start of the text from the answer.
struct ThinkTagScanner: Sendable {
    private enum State {
        case undecided
        case thinking(closing: [UInt8])
        /// Behind the closing tag: the empty lines that models leave there go.
        case trimming
        case answering
    }

    private static let tags = ["<think>", "<thinking>"].map { Array($0.utf8) }
    private var state = State.undecided
    private var held: [UInt8] = []
    private let isImplicit: Bool

    init(_ tags: AnswerOptions.ThinkTags) {
        isImplicit = tags == .implicit
        if tags == .off { state = .answering }
    }

    /// Whether everything that comes is the answer.
    var isDecided: Bool { if case .answering = state { true } else { false } }

    /// Takes text; what is reasoning, and what is answer.
    mutating func feed(_ text: [UInt8]) -> (thinking: [UInt8], answer: [UInt8]) {
        held += text
        switch state {
        case .answering: return ([], take(held.count))
        case .trimming: return ([], trimmed())
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
        if isImplicit, held.count <= Self.heldBytesMax { return implicit() }
        state = .answering
        return ([], take(held.count))
    }

    private static let heldBytesMax = 1 << 20

    /// Without an opening tag nothing is known before the closing one.
    private mutating func implicit() -> (thinking: [UInt8], answer: [UInt8]) {
        let closing = Array("</think>".utf8)
        guard held.range(ofBytes: closing) != nil else { return ([], []) }
        state = .thinking(closing: closing)
        return thinking(closing)
    }

    /// What was held back, when no more text comes.
    mutating func flush() -> (thinking: [UInt8], answer: [UInt8]) {
        if case .thinking = state { return (take(held.count), []) }
        return ([], take(held.count))
    }

    private mutating func thinking(_ closing: [UInt8]) -> (thinking: [UInt8], answer: [UInt8]) {
        for place in held.indices
        where held[place] == closing[0] && held[place...].starts(with: closing) {
            let thought = take(place)
            held.removeFirst(closing.count)
            state = .trimming
            return (thought, trimmed())
        }
        for length in stride(from: min(held.count, closing.count - 1), to: 0, by: -1)
        where closing.starts(with: held[(held.count - length)...]) {
            return (take(held.count - length), [])
        }
        return (take(held.count), [])
    }

    private mutating func trimmed() -> [UInt8] {
        let answer = Array(take(held.count).drop { $0 == 0x0a })
        if !answer.isEmpty { state = .answering }
        return answer
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        defer { held.removeFirst(count) }
        return Array(held[..<count])
    }
}
