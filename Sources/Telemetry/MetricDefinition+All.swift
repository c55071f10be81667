// What the workers count: name, kind, help, labels, buckets.

extension MetricDefinition {
    static let requests = counter(
        "requests_total", "Requests answered, by the status sent to the client.",
        [.route, .code, .stream, .model])
    static let requestDuration = seconds(
        "request_duration_seconds", "From a request's head to the last byte of its answer.",
        [.route, .stream, .outcome, .model], Buckets.exchange)
    static let requestsInFlight = gauge("requests_in_flight", "Requests being answered.", [.route])
    static let requestBodyBytes = amounts(
        "request_body_bytes", "Size of request bodies.", [.route], Buckets.bodies)
    static let rejected = counter(
        "rejected_total", "Requests turned away before they were read.", [.rejection])
    static let overhead = seconds(
        "overhead_seconds",
        "Time of the sidecar's own: request is translating it, response_first is from the "
            + "upstream's bytes to the write of what the client sees first, total is all of it.",
        [.phase], Buckets.overhead
    ).shownWhenTouched

    static let timeToFirstToken = seconds(
        "time_to_first_token_seconds", "From a request's head to the first token of a stream.",
        [.model], Buckets.firstToken)
    static let timePerOutputToken = seconds(
        "time_per_output_token_seconds", "Mean time between the tokens of a stream.", [.model],
        Buckets.perToken)
    static let interChunkMax = seconds(
        "inter_chunk_max_seconds", "Longest silence of the upstream in a stream.", [],
        Buckets.silence
    ).shownWhenTouched
    static let streamOutcomes = counter(
        "stream_outcomes_total", "How streams ended; one for each stream.", [.streamOutcome])
    static let streamsInFlight = gauge("streams_in_flight", "Streams being relayed.", [])
    static let pings = counter("pings_sent_total", "Ping events sent into silent streams.", [])
    static let responseBytes = counter("response_bytes_total", "Bytes of answers.", [])

    static let stopReasons = counter(
        "stop_reasons_total", "Why the model stopped.", [.stopReason, .model])
    static let tokens = counter(
        "tokens_total", "Tokens as Anthropic counts them: the three inputs add up.",
        [.tokenType, .model])
    static let tokensPerRequest = amounts(
        "tokens_per_request", "Tokens of one exchange.", [.direction], Buckets.tokens
    ).shownWhenTouched
    static let tokenEstimate = ratio(
        "token_estimate_ratio",
        "Estimated input tokens by those that the upstream counted; 1 is exact.",
        Buckets.aroundOne
    ).unstable
    static let prefixStable = ratio(
        "prefix_stable_ratio",
        "How much of a conversation's last request the next one begins with, byte for byte.",
        Buckets.tenths
    ).unstable
    static let countTokens = counter(
        "count_tokens_total", "Answers of count_tokens, by where the number came from.",
        [.countSource]
    ).shownWhenTouched
    static let toolCalls = counter(
        "tool_calls_total", "Answers with tool calls, by whether there was more than one.",
        [.toolCalls])
    static let errors = counter("errors_total", "Errors told to clients, by cause.", [.errorType])
    static let repairs = counter(
        "repairs_total", "What was mended in histories and answers.", [.repair])
    static let losses = counter(
        "lossy_translations_total", "What could not be translated and was left out.", [.lossField])

    static let upstreamRequests = counter(
        "upstream_requests_total",
        "Requests sent upstream, by the status that came back; 0 is none.", [.code, .attempt])
    static let upstreamFirstByte = seconds(
        "upstream_first_byte_seconds", "From sending a request upstream to the head of its answer.",
        [.model], Buckets.exchange)
    static let upstreamConnect = seconds(
        "upstream_connect_seconds", "Until a connection to the upstream stood.", [.reused],
        Buckets.connect
    ).shownWhenTouched
    static let upstreamRetries = counter(
        "upstream_retries_total", "Requests sent upstream again, by reason.", [.retryReason]
    ).shownWhenTouched
    static let upstreamConnections = gauge(
        "upstream_connections", "Connections to the upstream, by whether they carry a request.",
        [.connectionState])
    static let eventLoopLag = seconds(
        "event_loop_lag_seconds",
        "Work of one round of a worker: for so long whatever came in meanwhile had to wait.", [],
        Buckets.lag
    ).shownWhenTouched

    static let genAITokenUsage = MetricDefinition.foreign(
        "gen_ai_client_token_usage", "Tokens of one exchange, as OpenTelemetry counts them.",
        .histogram(bounds: Buckets.tokens, unitsPerOne: 1), [.genAIDirection, .genAIModel]
    ).shownWhenTouched.unstable
}
