// Errors of upstreams: an error of the API, and never the key.
import Translation

enum ErrorFuzz {
    private static let secret = "sk-0123456789"

    static func run(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let status = input.byte() + 300
        let retryAfter = input.byte()
        let context = ErrorContext(
            secrets: [secret], ownsKey: input.flag(), model: "m", path: "/v1/chat/completions")
        let body = input.payload
        let text = String(decoding: body.prefix(retryAfter % 32), as: UTF8.self)
        let error = UpstreamError.translate(
            status: status, header: { _ in retryAfter & 128 != 0 ? text : nil }, body: body,
            context)
        must((400...599).contains(error.status), "the status \(error.status)")
        must(error.retryAfterSeconds ?? 0 >= 0, "waiting for a time before now")
        must(!error.message.contains(secret), "the key in a message")
        RequestFuzz.check(error)
        _ = Quirk.recognise(status: status, body: body)
        _ = ThinkingSignature(parsing: String(decoding: body, as: UTF8.self))
    }
}
