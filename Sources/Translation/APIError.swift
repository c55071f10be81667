// Errors as Anthropic's API shapes them (translation 5).
internal import Bytes
internal import JSON

/// An error answer in the shape that Anthropic's clients check.
package struct APIError: Error, Equatable, Sendable {
    /// `error.type`, a closed set.
    package enum Kind: String, Sendable, CaseIterable {
        case invalidRequest = "invalid_request_error"
        case authentication = "authentication_error"
        case billing = "billing_error"
        case permission = "permission_error"
        case notFound = "not_found_error"
        case conflict = "conflict_error"
        case requestTooLarge = "request_too_large"
        case rateLimit = "rate_limit_error"
        case timeout = "timeout_error"
        case api = "api_error"
        case overloaded = "overloaded_error"
    }

    /// What went wrong, for the `errors_total` metric; a closed set (operations, section 3).
    package enum Label: String, Sendable, CaseIterable {
        case callerInvalid = "caller_invalid"
        case callerAuthentication = "caller_auth"
        case callerTooLarge = "caller_too_large"
        case contextOverflow = "context_overflow"
        case upstreamAuthentication = "upstream_auth"
        case upstreamRateLimit = "upstream_rate_limit"
        case upstreamOverloaded = "upstream_overloaded"
        case upstream5xx = "upstream_5xx"
        case upstreamTimeout = "upstream_timeout"
        case upstreamConnect = "upstream_connect"
        case upstreamTLS = "upstream_tls"
        case upstreamProtocol = "upstream_protocol"
        case proxyOverload = "proxy_overload"
        case proxyRateLimit = "proxy_rate_limit"
        case proxyInternal = "proxy_internal"
        case other = "_OTHER"
    }

    /// Status of the HTTP answer; meaningless once a stream has begun.
    package var status: Int
    /// `error.type`.
    package var kind: Kind
    /// For a person; never a key, a prompt or a body.
    package var message: String
    /// `error.details.error_code`, where a client looks for one.
    package var code: String?
    /// `retry-after` in seconds.
    package var retryAfterSeconds: Int?
    /// `x-should-retry`, only where the client's own rule would be wrong.
    package var shouldRetry: Bool?
    /// The cause, for the metrics.
    package var label: Label
    /// Whether the upstream's filter has refused the prompt.
    package var isFiltered = false
    /// What a refusal inside an answer of 200 teaches about the upstream.
    package var quirk: Quirk?

    /// An error with the status that belongs to its kind, unless another is given.
    package init(
        _ kind: Kind, _ message: String, label: Label, status: Int? = nil, code: String? = nil,
        retryAfterSeconds: Int? = nil, shouldRetry: Bool? = nil
    ) {
        self.status = status ?? kind.status
        self.kind = kind
        self.message = message
        self.label = label
        self.code = code
        self.retryAfterSeconds = retryAfterSeconds
        self.shouldRetry = shouldRetry
    }

    /// A request that the client has to mend.
    package static func invalid(_ message: String) -> APIError {
        APIError(.invalidRequest, message, label: .callerInvalid)
    }
}

extension APIError.Kind {
    /// The status that Anthropic's API answers with.
    package var status: Int {
        switch self {
        case .invalidRequest: 400
        case .authentication: 401
        case .billing: 402
        case .permission: 403
        case .notFound: 404
        case .conflict: 409
        case .requestTooLarge: 413
        case .rateLimit: 429
        case .timeout: 504
        case .api: 500
        case .overloaded: 529
        }
    }
}

extension APIError {
    /// The body of an error answer.
    package func body(requestID: String) -> [UInt8] {
        var bytes: [UInt8] = []
        appendBody(requestID: requestID, to: &bytes)
        return bytes
    }

    /// Appends the body, which is also the data of an `error` event.
    func appendBody(requestID: String, to bytes: inout [UInt8]) {
        bytes.append(#"{"type":"error","error":{"type":""#)
        bytes.append(kind.rawValue)
        bytes.append(#"","message":""#)
        JSONEscape.append(message, to: &bytes)
        bytes.append("\"")
        if let code {
            bytes.append(#","details":{"error_code":""#)
            JSONEscape.append(code, to: &bytes)
            bytes.append(#""}"#)
        }
        bytes.append(#"},"request_id":""#)
        JSONEscape.append(requestID, to: &bytes)
        bytes.append(#""}"#)
    }

    /// The headers that tell a client when, and whether, to try again.
    package var headers: [(String, String)] {
        var headers: [(String, String)] = []
        if let retryAfterSeconds { headers.append(("retry-after", String(retryAfterSeconds))) }
        if let shouldRetry { headers.append(("x-should-retry", shouldRetry ? "true" : "false")) }
        return headers
    }
}
