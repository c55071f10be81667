// What is written down of one exchange: for the metrics, the log line and the answer's headers.
internal import Configuration
internal import EventLoop
internal import Telemetry
internal import Translation
internal import Upstream

/// The books of one exchange; closed once, by `WorkerContext.close`.
struct ExchangeRecord {
    let requestID: String
    let startedAt: Instant

    /// The client's trace, if it sent one.
    var traceID: String?
    var status = 0
    var isStream = false
    var requestedModel = ""
    var upstreamModel = ""
    var requestBytes = 0
    var responseBytes = 0
    var outcome = OutcomeLabel.error
    var stopReason: StopReason?
    var usage: Usage?
    var error: APIError?
    var losses: [String] = []
    var repairs: [String] = []
    var toolCallCount = 0
    var pings = 0
    /// How often the request was sent upstream again.
    var retries = 0

    private(set) var upstreamStartedAt: Instant?
    private(set) var upstreamHeadAt: Instant?
    private(set) var upstreamStatus = 0
    private(set) var upstreamRequestID: String?
    private(set) var firstTokenAt: Instant?
    /// Headers of the upstream's that the answer has too.
    private(set) var clientHeaders: [(String, String)] = []

    init(requestID: String, startedAt: Instant) {
        self.requestID = requestID
        self.startedAt = startedAt
    }

    mutating func note(_ plan: ExchangePlan) {
        isStream = plan.isStream
        requestedModel = plan.requestedModel
        upstreamModel = plan.upstreamModel
        losses = plan.losses
        repairs = plan.repairs
    }

    mutating func upstreamStarted(_ now: Instant) {
        upstreamStartedAt = now
        upstreamHeadAt = nil
        upstreamStatus = 0
        upstreamRequestID = nil
        clientHeaders = []
    }

    mutating func upstreamAnswered(_ head: UpstreamHead, at now: Instant) {
        upstreamHeadAt = now
        upstreamStatus = head.status
        upstreamRequestID = head.header("x-request-id")
        clientHeaders = head.clientHeaders(nowNanoseconds: WallClock.nanoseconds())
    }

    mutating func note(_ report: StreamReport) {
        usage = report.usage
        stopReason = report.stopReason
        repairs += report.repairs
        losses += report.losses.sorted()
        toolCallCount = report.toolCallCount
    }

    mutating func noteOutput(hasToken: Bool, bytes: Int, at now: Instant) {
        responseBytes += bytes
        if hasToken, firstTokenAt == nil { firstTokenAt = now }
    }

    /// An error that the client got as the answer.
    mutating func note(_ error: APIError) {
        status = error.status
        self.error = error
    }
}

extension ExchangeRecord {
    /// Adds the exchange to the metrics.
    func count(
        _ metrics: MetricsShard, _ registry: MetricsRegistry, route: RouteLabel, now: Instant
    ) {
        let model = registry.modelIndex(upstreamModel)
        let stream = isStream ? 1 : 0
        let route = route.labelIndex
        metrics.add(.requests, SeriesKey(route, status, stream, model))
        metrics.observe(
            .requestDuration, SeriesKey(route, stream, outcome.labelIndex, model),
            Self.seconds(startedAt, now))
        metrics.observe(.requestBodyBytes, SeriesKey(route), Double(requestBytes))
        metrics.add(.responseBytes, SeriesKey(), responseBytes)
        if isStream, status == 200 { metrics.add(.streamOutcomes, SeriesKey(outcome.labelIndex)) }
        if let firstTokenAt {
            metrics.observe(
                .timeToFirstToken, SeriesKey(model), Self.seconds(startedAt, firstTokenAt))
        }
        if let upstreamStartedAt, let upstreamHeadAt {
            metrics.observe(
                .upstreamFirstByte, SeriesKey(model),
                Self.seconds(upstreamStartedAt, upstreamHeadAt))
        }
        if let stopReason {
            metrics.add(.stopReasons, SeriesKey(LabelIndex.stopReason(stopReason.rawValue), model))
        }
        if let error { metrics.add(.errors, SeriesKey(LabelIndex.error(error.label.rawValue))) }
        if toolCallCount > 0 { metrics.add(.toolCalls, SeriesKey(toolCallCount > 1 ? 1 : 0)) }
        if pings > 0 { metrics.add(.pings, SeriesKey(), pings) }
        for repair in repairs { metrics.add(.repairs, SeriesKey(LabelIndex.repair(repair))) }
        for loss in losses { metrics.add(.losses, SeriesKey(LabelIndex.loss(loss))) }
        if let usage { count(usage, metrics, model) }
    }

    private func count(_ usage: Usage, _ metrics: MetricsShard, _ model: Int) {
        let amounts: [(TokenLabel, Int)] = [
            (.input, usage.inputTokens), (.output, usage.outputTokens),
            (.cacheRead, usage.cacheReadTokens), (.cacheCreation, usage.cacheCreationTokens),
            (.reasoning, usage.thinkingTokens ?? 0),
        ]
        for (label, amount) in amounts where amount > 0 {
            metrics.add(.tokens, SeriesKey(label.labelIndex, model), amount)
        }
    }

    private static func seconds(_ start: Instant, _ end: Instant) -> Double {
        Double(end.nanoseconds(since: start)) / 1e9
    }

    /// Writes the one line of the exchange.
    func write(to log: Log, route: RouteLabel, now: Instant) {
        log.write(.info, "request") { line in
            line.add("request_id", requestID)
            line.add("trace_id", traceID)
            line.add("route", route.rawValue)
            line.add("model", requestedModel)
            line.add("upstream_model", upstreamModel)
            line.add("stream", isStream)
            line.add("status", status)
            line.add("outcome", outcome.rawValue)
            line.add("stop_reason", stopReason?.rawValue)
            line.add("error", error?.label.rawValue)
            line.add("input_tokens", usage?.inputTokens)
            line.add("cache_read_tokens", usage?.cacheReadTokens)
            line.add("output_tokens", usage?.outputTokens)
            line.add("ttft_ms", milliseconds: firstTokenAt.map { $0.nanoseconds(since: startedAt) })
            line.add("duration_ms", milliseconds: now.nanoseconds(since: startedAt))
            line.add("upstream_status", upstreamStatus > 0 ? upstreamStatus : nil)
            line.add("upstream_request_id", upstreamRequestID)
            line.add("retries", retries > 0 ? retries : nil)
            line.add("lossy", losses.isEmpty ? nil : losses.count)
            line.add("repairs", repairs.isEmpty ? nil : repairs.count)
        }
    }
}
