// What of an upstream's headers reaches the client (translation 5.4).
internal import Bytes
internal import Translation
internal import Upstream

extension UpstreamHead {
    /// The upstream's request id and its rate limits, in the names that Anthropic's clients read.
    func clientHeaders(nowNanoseconds: UInt64) -> [(String, String)] {
        var headers: [(String, String)] = []
        forEachHeader { name, value in
            let initial = name.first.map { $0 | 0x20 }
            guard initial == UInt8(ascii: "x") || initial == UInt8(ascii: "a") else { return }
            let name = String(decoding: name, as: UTF8.self).lowercased()
            let value = String(decoding: value, as: UTF8.self)
            if name.hasPrefix("anthropic-ratelimit-") {
                headers.append((name, value))
            } else if name == "x-request-id" {
                headers.append(("x-upstream-request-id", value))
            } else if name.hasPrefix("x-ratelimit-") {
                let parts = name.dropFirst(12).split(separator: "-")
                guard parts.count == 2, parts[1] == "requests" || parts[1] == "tokens",
                    let translated = Self.limit(parts[0], value, nowNanoseconds)
                else { return }
                headers.append(("anthropic-ratelimit-\(parts[1])-\(parts[0])", translated))
            }
        }
        return headers
    }

    /// Numbers stay; a span until the reset (`6m0s`) becomes the moment of it.
    private static func limit(
        _ what: Substring, _ value: String, _ nowNanoseconds: UInt64
    ) -> String? {
        switch what {
        case "limit", "remaining": return Int(value).map { String($0) }
        case "reset":
            guard let seconds = RetryAfter.span(value) else { return nil }
            var text: [UInt8] = []
            text.append(timestamp: Int(clamping: nowNanoseconds) + seconds * 1_000_000_000)
            return String(decoding: text, as: UTF8.self)
        default: return nil
        }
    }
}
