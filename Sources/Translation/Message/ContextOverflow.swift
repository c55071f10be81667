// Too long prompts and too large token limits, in words that Claude Code acts on (translation 5.2).

/// What an upstream's complaint about lengths says.
package enum ContextOverflow: Equatable, Sendable {
    /// The prompt alone does not fit; it is too long by `excess` where only that is told.
    case prompt(input: Int?, limit: Int?, excess: Int? = nil)
    /// Prompt and answer together do not fit.
    case sum(input: Int, requested: Int, limit: Int)
    /// More output was asked for than the model can give.
    case output(requested: Int?, limit: Int)

    /// Reads an error; `nil` when it complains about something else.
    init?(_ words: ErrorWords) {
        if let known = ContextOverflow(words.message) {
            self = known
        } else if words.isContextCode {
            self = .prompt(input: nil, limit: nil)
        } else {
            return nil
        }
        // llama.cpp tells the numbers beside its words.
        if case .prompt(nil, nil, nil) = self {
            self = .prompt(input: words.promptTokens, limit: words.contextTokens)
        }
    }

    /// Reads a message in the words of many servers.
    package init?(_ message: String) {
        let text = message.lowercased()
        let bytes = Array(text.utf8)
        if let numbers = Self.first(OverflowPatterns.output, bytes), let limit = numbers["L"] {
            self = .output(requested: numbers["O"], limit: limit)
        } else if let numbers = Self.first(OverflowPatterns.context, bytes) {
            self.init(numbers)
        } else if OverflowPatterns.complaints.contains(where: { text.contains($0) }) {
            self = .prompt(input: nil, limit: nil)
        } else {
            return nil
        }
    }

    private init(_ numbers: [Character: Int]) {
        let (limit, total) = (numbers["L"], numbers["T"])
        let requested = numbers["O"]
        let input = numbers["I"] ?? total.map { $0 - (requested ?? 0) }
        let output = requested ?? total.flatMap { total in numbers["I"].map { total - $0 } }
        if let limit, let input, let output, input < limit, input + output > limit {
            self = .sum(input: input, requested: output, limit: limit)
        } else {
            self = .prompt(input: input, limit: limit, excess: numbers["X"])
        }
    }

    private static func first(_ patterns: [TextPattern], _ text: [UInt8]) -> [Character: Int]? {
        for pattern in patterns {
            guard let numbers = pattern.match(text) else { continue }
            return Dictionary(
                uniqueKeysWithValues: numbers.map { (Character(UnicodeScalar($0)), $1) })
        }
        return nil
    }

    /// The error for the client; upstream's own words follow ours.
    func error(upstream: String, _ context: ErrorContext) -> APIError {
        switch self {
        case .prompt(let input, let limit, let excess):
            // Where the upstream tells no numbers, our own count stands in for them.
            var count = input ?? max(context.estimatedInputTokens, (excess ?? 1) + 1)
            if let limit { count = max(count, limit + 1) }
            let limit = limit ?? count - (excess ?? 1)
            return APIError(
                .invalidRequest,
                "prompt is too long: \(count) tokens > \(limit) maximum – \(upstream)",
                label: .contextOverflow)
        case .sum(let input, let requested, let limit):
            return APIError(
                .invalidRequest,
                "input length and `max_tokens` exceed context limit: "
                    + "\(input) + \(requested) > \(limit), "
                    + "decrease input length or `max_tokens` and try again – \(upstream)",
                label: .contextOverflow)
        case .output(let requested, let limit):
            return .invalid(
                "max_tokens: \(requested ?? limit + 1) > \(limit), "
                    + "which is the maximum allowed number of output tokens for \(context.model)")
        }
    }
}
