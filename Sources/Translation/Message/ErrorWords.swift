// The words of an upstream's error, wherever they stand (translation 5.1).
internal import JSON

/// What an error body says, wherever it says it.
struct ErrorWords {
    private static let messageBytesMax = 2000

    private(set) var message = ""
    private(set) var code: String?
    private(set) var type = ""
    private(set) var isHTML = false
    /// llama.cpp's own numbers of an overflow.
    private(set) var promptTokens: Int?
    private(set) var contextTokens: Int?
    /// The parameter that is refused, and its value, where they are told apart.
    private(set) var parameter: String?
    private(set) var input: String?
    private var innerCode = ""

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
        // FastAPI, and Mistral one level deeper.
        let detail = root["detail"] ?? root["message"]?["detail"]
        let texts = [
            inner?["message"]?.text, error?.text, root["message"]?.text, detail?.text,
            detail?.elements.first?["msg"]?.text,
            root["errors"]?.elements.first?["message"]?.text,
        ]
        message = texts.lazy.compactMap { $0 }.first { !$0.isEmpty }?.string ?? ""
        parameter = inner?["param"]?.text?.string ?? Self.place(detail)
        input = detail?.elements.first?["input"]?.text?.string
        if let raw = inner?["metadata"]?["raw"] {
            let told = Self.told(raw)
            if !told.isEmpty { message = told }
        }
        if let provider = inner?["metadata"]?["provider_name"]?.text?.string {
            message += " (provider: \(provider))"
        }
        message = String(decoding: message.utf8.prefix(Self.messageBytesMax), as: UTF8.self)
        promptTokens = inner?["n_prompt_tokens"]?.integer
        contextTokens = inner?["n_ctx"]?.integer
        innerCode = inner?["innererror"]?["code"]?.text?.string ?? ""
        if inner?["metadata"]?["flagged_input"] != nil { innerCode = "content_filter" }
        type = (inner?["type"] ?? root["type"])?.text?.string ?? ""
        let code = inner?["code"] ?? root["code"]
        self.code = code?.text?.string ?? code?.integer.map { String($0) }
    }

    /// The last name of FastAPI's `loc`: `["body", "messages", 1, "reasoning_content"]`; a message
    /// knows that one by another name too, which elsewhere is a parameter.
    private static func place(_ detail: JSONValue?) -> String? {
        let names = detail?.elements.first?["loc"]?.elements.compactMap { $0.text?.string } ?? []
        return names.contains("messages") && names.last == "reasoning"
            ? "reasoning_content" : names.last
    }

    /// What the server behind OpenRouter has said: JSON, mostly inside a string, or plain text.
    private static func told(_ raw: JSONValue) -> String {
        guard let text = raw.text?.decoded() else { return ErrorWords(raw, body: []).message }
        let document = try? JSONDocument(parsing: text)
        return ErrorWords(document?.root, body: text).message
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

    var isContextCode: Bool {
        [code ?? "", type].contains {
            $0 == "context_length_exceeded" || $0 == "exceed_context_size_error"
        }
    }

    /// Azure's and OpenAI's filters of prompts, and OpenRouter's moderation.
    var isFiltered: Bool {
        [code ?? "", innerCode].contains {
            ["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"]
                .contains($0)
        }
    }

    /// Whether a 404 is about the address that was posted to, and not about a model: web servers,
    /// FastAPI, Go's and Spring's routers, Express, Fastify, llama.cpp, OpenAI, Azure.
    var isAboutPath: Bool {
        guard !isHTML, !message.isEmpty else { return true }
        let letters = message.lowercased().filter { $0.isLetter || $0 == " " }
        return ["not found", " not found", "resource not found"].contains(letters)
            || has(
                "page not found", "file not found", "invalid url", "unknown request url",
                "cannot post", "no static resource", "route post", "path not found")
    }

    var isTooLarge: Bool { has("request too large", "request entity too large") }

    /// Whether one request asks for more than is allowed a minute: no retry can succeed.
    var exceedsLimit: Bool {
        let numbers = Self.perMinute.match(Array(message.lowercased().utf8))
        guard let limit = numbers?[UInt8(ascii: "L")], let asked = numbers?[UInt8(ascii: "R")]
        else { return false }
        return asked > limit
    }

    private static let perMinute = TextPattern("request too large… limit {L}, requested {R}")

    var isLoading: Bool { has("loading model") }
    /// Groq: the model's tool call did not parse; another try may.
    var isToolAccident: Bool { code == "tool_use_failed" }
    var mentionsContext: Bool { has("context length", "max_model_len", "context size") }

    /// The status that a server's word stands for, where its number is of no use.
    var statusByWord: Int? {
        for word in [code ?? "", type] {
            switch word {
            case "invalid_request_error", "BadRequestError", "invalid_value",
                "context_length_exceeded", "exceed_context_size_error", "content_filter":
                return 400
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
