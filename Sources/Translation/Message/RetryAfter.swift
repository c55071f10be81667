// When to try again (translation 5.4).

/// Reads when an upstream wants to be asked again.
package enum RetryAfter {
    private static let secondsMax = 86_400.0

    /// Whole seconds, rounded up; `nil` when the upstream does not tell.
    static func seconds(_ header: (StaticString) -> String?, text: String) -> Int? {
        if let value = header("retry-after") {
            if let seconds = Double(value), seconds >= 0 { return whole(seconds) }
            // A date counts from the date of the same answer: our clock may be another.
            if let date = HTTPDate.unixSeconds(value),
                let now = header("date").flatMap({ HTTPDate.unixSeconds($0) })
            {
                return whole(Double(max(0, date - now)))
            }
        }
        if let value = header("retry-after-ms"), let milliseconds = Double(value) {
            return whole(max(milliseconds, 0) / 1000)
        }
        return told(text) ?? reset(header)
    }

    private static func whole(_ seconds: Double) -> Int {
        guard seconds.isFinite else { return Int(secondsMax) }
        return Int(min(seconds, secondsMax).rounded(.up))
    }

    /// OpenAI's and Groq's `try again in 1.5s`, Gemini's `retry in 34.07s`, Azure's `retry after 26
    /// seconds`.
    private static func told(_ text: String) -> Int? {
        let text = text.lowercased()
        for words in ["try again in ", "retry in ", "retry after "] {
            guard let range = text.firstRange(of: words) else { continue }
            let parts = text[range.upperBound...].split(separator: " ", maxSplits: 2)
            guard let first = parts.first else { continue }
            var span = String(first)
            while let last = span.last, last == "." || last == "," { span.removeLast() }
            if let seconds = Self.span(span) { return seconds }
            guard let number = Double(span), parts.count > 1 else { continue }
            if parts[1].hasPrefix("second") { return whole(number) }
            if parts[1].hasPrefix("minute") { return whole(number * 60) }
            if parts[1].hasPrefix("millisecond") || parts[1].hasPrefix("ms") {
                return whole(number / 1000)
            }
        }
        return nil
    }

    /// The reset of the limit that is used up; of both, when neither says so.
    private static func reset(_ header: (StaticString) -> String?) -> Int? {
        let requests = header("x-ratelimit-reset-requests").flatMap { span($0) }
        let tokens = header("x-ratelimit-reset-tokens").flatMap { span($0) }
        switch (header("x-ratelimit-remaining-requests"), header("x-ratelimit-remaining-tokens")) {
        case ("0", "0"): break
        case ("0", _): return requests ?? tokens
        case (_, "0"): return tokens ?? requests
        default: break
        }
        return [requests, tokens].compactMap { $0 }.max()
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
        return hasUnit ? whole(total) : nil
    }
}

/// Dates of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
enum HTTPDate {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// Seconds since the beginning of 1970; `nil` for anything else.
    static func unixSeconds(_ text: String) -> Int? {
        let parts = text.lowercased().split { $0 == " " || $0 == "," || $0 == ":" }
        guard parts.count == 8, parts[7] == "gmt", let day = Int(parts[1]),
            let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3]),
            let hour = Int(parts[4]), let minute = Int(parts[5]), let second = Int(parts[6]),
            (1...31).contains(day), (1970...9999).contains(year), (0..<24).contains(hour),
            (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        // Count from March on: then the leap day is the last of its year.
        let marchYear = month < 2 ? year - 1 : year
        let monthFromMarch = (month + 10) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let days = 365 * marchYear + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear
        return ((days - 719_468) * 24 + hour) * 3600 + minute * 60 + second
    }
}
