// The client's own token limit, where the upstream was given a wider one (translation 1.1).

/// Cuts text where as many tokens have gone out as the client has asked for.
///
/// A model that reasons whether or not it is asked to gets room for that beside the client's limit.
/// What it writes in the end is measured here. A server's own count of the text decides where there
/// is one; in a stream it comes too late, and the text is estimated.
struct TextLimit: Sendable {
    private let tokens: Int
    private var row = 0
    private var cost = TokenCost.Sum()
    /// Whether there was more text than that.
    private(set) var isReached = false

    init(tokens: Int) { self.tokens = min(tokens, 1 << 32) }

    /// How much of a text may go out; `counted` is how many tokens all of it has.
    mutating func admit(_ text: [UInt8], counted: Int? = nil) -> Int {
        let most = counted.map { share(of: text, $0) } ?? estimated(text)
        guard most < text.count else { return text.count }
        isReached = true
        // No character is cut in two.
        return text[...most].lastIndex { !(0x80..<0xc0).contains($0) } ?? 0
    }

    private func share(of text: [UInt8], _ counted: Int) -> Int {
        counted > tokens ? text.count * tokens / counted : text.count
    }

    /// What fits when an eighth more is forgiven: an estimate may be off, and a text that the
    /// upstream would have found short enough must not be cut.
    private mutating func estimated(_ text: [UInt8]) -> Int {
        let table = TokenTable.shared
        let most = tokens * 18
        for (place, byte) in text.enumerated() {
            let entry = row + Int(table.columns[Int(byte)])
            cost.add(table.costs[entry])
            row = Int(table.next[entry])
            if cost.all > most { return place }
        }
        return text.count
    }
}
