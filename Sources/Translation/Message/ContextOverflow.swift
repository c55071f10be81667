// Too long prompts and too large token limits, in words that Claude Code acts on (translation 5.2).

/// What an upstream's complaint about lengths says.
package enum ContextOverflow: Equatable, Sendable {
    /// The prompt alone does not fit.
    case prompt(input: Int?, limit: Int?)
    /// Prompt and answer together do not fit.
    case sum(input: Int, requested: Int, limit: Int)
    /// More output was asked for than the model can give.
    case output(requested: Int?, limit: Int)

    /// Reads a message of OpenAI, Azure, vLLM, SGLang, llama.cpp, Gemini, Mistral, DeepSeek or
    /// Ollama; `nil` when it complains about something else.
    package init?(_ message: String) {
        let text = message.lowercased()
        let numbers = Self.numbers(text)
        if text.contains("completion tokens"), text.contains("supports at most"),
            let limit = Self.number(after: "supports at most", text)
        {
            self = .output(requested: Self.number(after: "is too large:", text), limit: limit)
            return
        }
        guard Self.complaints.contains(where: { text.contains($0) }) else { return nil }
        let limit =
            Self.number(after: "maximum context length is", text)
            ?? Self.number(after: "maximum context length of", text)
            ?? Self.number(after: "maximum number of tokens allowed", text)
            ?? Self.number(after: "maximum allowed length", text)
            ?? Self.number(after: "available context size", text)
            ?? Self.number(after: "maximum number of tokens", text)
        let input =
            Self.number(before: "in the messages", text) ?? Self.number(after: "resulted in", text)
            ?? Self.number(after: "input length", text) ?? Self.number(after: "token count", text)
            ?? Self.number(before: "input tokens", text) ?? Self.number(after: "has", text)
            ?? Self.number(after: "request (", text) ?? Self.number(after: "prompt contains", text)
        let requested =
            Self.number(before: "in the completion", text)
            ?? Self.number(before: "output tokens", text)
        if let limit, let input, let requested, input < limit, input + requested > limit {
            self = .sum(input: input, requested: requested, limit: limit)
        } else {
            let largest = numbers.max()
            self = .prompt(
                input: input ?? largest.flatMap { $0 == limit ? nil : $0 }, limit: limit)
        }
    }

    private static let complaints = [
        "maximum context length", "context length exceeded", "prompt is too long",
        "exceeds the available context size", "prompt too long",
        "exceeds the maximum allowed length",
        "exceeds the maximum number of tokens", "input tokens exceed the configured limit",
        "too large for model with", "context_length_exceeded", "max_model_len",
        "exceed context limit",
    ]

    /// The error for the client; upstream's own words follow ours.
    func error(upstream: String, model: String) -> APIError {
        let text =
            switch self {
            case .prompt(let input, let limit):
                Self.promptText(input, limit)
            case .sum(let input, let requested, let limit):
                "input length and `max_tokens` exceed context limit: "
                    + "\(input) + \(requested) > \(limit), "
                    + "decrease input length or `max_tokens` and try again"
            case .output(let requested, let limit):
                "max_tokens: \(requested ?? limit + 1) > \(limit), "
                    + "which is the maximum allowed number of output tokens for \(model)"
            }
        let isOutput = if case .output = self { true } else { false }
        return APIError(
            .invalidRequest, isOutput ? text : "\(text) – \(upstream)",
            label: isOutput ? .callerInvalid : .contextOverflow)
    }

    private static func promptText(_ input: Int?, _ limit: Int?) -> String {
        let limit = limit ?? input.map { max(1, $0 - 1) } ?? 1
        let input = max(input ?? 0, limit + 1)
        return "prompt is too long: \(input) tokens > \(limit) maximum"
    }

    private static func number(after words: String, _ text: String) -> Int? {
        guard let range = text.firstRange(of: words) else { return nil }
        let rest = text[range.upperBound...].drop { !$0.isASCII || !$0.isNumber }
        // The number belongs to the words only when it follows closely.
        guard text[range.upperBound...].count - rest.count <= 12 else { return nil }
        return Int(String(rest.prefix { $0.isASCII && $0.isNumber }))
    }

    private static func number(before words: String, _ text: String) -> Int? {
        guard let range = text.firstRange(of: words) else { return nil }
        let head = text[..<range.lowerBound].reversed().drop { $0 == " " }
        return Int(String(String(head.prefix { $0.isASCII && $0.isNumber }).reversed()))
    }

    private static func numbers(_ text: String) -> [Int] {
        text.split { !$0.isASCII || !$0.isNumber }.compactMap { Int($0) }
    }
}

/// When to try again (translation 5.4).
package enum RetryAfter {
    /// Whole seconds, rounded up; `nil` when the upstream does not tell.
    static func seconds(_ header: (StaticString) -> String?, text: String) -> Int? {
        if let value = header("retry-after"), let seconds = Double(value), seconds >= 0 {
            return Int(min(seconds, 86_400).rounded(.up))
        }
        if let value = header("retry-after-ms"), let milliseconds = Double(value) {
            return Int((min(max(milliseconds, 0), 86_400_000) / 1000).rounded(.up))
        }
        for name in ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"] as [StaticString] {
            if let value = header(name), let seconds = span(value) { return seconds }
        }
        guard let range = text.lowercased().firstRange(of: "try again in ") else { return nil }
        let rest = text.lowercased()[range.upperBound...].prefix { !$0.isWhitespace }
        return span(String(rest).trimmingSuffix("."))
    }

    /// A span like `1s`, `6m0s`, `250ms`, `1.5s` in whole seconds, rounded up.
    package static func span(_ text: String) -> Int? {
        var total = 0.0
        var number = ""
        var unit = ""
        var hasUnit = false
        func close() {
            let factor = ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400][unit]
            guard let value = Double(number), let factor else { return }
            total += value * factor
            hasUnit = true
        }
        for character in text {
            if character.isNumber || character == "." {
                if !unit.isEmpty {
                    close()
                    (number, unit) = ("", "")
                }
                number.append(character)
            } else {
                unit.append(character)
            }
        }
        close()
        return hasUnit ? Int(min(total, 86_400).rounded(.up)) : nil
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
