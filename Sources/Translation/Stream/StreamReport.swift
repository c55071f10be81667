// What the books want to know of a stream.

/// What happened in one stream so far.
package struct StreamReport: Sendable {
    /// Tokens of the exchange; known at its end.
    package var usage: Usage?
    /// Why the model stopped; known at the end.
    package var stopReason: StopReason?
    /// What the upstream calls the answer, once it has told.
    package internal(set) var completionID: String?
    /// What was mended on the way, by kind.
    package private(set) var repairs: [String] = []
    /// What could not be translated and was left out, by field.
    package private(set) var losses: Set<String> = []
    /// How many tool use blocks there are.
    package var toolCallCount = 0
    /// Whether any text, reasoning or tool call has gone out.
    package var hasOutput = false
    /// Whether the model was cut while it reasoned, though nobody had asked it to.
    package var isStarved = false
    /// Whether a text block has gone out.
    var hasText = false

    private static let repairsMax = 256

    /// Notes that something of the answer was left out.
    mutating func lost(_ field: String) { losses.insert(field) }

    /// Notes that something was mended; a stream that never stops being odd is not told in full.
    mutating func repaired(_ kind: String) {
        if repairs.count < Self.repairsMax { repairs.append(kind) }
    }
}
