// An upstream's errors in Anthropic's words and shapes (translation 5).
internal import Bytes
internal import JSON

/// What the translation of an error needs to know besides the answer.
package struct ErrorContext: Sendable {
    /// Never to be seen in a message; some servers echo them.
    package var secrets: [String]
    /// Whether the upstream's key is ours rather than the client's.
    package var ownsKey: Bool
    /// The client's name of the model.
    package var model: String
    /// Where the request went, without host.
    package var path: String
    /// Tokens of the request by our own count, where the upstream tells none.
    package var estimatedInputTokens: Int

    /// What is known about the exchange.
    package init(
        secrets: [String], ownsKey: Bool, model: String, path: String,
        estimatedInputTokens: Int = 0
    ) {
        self.secrets = secrets
        self.ownsKey = ownsKey
        self.model = model
        self.path = path
        self.estimatedInputTokens = estimatedInputTokens
    }
}

/// Errors of upstreams.
package enum UpstreamError {
    /// The error for an answer whose status is not 2xx.
    package static func translate(
        status: Int, header: (StaticString) -> String?, body: [UInt8], _ context: ErrorContext
    ) -> APIError {
        let document = try? JSONDocument(parsing: body)
        let words = ErrorWords(document?.root, body: body)
        var error = classify(status: status, words, context)
        if let seconds = RetryAfter.seconds(header, text: words.message) {
            error.retryAfterSeconds = seconds
        }
        error.message += origin(of: error, status: status, header)
        return error.hiding(context.secrets)
    }

    private static let requestIDBytesMax = 128

    /// What the owner of the upstream will ask for, where the fault is not the client's.
    ///
    /// Behind a client's own mistake nothing is added: Claude Code goes by the words.
    private static func origin(
        of error: APIError, status: Int, _ header: (StaticString) -> String?
    ) -> String {
        switch error.label {
        case .callerInvalid, .callerAuthentication, .callerTooLarge, .contextOverflow: return ""
        case .upstreamAuthentication, .upstreamRateLimit, .upstreamOverloaded, .upstream5xx,
            .upstreamTimeout, .upstreamConnect, .upstreamTLS, .upstreamProtocol, .proxyOverload,
            .proxyRateLimit, .proxyInternal, .other:
            break
        }
        let id = (header("x-request-id") ?? header("request-id")).flatMap { id in
            id.utf8.count <= requestIDBytesMax && !id.isEmpty ? id : nil
        }
        return " (upstream status \(status)" + (id.map { ", request \($0)" } ?? "") + ")"
    }

    /// The error inside an answer of 200 or a chunk; `nil` when there is none.
    static func inBand(
        _ root: JSONValue, isError: Bool = false, _ plan: ExchangePlan
    ) -> APIError? {
        let hasError = root["error"].map { !$0.isNull } ?? false
        let isObject = root["object"]?.text.map { $0 == "error" } == true
        let code = root["code"]?.integer ?? 0
        let isBare = root["choices"] == nil && root["message"] != nil && (400...599).contains(code)
        guard hasError || isObject || isBare || isError && root["choices"] == nil else {
            return nil
        }
        let words = ErrorWords(root, body: [])
        let told = words.code.flatMap { Int($0) }.flatMap { (400...599).contains($0) ? $0 : nil }
        let status = told ?? words.statusByWord ?? 500
        var error = classify(
            status: status, words,
            ErrorContext(
                secrets: [], ownsKey: plan.ownsKey, model: plan.requestedModel, path: "",
                estimatedInputTokens: plan.estimatedInputTokens))
        error.retryAfterSeconds =
            RetryAfter.seconds({ _ in nil }, text: words.message) ?? error.retryAfterSeconds
        error.quirk = Quirk.recognise(status: status, root, known: plan.knownQuirks)
        return error.hiding(plan.secrets)
    }

    private static func classify(
        status: Int, _ words: ErrorWords, _ context: ErrorContext
    ) -> APIError {
        let message = words.message.isEmpty ? "upstream answered \(status)" : words.message
        if words.isBilling {
            return APIError(.billing, message, label: .upstreamRateLimit, shouldRetry: false)
        }
        if status < 500 || words.mentionsContext, status != 429,
            let overflow = ContextOverflow(words)
        {
            return overflow.error(upstream: message, context)
        }
        switch status {
        case 401 where context.ownsKey: return .credentialRejected(message)
        case 401:
            // Claude Code would ask ten times more with the same key.
            return APIError(
                .authentication, message, label: .upstreamAuthentication, shouldRetry: false)
        case 402:
            return APIError(.billing, message, label: .upstreamRateLimit, shouldRetry: false)
        case 400..<404 where words.isFiltered:
            var error = APIError.invalid(message)
            error.isFiltered = true
            return error
        case 403: return APIError(.permission, message, label: .upstreamAuthentication)
        case 404: return notFound(message, words, context)
        case 408, 504, 522, 524: return APIError(.timeout, message, label: .upstreamTimeout)
        case 409: return APIError(.conflict, message, label: .callerInvalid)
        case 413: return APIError(.requestTooLarge, message, label: .callerTooLarge)
        case 400 where words.isTooLarge:
            return APIError(.requestTooLarge, message, label: .callerTooLarge)
        case 429:
            return APIError(
                .rateLimit, message, label: .upstreamRateLimit,
                shouldRetry: words.exceedsLimit ? false : nil)
        case 498, 503, 529:
            return APIError(
                .overloaded, message, label: .upstreamOverloaded,
                retryAfterSeconds: words.isLoading ? 5 : nil)
        case 499: return APIError(.api, message, label: .upstream5xx)
        case 400..<500 where words.isToolAccident:
            return APIError(.api, message, label: .upstream5xx)
        case 400..<500: return APIError(.invalidRequest, message, label: .callerInvalid)
        case 502, 520..<600: return APIError(.api, message, label: .upstream5xx, status: 502)
        case 300..<400:
            return APIError(
                .api, "upstream answered with a redirect (\(status)); set the final base URL",
                label: .upstreamProtocol, status: 502, shouldRetry: false)
        default: return APIError(.api, message, label: .upstream5xx)
        }
    }

    /// A model that is not there, or an address that is none.
    private static func notFound(
        _ message: String, _ words: ErrorWords, _ context: ErrorContext
    ) -> APIError {
        var text = message
        if words.isAboutPath || message.contains(context.path), !context.path.isEmpty {
            text = "upstream returned 404 for POST \(context.path): check base URL"
        } else if !message.contains(context.model) {
            // Claude Code tells its user which model to change.
            text += " (model: \(context.model))"
        }
        return APIError(.notFound, text, label: .callerInvalid)
    }
}

