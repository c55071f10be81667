// Requests in any dialect: valid JSON that every server takes, or a refusal.
import JSON
import Translation

enum RequestFuzz {
    private static let quirks: [Quirk] = [
        .noStop, .noSampling, .noTopK, .noParallelToolCalls, .noStreamOptions, .noPromptCacheKey,
        .noReasoning, .noJSONSchema, .maxCompletionTokens, .maxTokens, .effortNone, .foldedSystem,
        .reasoningContent, .outputLimit(1000),
    ]

    static func run(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let dialect = input.pick(Dialect.all)
        let flags = input.byte()
        let quirk = input.byte()
        let learned = Set(quirk < 128 ? [] : [quirks[quirk % quirks.count]])
        var limits = RequestLimits()
        limits.isStrict = flags & 1 != 0
        limits.emulatesCompaction = flags & 128 != 0
        limits.stripsAttribution = flags & 2 != 0
        if flags & 4 != 0 { limits.minTokens = 100 }
        if flags & 8 != 0 { limits.maxTokens = 200 }
        // A flag stands for several settings: each is of another part of a request.
        limits.showsInputExamples = flags & 2 != 0
        limits.replaysThisTurnAlone = flags & 4 != 0
        if flags & 8 != 0 { limits.reservedToolNames = ["f", "a"] }
        limits.usesDeveloperRole = flags & 32 != 0
        if flags & 16 != 0 { limits.reasoningEffort = flags & 32 != 0 ? "off" : "high" }
        let rules = [
            ModelRule(pattern: "claude-*", model: "gpt-5"), ModelRule(pattern: "*x*y", model: nil),
        ]
        let translator = RequestTranslator(
            models: ModelMap(rules: rules), dialect: dialect, limits: limits)
        let body = input.payload
        do throws(APIError) {
            let request = try translator.translate(
                body, session: flags & 64 != 0 ? "s" : nil, quirks: { _ in learned })
            guard case .upstream(let output, let plan) = request else { return }
            let sent = output.contiguous()
            must(sent.count == output.count, "a count that is not the length")
            ChatRules.check(sent)
            must(!limits.isStrict || plan.losses.isEmpty, "a loss although strict")
        } catch {
            must((400...499).contains(error.status), "the client's mistake is a \(error.status)")
            check(error)
        }
        _ = try? SmallEndpoints.estimate(body, translator) { _ in learned }
    }

    /// An error's body is JSON, and not longer for what the client sent.
    static func check(_ error: APIError) {
        let body = error.body(requestID: "req_1")
        let root = try? JSONDocument(parsing: body).root
        must(root?["error"]?["message"]?.text?.isEmpty == false, "an error without a message")
    }
}
