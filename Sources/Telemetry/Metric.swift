// Every metric that is exported, in one place: name, help, labels, buckets.

/// The labels that metrics have; each has a closed set of values.
package enum Label: String, Sendable {
    case route, code, stream, model, outcome, reason, type, attempt, kind, field

    /// The values by their index; `nil` where the index is the value (`code`) or set at the start
    /// (`model`).
    static func values(_ label: Label, of metric: Metric) -> [String]? {
        switch (label, metric) {
        case (.code, _), (.model, _): nil
        case (.route, _): RouteLabel.allCases.map(\.rawValue)
        case (.stream, _): ["false", "true"]
        case (.outcome, _): OutcomeLabel.allCases.map(\.rawValue)
        case (.attempt, _): ["first", "retry"]
        case (.type, .tokens): TokenLabel.allCases.map(\.rawValue)
        case (.type, _): ErrorTypes.all
        case (.reason, .rejected): RejectLabel.allCases.map(\.rawValue)
        case (.reason, _): StopReasons.all
        case (.kind, .toolCalls): ["single", "parallel"]
        case (.kind, _): RepairKinds.all
        case (.field, _): LossFields.all
        }
    }
}

/// Which endpoint a request was for.
package enum RouteLabel: String, Sendable, CaseIterable {
    case messages
    case countTokens = "count_tokens"
    case models
    case other
}

/// How an exchange ended.
package enum OutcomeLabel: String, Sendable, CaseIterable {
    case completed
    case errorEvent = "error_event"
    case upstreamCut = "upstream_cut"
    case clientDisconnect = "client_disconnect"
    case idleTimeout = "idle_timeout"
    case drained
    case error
}

/// What kind of tokens.
package enum TokenLabel: String, Sendable, CaseIterable {
    case input, output
    case cacheRead = "cache_read"
    case cacheCreation = "cache_creation"
    case reasoning
}

/// Why a request was turned away before it was read.
package enum RejectLabel: String, Sendable, CaseIterable {
    case size, concurrency, auth, draining
}

/// Values of `errors_total{type}`.
enum ErrorTypes {
    static let all = [
        "caller_invalid", "caller_auth", "caller_too_large", "context_overflow", "upstream_auth",
        "upstream_rate_limit", "upstream_overloaded", "upstream_5xx", "upstream_timeout",
        "upstream_connect", "upstream_tls", "upstream_protocol", "proxy_overload",
        "proxy_internal", "_OTHER",
    ]
}

/// Values of `stop_reasons_total{reason}`.
enum StopReasons {
    static let all = ["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal", "other"]
}

/// Values of `repairs_total{kind}`.
enum RepairKinds {
    static let all = [
        "orphan_result", "orphan_use", "tool_name", "tool_id", "tool_arguments",
        "parallel_tool_use", "finish_reason", "malformed_chunk", "other",
    ]
}

/// Values of `lossy_translations_total{field}`.
enum LossFields {
    static let all = [
        "safeguards", "speed", "inference_geo", "fallbacks", "diagnostics", "citations", "document",
        "thinking", "tool_use", "tool_result", "web_search", "web_fetch", "code_execution",
        "advisor", "mcp_toolset", "unknown_tool", "duplicate_tool", "unknown_block",
        "server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
        "code_execution_tool_result", "mcp_tool_use", "mcp_tool_result", "compaction", "fallback",
        "other",
    ]
}

/// The metrics.
package enum Metric: Int, Sendable, CaseIterable {
    case requests, requestDuration, timeToFirstToken, tokens, streamOutcomes, stopReasons, errors
    case upstreamRequests, upstreamFirstByte, toolCalls, pings, repairs, losses, rejected
    case responseBytes, requestBodyBytes

    /// The name without the prefix.
    var name: String {
        switch self {
        case .requests: "requests_total"
        case .requestDuration: "request_duration_seconds"
        case .timeToFirstToken: "time_to_first_token_seconds"
        case .tokens: "tokens_total"
        case .streamOutcomes: "stream_outcomes_total"
        case .stopReasons: "stop_reasons_total"
        case .errors: "errors_total"
        case .upstreamRequests: "upstream_requests_total"
        case .upstreamFirstByte: "upstream_first_byte_seconds"
        case .toolCalls: "tool_calls_total"
        case .pings: "pings_sent_total"
        case .repairs: "repairs_total"
        case .losses: "lossy_translations_total"
        case .rejected: "rejected_total"
        case .responseBytes: "response_bytes_total"
        case .requestBodyBytes: "request_body_bytes"
        }
    }

    var help: String {
        switch self {
        case .requests: "Requests answered, by the status sent to the client."
        case .requestDuration: "From a request's head to the last byte of its answer."
        case .timeToFirstToken: "From a request's head to the first token of a stream."
        case .tokens: "Tokens as Anthropic counts them: the three inputs add up."
        case .streamOutcomes: "How streams ended; one for each stream."
        case .stopReasons: "Why the model stopped."
        case .errors: "Errors told to clients, by cause."
        case .upstreamRequests: "Requests sent upstream, by the status that came back; 0 is none."
        case .upstreamFirstByte: "From sending a request upstream to the head of its answer."
        case .toolCalls: "Answers with tool calls, by whether there was more than one."
        case .pings: "Ping events sent into silent streams."
        case .repairs: "What was mended in histories and answers."
        case .losses: "What could not be translated and was left out."
        case .rejected: "Requests turned away before they were read."
        case .responseBytes: "Bytes of answers."
        case .requestBodyBytes: "Size of request bodies."
        }
    }

    var labels: [Label] {
        switch self {
        case .requests: [.route, .code, .stream, .model]
        case .requestDuration: [.route, .stream, .outcome, .model]
        case .timeToFirstToken, .upstreamFirstByte: [.model]
        case .tokens: [.type, .model]
        case .streamOutcomes: [.outcome]
        case .stopReasons: [.reason, .model]
        case .errors: [.type]
        case .upstreamRequests: [.code, .attempt]
        case .toolCalls, .repairs: [.kind]
        case .losses: [.field]
        case .rejected: [.reason]
        case .requestBodyBytes: [.route]
        case .pings, .responseBytes: []
        }
    }

    /// Upper bounds of a histogram's buckets; `nil` for counters.
    var buckets: [Double]? {
        switch self {
        case .requestDuration, .upstreamFirstByte: Self.durations
        case .timeToFirstToken:
            [
                0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5,
                10, 20, 40, 80,
            ]
        case .requestBodyBytes: (0..<9).map { Double(1024 << (2 * $0)) }
        case .requests, .tokens, .streamOutcomes, .stopReasons, .errors, .upstreamRequests,
            .toolCalls, .pings, .repairs, .losses, .rejected, .responseBytes:
            nil
        }
    }

    private static let durations = [
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
        163.84, 327.68,
    ]
}