extension APIError {
    /// A key of ours was refused: nothing that the client could mend.
    static func credentialRejected(_ message: String) -> APIError {
        APIError(
            .api, "upstream rejected the gateway's credential: \(message)",
            label: .upstreamAuthentication, status: 502, shouldRetry: false)
    }

    /// The same error without secrets that an upstream has put into its words.
    func hiding(_ secrets: [String]) -> APIError {
        var error = self
        for secret in secrets where secret.utf8.count >= 8 {
            error.message = Self.withoutFragments(Self.redacted(error.message, secret), secret)
        }
        return error
    }

    /// OpenAI and others show the ends of a key and stars between them.
    private static func withoutFragments(_ message: String, _ secret: String) -> String {
        guard message.contains("**") || message.contains("..") else { return message }
        func isOfKey(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || "-_*.".contains(character)
        }
        var out = ""
        var rest = message[...]
        while let start = rest.firstIndex(where: isOfKey) {
            var word = rest[start...].prefix(while: isOfKey)
            while word.count > 1, word.last == "." { word.removeLast() }
            out += rest[..<start]
            out += isFragment(word, of: secret) ? "***" : String(word)
            rest = rest[word.endIndex...]
        }
        return out + rest
    }

    /// Whether a word has stars or dots in it, and a beginning or an end of the secret around them.
    private static func isFragment(_ word: Substring, of secret: String) -> Bool {
        guard word.contains("**") || word.contains("..") else { return false }
        func isGap(_ character: Character) -> Bool { character == "*" || character == "." }
        let head = word.prefix { !isGap($0) }
        var tail = word[...]
        if let gap = word.lastIndex(where: isGap) { tail = word[word.index(after: gap)...] }
        return !head.isEmpty && secret.hasPrefix(head) || !tail.isEmpty && secret.hasSuffix(tail)
    }

    private static func redacted(_ message: String, _ secret: String) -> String {
        var rest = Array(message.utf8)[...]
        let needle = Array(secret.utf8)
        var out: [UInt8] = []
        while let range = rest.range(ofBytes: needle) {
            out += rest[..<range.lowerBound]
            out += Array("***".utf8)
            rest = rest[range.upperBound...]
        }
        return String(decoding: out + rest, as: UTF8.self)
    }
}
