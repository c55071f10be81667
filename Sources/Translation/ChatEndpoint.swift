// Where requests go (translation 1.9).

/// Builds the URL of the Chat Completions endpoint from what a user sets as base URL.
package enum ChatEndpoint {
    /// The URL to post to.
    ///
    /// A base that ends in `/chat/completions` is taken as it is, one that ends in a version (or in
    /// `/openai`) is completed, anything else gets `/v1/chat/completions`. A query stays.
    package static func url(base: String) -> String {
        let parts = base.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path = String(parts[0])
        while path.hasSuffix("/") { path.removeLast() }
        if !path.hasSuffix("/chat/completions") {
            path += completes(path) ? "/chat/completions" : "/v1/chat/completions"
        }
        return path + (parts.count > 1 ? "?" + parts[1] : "")
    }

    /// The URL for one model: its name takes the place of `{model}`, as one segment of the path
    /// whatever is in it.
    ///
    /// `nil` for the two names that lead to another path however they are written (RFC 3986,
    /// 5.2.4).
    package static func url(_ url: String, for model: String) -> String? {
        guard let range = url.firstRange(of: "{model}") else { return url }
        guard model != ".", model != ".." else { return nil }
        var segment = ""
        for byte in model.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                segment.unicodeScalars.append(Unicode.Scalar(byte))
            default: segment += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return String(url[..<range.lowerBound]) + segment + String(url[range.upperBound...])
    }

    /// Whether the last segment is a version like `v1`, or `openai` as Gemini has it.
    private static func completes(_ path: String) -> Bool {
        guard let last = path.split(separator: "/").last, path.split(separator: "/").count > 2
        else {
            return false
        }
        if last == "openai" { return true }
        let digits = last.dropFirst().utf8
        return last.first == "v" && digits.first.map { (0x30...0x39).contains($0) } == true
    }
}

/// Builds the URL of a Messages endpoint from what a user sets as base URL.
package enum MessagesEndpoint {
    /// The URL to post to.
    ///
    /// A base that ends in `/v1/messages` is taken as it is, anything else is completed. A query
    /// stays.
    package static func url(base: String) -> String {
        let parts = base.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path = String(parts[0])
        while path.hasSuffix("/") { path.removeLast() }
        if !path.hasSuffix("/v1/messages") {
            path += path.hasSuffix("/v1") ? "/messages" : "/v1/messages"
        }
        return path + (parts.count > 1 ? "?" + parts[1] : "")
    }

    /// The URL that counts tokens, beside the one for messages.
    package static func countTokens(_ url: String) -> String {
        let path = url.prefix { $0 != "?" }
        return path + "/count_tokens" + url.dropFirst(path.count)
    }
}

/// The URL of a server's list of models.
package enum ModelsEndpoint {
    private static let siblings = ["/chat/completions", "/messages"]

    /// The URL beside the one that answers requests.
    package static func url(beside endpoint: String) -> String? {
        let path = endpoint.prefix { $0 != "?" }
        guard let sibling = siblings.first(where: { path.hasSuffix($0) }) else { return nil }
        // Anthropic's own lists twenty unless told otherwise.
        let page = sibling == "/messages" ? "?limit=1000" : endpoint.dropFirst(path.count)
        return path.dropLast(sibling.count) + "/models" + page
    }
}
