// An upstream's errors in Anthropic's words and shapes (translation 5).
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

    /// What is known about the exchange.
    package init(secrets: [String], ownsKey: Bool, model: String, path: String) {
        self.secrets = secrets
        self.ownsKey = ownsKey
        self.model = model
        self.path = path
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
        return error.hiding(context.secrets)
    }

    /// The error inside an answer of 200 or a chunk; `nil` when there is none.
    static func inBand(_ root: JSONValue, isError: Bool = false) -> APIError? {
        let hasError = root["error"].map { !$0.isNull } ?? false
        let isObject = root["object"]?.text.map { $0 == "error" } == true
        let code = root["code"]?.integer ?? 0
        let isBare = root["choices"] == nil && root["message"] != nil && (400...599).contains(code)
        guard hasError || isObject || isBare || isError && root["choices"] == nil else {
            return nil
        }
        let words = ErrorWords(root, body: [])
        let status = words.code.flatMap { Int($0) }.flatMap { (400...599).contains($0) ? $0 : nil }
        return classify(
            status: status ?? words.statusByWord ?? 500, words,
            ErrorContext(secrets: [], ownsKey: false, model: "", path: ""))
    }

    private static func classify(
        status: Int, _ words: ErrorWords, _ context: ErrorContext
    ) -> APIError {
        let message = words.message.isEmpty ? "upstream answered \(status)" : words.message
        if words.isBilling {
            return APIError(.billing, message, label: .upstreamRateLimit, shouldRetry: false)
        }
        if status < 500 || words.mentionsContext, status != 429,
            let overflow = ContextOverflow(message)
        {
            return overflow.error(upstream: message, model: context.model)
        }
        switch status {
        case 401 where context.ownsKey:
            return APIError(
                .api, "upstream rejected the gateway's credential: \(message)",
                label: .upstreamAuthentication, status: 502, shouldRetry: false)
        case 401: return APIError(.authentication, message, label: .upstreamAuthentication)
        case 402:
            return APIError(.billing, message, label: .upstreamRateLimit, shouldRetry: false)
        case 403: return APIError(.permission, message, label: .upstreamAuthentication)
        case 404:
            let text =
                words.isHTML || words.message.isEmpty
                ? "upstream returned 404 for POST \(context.path): check base URL" : message
            return APIError(.notFound, text, label: .callerInvalid)
        case 408, 504, 522, 524: return APIError(.timeout, message, label: .upstreamTimeout)
        case 409: return APIError(.conflict, message, label: .callerInvalid)
        case 413: return APIError(.requestTooLarge, message, label: .callerTooLarge)
        case 429: return APIError(.rateLimit, message, label: .upstreamRateLimit)
        case 498, 503, 529:
            return APIError(
                .overloaded, message, label: .upstreamOverloaded,
                retryAfterSeconds: words.isLoading ? 5 : nil)
        case 400..<500 where words.isToolAccident:
            return APIError(.api, message, label: .upstream5xx)
        case 400..<500: return APIError(.invalidRequest, message, label: .callerInvalid)
        case 502, 520..<600: return APIError(.api, message, label: .upstream5xx, status: 502)
        case 300..<400:
            return APIError(
                .api, "upstream answered with a redirect (\(status)); set the final base URL",
                label: .upstreamProtocol, status: 502)
        default: return APIError(.api, message, label: .upstream5xx)
        }
    }

}

extension APIError {
    /// The same error without secrets that an upstream has put into its words.
    func hiding(_ secrets: [String]) -> APIError {
        var error = self
        for secret in secrets where secret.utf8.count >= 8 {
            error.message = Self.redacted(error.message, secret)
        }
        return error
    }

    private static func redacted(_ message: String, _ secret: String) -> String {
        var rest = Array(message.utf8)[...]
        let needle = Array(secret.utf8)
        var out: [UInt8] = []
        while let range = rest.firstRange(of: needle) {
            out += rest[..<range.lowerBound]
            out += Array("***".utf8)
            rest = rest[range.upperBound...]
        }
        return String(decoding: out + rest, as: UTF8.self)
    }
}

/// What an error body says, wherever it says it.
struct ErrorWords {
    private static let messageBytesMax = 2000

    private(set) var message = ""
    private(set) var code: String?
    private(set) var type = ""
    private(set) var isHTML = false

    init(_ root: JSONValue?, body: [UInt8]) {
        // Gemini answers with an array.
        let root = root?.kind == .array ? root?.elements.first : root
        guard let root, root.kind == .object else {
            isHTML = body.contains(UInt8(ascii: "<"))
            message = Self.plainText(body)
            return
        }
        let error = root["error"]
        let inner = error?.kind == .object ? error : nil
        let texts = [
            inner?["message"]?.text, error?.text, root["message"]?.text, root["detail"]?.text,
            root["detail"]?.elements.first?["msg"]?.text,
            root["errors"]?.elements.first?["message"]?.text,
        ]
        message = texts.lazy.compactMap { $0 }.first { !$0.isEmpty }?.string ?? ""
        if let raw = inner?["metadata"]?["raw"]?.text?.decoded(),
            let document = try? JSONDocument(parsing: raw)
        {
            let deeper = ErrorWords(document.root, body: raw)
            if !deeper.message.isEmpty { message = deeper.message }
        }
        if let provider = inner?["metadata"]?["provider_name"]?.text?.string {
            message += " (provider: \(provider))"
        }
        message = String(decoding: message.utf8.prefix(Self.messageBytesMax), as: UTF8.self)
        type = (inner?["type"] ?? root["type"])?.text?.string ?? ""
        let code = inner?["code"] ?? root["code"]
        self.code = code?.text?.string ?? code?.integer.map { String($0) }
    }

    /// The first characters of a body that is no JSON, without its tags.
    private static func plainText(_ body: [UInt8]) -> String {
        var out: [UInt8] = []
        var isInTag = false
        for byte in body.prefix(4000) where out.count < 300 {
            if byte == UInt8(ascii: "<") { isInTag = true }
            if !isInTag, byte > 0x20 || out.last.map({ $0 > 0x20 }) == true {
                out.append(byte > 0x20 ? byte : 0x20)
            }
            if byte == UInt8(ascii: ">") { isInTag = false }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private func has(_ words: String...) -> Bool {
        let text = message.lowercased()
        return words.contains { text.contains($0) }
    }

    var isBilling: Bool {
        let codes = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"]
        return codes.contains(code ?? "") || codes.contains(type) || has("insufficient balance")
    }

    var isLoading: Bool { has("loading model") }
    /// Groq: the model's tool call did not parse; another try may.
    var isToolAccident: Bool { code == "tool_use_failed" }
    var mentionsContext: Bool { has("context length", "max_model_len", "context size") }

    /// The status that a server's word stands for, where its number is of no use.
    var statusByWord: Int? {
        for word in [code ?? "", type] {
            switch word {
            case "invalid_request_error", "BadRequestError", "invalid_value": return 400
            case "invalid_api_key", "authentication_error": return 401
            case "insufficient_quota": return 402
            case "NotFoundError", "model_not_found": return 404
            case "rate_limit_exceeded", "requests", "tokens", "rate_limit_error": return 429
            case "unavailable_error", "overloaded_error": return 503
            case "server_error", "internal_error", "InternalServerError": return 500
            default: continue
            }
        }
        return nil
    }
}
