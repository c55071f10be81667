// Counting tokens without a tokenizer (translation 6.1).

/// Estimates tokens from classes of bytes; allocates nothing, looks at each byte once.
///
/// The weights are fitted to the counts of o200k and DeepSeek's tokenizer over prose, code, JSON,
/// Chinese and agents' requests; `scripts/tokens` shows how far they are off.
package enum TokenEstimator {
    /// Tokens of an upstream's request body: what stands in its strings, its tools and, lightly,
    /// its framing.
    package static func estimate(_ pieces: [ArraySlice<UInt8>]) -> Int {
        var counter = TokenCounter()
        for piece in pieces {
            unsafe piece.withUnsafeBytes { unsafe counter.add($0) }
        }
        return counter.tokens
    }
}

/// Counts in sixteenths of a token.
@safe private struct TokenCounter {
    private let table = TokenTable.shared
    private var sixteenths = 0
    private var row = 0
    private var imageTokens = 0

    var tokens: Int { max(1, imageTokens + (sixteenths + 8) / 16) }

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
        sixteenths += Int(table.costs[end])
        row = Int(table.next[end])
    }

    /// Counts up to the end or behind a quote that a data URL may follow; where it stopped.
    private mutating func walk(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let last = bytes.count - 1
        return unsafe table.columns.withUnsafeBufferPointer { columns in
            unsafe table.next.withUnsafeBufferPointer { next in
                unsafe table.costs.withUnsafeBufferPointer { costs in
                    var (row, sum, place) = (row, sixteenths, start)
                    defer { (self.row, sixteenths) = (row, sum) }
                    while place <= last {
                        let byte = unsafe bytes[place]
                        let entry = unsafe row &+ Int(columns[Int(byte)])
                        let before = row
                        unsafe sum &+= Int(costs[entry])
                        unsafe row = Int(next[entry])
                        place &+= 1
                        if byte == 0x22, place <= last, unsafe bytes[place] == UInt8(ascii: "d"),
                            table.runs[before / TokenTable.width].isLiteral
                        {
                            return place
                        }
                    }
                    return place
                }
            }
        }
    }
}
