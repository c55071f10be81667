// What becomes of an exchange's record: counts for the metrics, one line of the log.
internal import Configuration
internal import EventLoop
internal import Telemetry
internal import Translation

extension ExchangeRecord {
    /// Adds the exchange to the metrics.
    func count(
        _ metrics: MetricsShard, _ registry: MetricsRegistry, route: RouteLabel, now: Instant
    ) {
        let model = registry.modelIndex(upstreamModel)
        let stream = isStream ? 1 : 0
        let route = route.labelIndex
        metrics.add(.requests, SeriesKey(route, status, stream, model))
        observe(
            .requestDuration, SeriesKey(route, stream, outcome.labelIndex, model), startedAt, now,
            in: metrics)
        metrics.observe(.requestBodyBytes, SeriesKey(route), Double(requestBytes))
        metrics.add(.responseBytes, SeriesKey(), responseBytes)
        if isStream, status == 200 { metrics.add(.streamOutcomes, SeriesKey(outcome.labelIndex)) }
        countTimes(metrics, model)
        if let stopReason {
            metrics.add(.stopReasons, SeriesKey(LabelIndex.stopReason(stopReason.rawValue), model))
        }
        if let error { metrics.add(.errors, SeriesKey(LabelIndex.error(error.label.rawValue))) }
        if toolCallCount > 0 { metrics.add(.toolCalls, SeriesKey(toolCallCount > 1 ? 1 : 0)) }
        if pings > 0 { metrics.add(.pings, SeriesKey(), pings) }
        for repair in repairs { metrics.add(.repairs, SeriesKey(LabelIndex.repair(repair))) }
        for loss in losses { metrics.add(.losses, SeriesKey(LabelIndex.loss(loss))) }
        if let usage {
            count(usage, metrics, model)
            if registry.hasGenAINames { mirror(usage, metrics, model) }
        }
    }

    /// A latency, with the client's trace as the exemplar of its bucket.
    private func observe(
        _ metric: Metric, _ key: SeriesKey, _ start: Instant, _ end: Instant,
        in metrics: MetricsShard
    ) {
        let seconds = Self.seconds(start, end)
        guard let traceID else { return metrics.observe(metric, key, seconds) }
        metrics.observe(
            metric, key, seconds, traceID: traceID,
            seconds: Double(WallClock.nanoseconds() / 1_000_000) / 1000)
    }

    private func countTimes(_ metrics: MetricsShard, _ model: Int) {
        if let upstreamStartedAt, let upstreamHeadAt {
            observe(
                .upstreamFirstByte, SeriesKey(model), upstreamStartedAt, upstreamHeadAt,
                in: metrics)
        }
        if let firstTokenAt {
            observe(.timeToFirstToken, SeriesKey(model), startedAt, firstTokenAt, in: metrics)
        }
        if let pace = secondsPerToken {
            metrics.observe(.timePerOutputToken, SeriesKey(model), pace)
        }
        if let silenceNanoseconds {
            metrics.observe(.interChunkMax, SeriesKey(), Double(silenceNanoseconds) / 1e9)
        }
        // Who was turned away before there was anything to do has no overhead.
        guard let requestWorkNanoseconds else { return }
        let phases: [(PhaseLabel, UInt64?)] = [
            (.request, requestWorkNanoseconds),
            (.responseFirst, firstWorkNanoseconds), (.total, workNanoseconds),
        ]
        for case (let phase, let work?) in phases {
            metrics.observe(.overhead, SeriesKey(phase.labelIndex), Double(work) / 1e9)
        }
    }

    /// Mean time between the tokens of a stream, as the client saw it: thinking that it was not
    /// shown came before its first token.
    private var secondsPerToken: Double? {
        guard case .completed = outcome, let usage, !usage.isEstimated, let firstTokenAt,
            let lastTokenAt
        else { return nil }
        let unseen = showsThinking ? 0 : usage.thinkingTokens ?? 0
        let gaps = usage.outputTokens - unseen - 1
        return gaps > 0 ? Self.seconds(firstTokenAt, lastTokenAt) / Double(gaps) : nil
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
        let input = usage.wholeInputTokens
        for (direction, amount) in [input, usage.outputTokens].enumerated() {
            metrics.observe(.tokensPerRequest, SeriesKey(direction), Double(amount))
        }
        guard !usage.isEstimated, estimatedInputTokens > 0, input > 0 else { return }
        metrics.observe(
            .tokenEstimate, SeriesKey(), Double(estimatedInputTokens) / Double(input))
    }

    private func mirror(_ usage: Usage, _ metrics: MetricsShard, _ model: Int) {
        for (direction, amount) in [usage.wholeInputTokens, usage.outputTokens].enumerated() {
            metrics.observe(.genAITokenUsage, SeriesKey(direction, model), Double(amount))
        }
    }

    private static func seconds(_ start: Instant, _ end: Instant) -> Double {
        Double(end.nanoseconds(since: start)) / 1e9
    }

    /// Writes the one line of the exchange.
    func write(to lines: inout LogLines, of log: Log, route: RouteLabel, now: Instant) {
        log.write(level, "request", to: &lines) { line in
            line.add("request_id", requestID)
            line.add("trace_id", traceID)
            line.add("session_id", sessionID)
            line.add("route", route.rawValue)
            line.add("model", requestedModel)
            line.add("upstream_model", upstreamModel)
            line.add("upstream_name", upstreamName)
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
            line.add("overhead_ms", milliseconds: workNanoseconds > 0 ? workNanoseconds : nil)
            line.add("upstream_status", upstreamStatus > 0 ? upstreamStatus : nil)
            line.add("upstream_request_id", upstreamRequestID)
            line.add("upstream_id", completionID)
            line.add("retries", retries > 0 ? retries : nil)
            line.add("lossy", losses.isEmpty ? nil : losses.count)
            line.add("repairs", repairs.isEmpty ? nil : repairs.count)
        }
    }

    private var level: Settings.LogLevel { error?.level ?? .info }
}

extension APIError {
    /// What a client does wrong, or too often, is no matter of ours; what the upstream does wrong,
    /// or we have no room for, somebody may want to see who sees nothing else.
    fileprivate var level: Settings.LogLevel {
        switch label {
        case .upstreamAuthentication, .upstreamRateLimit, .upstreamOverloaded, .upstream5xx,
            .upstreamTimeout, .upstreamConnect, .upstreamTLS, .upstreamProtocol, .proxyOverload:
            .warn
        case .proxyInternal: .error
        case .callerInvalid, .callerAuthentication, .callerTooLarge, .contextOverflow,
            .proxyRateLimit, .other:
            .info
        }
    }
}

extension Usage {
    /// What the model read, wherever it came from.
    fileprivate var wholeInputTokens: Int { inputTokens + cacheReadTokens + cacheCreationTokens }
}
