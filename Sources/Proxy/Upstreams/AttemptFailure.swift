// Why one attempt at an upstream brought no answer.
internal import Telemetry
internal import Translation
internal import Upstream

/// A failed attempt: what the client would be told, and what may be done about it.
///
/// It ends before a byte of the answer has gone to the client.
struct AttemptFailure: Error {
    enum Cause: Equatable {
        /// No connection came about: the request never reached the upstream.
        case connect
        /// This process has no descriptor for a connection.
        case exhausted
        /// A connection that had served before was dead already.
        case stale
        /// The connection ended before the answer was whole.
        case cut
        /// Trust is missing; trying again cannot mend that.
        case tls
        /// The upstream answered with an error, by status or inside an answer of 200.
        case status(Int)
        /// One of our own watchdogs has barked.
        case silence
        /// What came is no answer of a model.
        case malformed
    }

    /// What servers answer while they, or what stands before them, have a bad moment; 498 is Groq
    /// without capacity, 520 to 523 are Cloudflare in front of a server that is away.
    private static let transientStatuses: Set = [
        429, 498, 500, 502, 503, 504, 520, 521, 522, 523, 529,
    ]

    var error: APIError
    let cause: Cause
    /// What a refusal teaches about the upstream, if it does.
    var quirk: Quirk?

    init(_ error: APIError, _ cause: Cause) {
        self.error = error
        self.cause = cause
    }

    /// A transfer that brought no whole answer.
    init(_ failure: TransferFailure, isReused: Bool, host: String) {
        error = APIError(failure, host: host)
        cause =
            switch failure {
            case .resolve, .connect, .connectTimeout: .connect
            case .exhausted: .exhausted
            case .tls: .tls
            case .closed(let answered, _): isReused && !answered ? .stale : .cut
            case .malformed, .other: .malformed
            }
    }

    /// An error that the answer itself tells: it counts as the status it stands for
    /// (translation 0.8).
    init(told error: APIError) {
        self.error = error
        quirk = error.quirk
        cause =
            switch error.label {
            case .upstreamConnect: .cut
            case .upstreamTLS: .tls
            case .upstreamProtocol: .malformed
            case .upstreamTimeout: .silence
            case .callerInvalid, .callerAuthentication, .callerTooLarge, .contextOverflow,
                .upstreamAuthentication, .upstreamRateLimit, .upstreamOverloaded, .upstream5xx,
                .proxyOverload, .proxyRateLimit, .proxyInternal, .other:
                .status(error.status)
            }
    }

    /// Whether the same request may succeed a moment later.
    var isTransient: Bool {
        guard error.shouldRetry != false else { return false }
        return switch cause {
        case .connect, .stale, .cut: true
        case .status(let status): Self.transientStatuses.contains(status)
        case .exhausted, .tls, .silence, .malformed: false
        }
    }

    /// Whether a moment will not help: nobody was reached, or patience was asked for.
    var isLasting: Bool {
        guard cause != .connect, cause != .tls else { return true }
        return error.retryAfterSeconds.map { .seconds($0) > RetryPolicy.impatience } ?? false
    }

    /// Whether another upstream may do better: this one is away, broken or has had enough.
    var isPortable: Bool {
        switch cause {
        case .connect, .stale, .cut, .tls, .malformed: true
        case .status(let status): status == 429 || status == 498 || status >= 500
        case .exhausted, .silence: false
        }
    }

    /// Whether the upstream is well all the same; `nil` when it was never asked.
    var verdict: Bool? {
        switch cause {
        case .exhausted: nil
        case .silence: false
        case .connect, .stale, .cut, .tls, .status, .malformed: !isPortable
        }
    }

    /// The reason, for the metrics.
    var label: RetryLabel {
        switch cause {
        case .stale: .staleConnection
        case .exhausted: .descriptors
        case .status(429): .tooManyRequests
        case .status: .serverError
        case .connect, .cut, .tls, .silence, .malformed: .connect
        }
    }
}
