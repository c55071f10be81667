// Counting tokens without a tokenizer (translation 6.1).

/// Estimates tokens from classes of bytes; allocates nothing, looks at each byte once.
///
/// The weights are fitted to the counts of o200k and DeepSeek's tokenizer over prose, code, JSON,
/// Chinese and agents' requests; `scripts/tokens` shows how far they are off.
package enum TokenEstimator {
    /// Tokens of an upstream's request body: what stands in its strings, its tools and, lightly,
    /// its framing.
    package static func estimate(_ pieces: [ArraySlice<UInt8>]) -> TokenCount {
        var counter = TokenCounter()
        for piece in pieces {
            unsafe piece.withUnsafeBytes { unsafe counter.add($0) }
        }
        return counter.count
    }
}

/// Tokens by what they stand for: tokenizers agree on English words, but not on digits, nor on
/// other scripts, nor servers on pictures.
package struct TokenCount: Equatable, Sendable {
    /// Words and signs, digits, characters beyond ASCII, pictures.
    package var parts: SIMD4<Double>

    /// A count of these parts.
    package init(parts: SIMD4<Double>) { self.parts = parts }

    /// All of them; never none.
    package var tokens: Int { max(1, Int(parts.sum().rounded())) }
}

/// Goes over the bytes of a body.
@safe private struct TokenCounter {
    /// After so many bytes no part of a packed cost is full.
    private static let stride = 16 * 1024

    private let table = TokenTable.shared
    private var sum = TokenCost.Sum()
    private var row = 0
    private var imageTokens = 0

    var count: TokenCount {
        TokenCount(
            parts: SIMD4(
                Double(sum.words) / 16, Double(sum.digits) / 16, Double(sum.others) / 16,
                Double(imageTokens)))
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var place = 0
        while place < bytes.count {
            place = unsafe walk(bytes, from: place)
            if let (count, end) = unsafe DataURL.tokens(bytes, at: place) {
                imageTokens += count
                place = end
            }
        }
        let end = row + Int(TokenByte.end.rawValue)
        sum.add(table.costs[end])
        row = Int(table.next[end])
    }

    /// Counts up to the end or behind a quote that a data URL may follow; where it stopped.
    private mutating func walk(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var place = start
        while place < bytes.count {
            let end = min(place + Self.stride, bytes.count)
            let (stop, isAtURL) = unsafe stride(bytes, place, end)
            place = stop
            if isAtURL { break }
        }
        return place
    }

    private mutating func stride(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int
    ) -> (place: Int, isAtURL: Bool) {
        unsafe table.columns.withUnsafeBufferPointer { columns in
            unsafe table.next.withUnsafeBufferPointer { next in
                unsafe table.costs.withUnsafeBufferPointer { costs in
                    var (row, cost, place) = (row, 0, start)
                    defer {
                        self.row = row
                        sum.add(cost)
                    }
                    while place < end {
                        let byte = unsafe bytes[place]
                        let entry = unsafe row &+ Int(columns[Int(byte)])
                        let before = row
                        unsafe cost &+= costs[entry]
                        unsafe row = Int(next[entry])
                        place &+= 1
                        if byte == 0x22, place < bytes.count,
                            unsafe bytes[place] == UInt8(ascii: "d"),
                            table.runs[before / TokenTable.width].isLiteral
                        {
                            return (place, true)
                        }
                    }
                    return (place, false)
                }
            }
        }
    }
}
