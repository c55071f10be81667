// What is written down of one exchange: for the metrics, the log line and the answer's headers.
internal import Configuration
internal import EventLoop
internal import Telemetry
internal import Translation
internal import Upstream

/// The books of one exchange; closed once, by `WorkerContext.close`.
final class ExchangeRecord {
    let requestID: String
    let startedAt: Instant

    /// The client's trace, if it sent one.
    var traceID: String?
    /// What Claude Code calls its session.
    var sessionID: String?
    var status = 0
    var isStream = false
    var requestedModel = ""
    var upstreamModel = ""
    var upstreamName = ""
    var requestBytes = 0
    var responseBytes = 0
    var outcome = OutcomeLabel.error
    var stopReason: StopReason?
    var usage: Usage?
    var error: APIError?
    var losses: [String] = []
    var repairs: [String] = []
    var toolCallCount = 0
    /// Whether the limit was used up by reasoning alone.
    private(set) var isStarved = false
    var pings = 0
    /// Input tokens by our own estimate; zero without one.
    private(set) var estimatedInputTokens = 0
    /// Whether thinking is part of the answer, and so of its pace.
    private(set) var showsThinking = false
    /// How often the request was sent upstream again.
    var retries = 0

    private(set) var upstreamStartedAt: Instant?
    private(set) var upstreamHeadAt: Instant?
    private(set) var upstreamStatus = 0
    private(set) var upstreamRequestID: String?
    /// What the upstream calls its answer.
    var completionID: String?
    private(set) var firstTokenAt: Instant?
    private(set) var lastTokenAt: Instant?
    /// The longest time without a byte from the upstream, in a stream.
    private(set) var silenceNanoseconds: UInt64?
    /// What translating the request took.
    private(set) var requestWorkNanoseconds: UInt64?
    /// From the upstream's bytes to the write of what the client saw first.
    private(set) var firstWorkNanoseconds: UInt64?
    /// All time of the sidecar's own.
    private(set) var workNanoseconds: UInt64 = 0
    /// Headers of the upstream's that the answer has too.
    private(set) var clientHeaders: [(String, String)] = []

    init(requestID: String, startedAt: Instant) {
        self.requestID = requestID
        self.startedAt = startedAt
    }

    func note(_ plan: ExchangePlan, _ upstream: UpstreamServer) {
        upstreamName = upstream.name
        isStream = plan.isStream
        requestedModel = plan.requestedModel
        upstreamModel = plan.upstreamModel
        estimatedInputTokens = plan.estimatedInputTokens
        if case .hidden = plan.thinking { showsThinking = false } else { showsThinking = true }
        losses = plan.losses
        repairs = plan.repairs
    }

    func upstreamStarted(_ now: Instant) {
        upstreamStartedAt = now
        upstreamHeadAt = nil
        upstreamStatus = 0
        upstreamRequestID = nil
        completionID = nil
        clientHeaders = []
    }

    func upstreamAnswered(_ head: UpstreamHead, at now: Instant) {
        upstreamHeadAt = now
        upstreamStatus = head.status
        upstreamRequestID = head.header("x-request-id") ?? head.header("request-id")
        clientHeaders = head.clientHeaders(nowNanoseconds: WallClock.nanoseconds())
    }

    func note(_ report: StreamReport) {
        usage = report.usage
        stopReason = report.stopReason
        completionID = report.completionID
        repairs += report.repairs
        if report.usage?.isEstimated == true { repairs.append("usage") }
        losses += report.losses.sorted()
        toolCallCount = report.toolCallCount
        isStarved = report.isStarved
    }

    /// Bytes have gone out to the client.
    func noteOutput(hasToken: Bool, bytes: Int, at now: Instant) {
        responseBytes += bytes
        guard hasToken else { return }
        if firstTokenAt == nil { firstTokenAt = now }
        lastTokenAt = now
    }

    /// The upstream has said nothing for so long.
    func noteSilence(_ nanoseconds: UInt64) {
        silenceNanoseconds = max(silenceNanoseconds ?? 0, nanoseconds)
    }

    /// The request was translated, perhaps not for the first time.
    func noteRequestWork(since start: Instant) {
        let work = Instant.read().nanoseconds(since: start)
        requestWorkNanoseconds = (requestWorkNanoseconds ?? 0) + work
        workNanoseconds += work
    }

    /// Bytes of the upstream's were translated and written; `start` is when they came in.
    func noteAnswerWork(from start: Instant, to end: Instant) {
        let work = end.nanoseconds(since: start)
        if firstWorkNanoseconds == nil { firstWorkNanoseconds = work }
        workNanoseconds += work
    }

    /// An error that the client got as the answer.
    func note(_ error: APIError) {
        status = error.status
        self.error = error
    }
}
