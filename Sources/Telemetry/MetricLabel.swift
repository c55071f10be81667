// The labels of the metrics and the closed sets of their values.

/// A label and every value it can have; nothing that a client sends ever becomes one.
struct MetricLabel: Sendable {
    /// Where the values come from.
    enum Values: Sendable {
        case closed([String])
        /// Status codes: a key's index is the code itself.
        case code
        /// The configured models, which the registry knows.
        case model
        /// What the process was told at its start, one value each.
        case told
    }

    let name: String
    let values: Values

    private init(_ name: String, _ values: Values) {
        self.name = name
        self.values = values
    }

    private init<Value: CaseIterable & RawRepresentable<String>>(
        _ name: String, _ type: Value.Type
    ) {
        self.init(name, .closed(type.allCases.map(\.rawValue)))
    }

    /// Whether the label is fit for a series that is shown before anything happened.
    var isClosed: Bool {
        if case .closed = values { true } else { false }
    }

    static let route = MetricLabel("route", RouteLabel.self)
    static let code = MetricLabel("code", .code)
    static let stream = MetricLabel("stream", .closed(["false", "true"]))
    static let model = MetricLabel("model", .model)
    static let outcome = MetricLabel("outcome", OutcomeLabel.self)
    static let phase = MetricLabel("phase", PhaseLabel.self)
    static let tokenType = MetricLabel("type", TokenLabel.self)
    static let direction = MetricLabel("type", .closed(["input", "output"]))
    static let genAIDirection = MetricLabel("gen_ai_token_type", .closed(["input", "output"]))
    static let genAIModel = MetricLabel("gen_ai_request_model", .model)
    static let errorType = MetricLabel("type", .closed(ErrorTypes.all))
    static let stopReason = MetricLabel("reason", .closed(StopReasons.all))
    static let rejection = MetricLabel("reason", RejectLabel.self)
    static let retryReason = MetricLabel("reason", RetryLabel.self)
    static let attempt = MetricLabel("attempt", .closed(["first", "retry"]))
    static let reused = MetricLabel("reused", .closed(["false", "true"]))
    static let toolCalls = MetricLabel("kind", .closed(["single", "parallel"]))
    static let repair = MetricLabel("kind", .closed(RepairKinds.all))
    static let lossField = MetricLabel("field", .closed(LossFields.all))
    static let streamOutcome = MetricLabel(
        "outcome", .closed(OutcomeLabel.allCases.filter { $0 != .error }.map(\.rawValue)))
    static let connectionState = MetricLabel("state", ConnectionLabel.self)
    static let breaker = MetricLabel("state", BreakerLabel.self)
    static let quirk = MetricLabel("quirk", .told)
    static let countSource = MetricLabel("source", CountLabel.self)

    /// A label whose one value is known at the start.
    static func told(_ name: String) -> MetricLabel { MetricLabel(name, .told) }
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

/// Which part of an exchange is the sidecar's own work.
package enum PhaseLabel: String, Sendable, CaseIterable {
    case request
    case responseFirst = "response_first"
    case total
}

/// Where an answer of count_tokens came from.
package enum CountLabel: String, Sendable, CaseIterable {
    case estimate, learned
}

/// What a connection to the upstream does.
package enum ConnectionLabel: String, Sendable, CaseIterable {
    case idle, active
}

/// What kind of tokens.
package enum TokenLabel: String, Sendable, CaseIterable {
    case input, output
    case cacheRead = "cache_read"
    case cacheCreation = "cache_creation"
    case reasoning
}

/// Why a request was turned away before the upstream was asked.
package enum RejectLabel: String, Sendable, CaseIterable {
    case size, budget, concurrency, auth, draining, descriptors
    case rateLimit = "rate_limit"
    case tokenBudget = "token_budget"
    case peer = "peer_connections"
}

/// Whether an upstream is asked: always, not now, or by one request that tries it.
package enum BreakerLabel: String, Sendable, CaseIterable {
    case closed, open
    case halfOpen = "half_open"
}

/// Why a request was sent upstream again.
package enum RetryLabel: String, Sendable, CaseIterable {
    case tooManyRequests = "429"
    case serverError = "5xx"
    case connect
    case descriptors
    case staleConnection = "stale_conn"
    case unsupportedParameter = "unsupported_param"
    case failover
}

/// Values of `errors_total{type}`; they are the labels of the errors that clients get.
enum ErrorTypes {
    static let all = [
        "caller_invalid", "caller_auth", "caller_too_large", "context_overflow", "upstream_auth",
        "upstream_rate_limit", "upstream_overloaded", "upstream_5xx", "upstream_timeout",
        "upstream_connect", "upstream_tls", "upstream_protocol", "proxy_overload",
        "proxy_rate_limit", "proxy_internal", "_OTHER",
    ]
}

/// Values of `stop_reasons_total{reason}`.
enum StopReasons {
    static let all = [
        "end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal", "compaction",
        "pause_turn", "model_context_window_exceeded", "other",
    ]
}

/// Values of `repairs_total{kind}`; a kind that is not listed counts as `other`.
enum RepairKinds {
    static let all = [
        "empty_block", "orphan_result", "orphan_use", "surrogate", "tool_name", "tool_id",
        "tool_arguments", "schema", "prefill", "max_tokens", "parallel_tool_use", "finish_reason",
        "missing_end", "malformed_chunk", "computer_tool", "unknown_tool", "json_fence", "usage",
        "other",
    ]
}

/// Values of `lossy_translations_total{field}`; a field that is not listed counts as `other`.
enum LossFields {
    static let all = [
        "safeguards", "speed", "inference_geo", "fallbacks", "fallback_credit_token",
        "billing_policy", "diagnostics", "context_management", "task_budget", "temperature",
        "top_p", "top_k", "tool_choice", "strict", "citations", "document", "image", "thinking",
        "tool_use", "tool_result", "web_search", "web_fetch", "code_execution", "advisor",
        "mcp_toolset", "computer_toolset", "browser_toolset", "allowed_callers", "unknown_tool",
        "duplicate_tool", "effort", "output_config", "output_format", "web_search_filter",
        "input_examples", "browser_state", "container_upload", "mcp_tool_listing", "fallback",
        "audio", "annotations", "choice", "unknown_block", "other",
    ]
}

/// Values of `code`: the statuses that proxies and model servers really send.
enum StatusCodes {
    /// What the label says; the last is for every other code.
    static let labels: [String] = codes.map(String.init) + ["other"]

    private static let codes = [
        0, 200, 201, 202, 204, 304, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 413, 414,
        415, 417, 421, 422, 424, 425, 426, 429, 431, 451, 498, 499, 500, 501, 502, 503, 504, 505,
        507, 520, 521, 522, 523, 524, 525, 526, 529, 530,
    ]

    /// Place of each code below 600 among the labels.
    private static let places: [UInt8] = {
        var places = [UInt8](repeating: UInt8(codes.count), count: 600)
        for (place, code) in codes.enumerated() { places[code] = UInt8(place) }
        return places
    }()

    static func place(of code: Int) -> Int {
        places.indices.contains(code) ? Int(places[code]) : codes.count
    }
}
