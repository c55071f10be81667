// An exchange and our own limits: asking, telling, settling.
internal import Bytes
internal import Configuration
internal import EventLoop
internal import Telemetry
internal import Translation

extension MessagesExchange {
    private var limits: RateLimits { context.shared.rateLimits }

    /// Has the request counted, or refuses it before the upstream hears of it.
    func enter(_ plan: ExchangePlan) throws(ExchangeEnd) {
        do throws(ModelAllowance.Excess) {
            grant = try limits.enter(
                model: plan.upstreamModel, tokens: plan.estimatedInputTokens, now: Self.now)
        } catch {
            context.reject(error.limit == .budget ? .tokenBudget : .rateLimit)
            throw .error(APIError(error, model: plan.requestedModel))
        }
    }

    /// Corrects the count by what the upstream reports, once the answer is out.
    func settle() {
        guard let grant else { return }
        limits.settle(grant, used: record.usage?.total ?? unreported(grant), now: Self.now)
    }

    /// Who sends no answer counts nothing; who broke off in one has counted at least its input.
    private func unreported(_ grant: RateLimits.Grant) -> Int {
        200..<300 ~= record.upstreamStatus ? grant.estimate : 0
    }

    /// Headers of every answer: the upstream's, and our own limits where they are tighter.
    var answerHeaders: [(String, String)] {
        let now = Self.now
        let (requests, tokens) = limits.figures(of: record.upstreamModel, now: now)
        var headers = record.clientHeaders
        if let id = record.completionID { headers.append(("x-upstream-id", id)) }
        LimitHeaders.merge(requests, "requests", into: &headers)
        LimitHeaders.merge(tokens, "tokens", into: &headers)
        return headers
    }

    private static var now: Int { Int(clamping: WallClock.nanoseconds()) }
}

/// `anthropic-ratelimit-…`, as Anthropic's clients read them.
enum LimitHeaders {
    /// Puts figures of ours in the place of the upstream's, unless the upstream has less left.
    static func merge(
        _ figures: ModelAllowance.Figures?, _ what: String, into headers: inout [(String, String)]
    ) {
        guard let figures else { return }
        let prefix = "anthropic-ratelimit-\(what)-"
        let theirs = headers.first { $0.0 == prefix + "remaining" }.flatMap { Int($0.1) }
        if let theirs, theirs < figures.remaining { return }
        headers.removeAll { $0.0.hasPrefix(prefix) }
        var reset: [UInt8] = []
        // A moment later is true as well, a moment earlier is not.
        reset.append(timestamp: figures.resetsAt + 999_999)
        headers += [
            (prefix + "limit", String(figures.limit)),
            (prefix + "remaining", String(figures.remaining)),
            (prefix + "reset", String(decoding: reset, as: UTF8.self)),
        ]
    }
}

extension APIError {
    /// A request over one of our limits.
    init(_ excess: ModelAllowance.Excess, model: String) {
        let what =
            switch excess.limit {
            case .requests: "requests a minute"
            case .tokens: "tokens a minute"
            case .budget: "tokens in its budget"
            }
        let seconds = (excess.wait + 999_999_999) / 1_000_000_000
        self.init(
            .rateLimit, "the gateway's limit of \(what) for \(model) is reached",
            label: .proxyRateLimit, retryAfterSeconds: seconds,
            // Clients would try again within seconds, and once more, and then give up.
            shouldRetry: seconds > 60 ? false : nil)
    }
}

extension Usage {
    /// All tokens that went in and came out.
    fileprivate var total: Int {
        inputTokens + cacheReadTokens + cacheCreationTokens + outputTokens
    }
}
