// What whoever serves requests says to the books, in words.

extension MetricsShard {
    /// A request was turned away before it was read.
    package func rejected(_ reason: RejectLabel) {
        add(.rejected, SeriesKey(reason.labelIndex))
    }

    /// The upstream was asked; `status` 0 is no answer.
    package func attempted(status: Int, isRetry: Bool) {
        add(.upstreamRequests, SeriesKey(status, isRetry ? 1 : 0))
    }

    /// A request is sent upstream again.
    package func retried(_ reason: RetryLabel) {
        add(.upstreamRetries, SeriesKey(reason.labelIndex))
    }

    /// A request went out over a new connection or over an old one.
    package func connected(isReused: Bool, seconds: Double) {
        observe(.upstreamConnect, SeriesKey(isReused ? 1 : 0), seconds)
    }

    /// A count_tokens request was answered.
    package func countedTokens(_ source: CountLabel) {
        add(.countTokens, SeriesKey(source.labelIndex))
    }

    /// How many connections to the upstream there are now.
    package func connections(idle: Int, active: Int) {
        set(.upstreamConnections, SeriesKey(ConnectionLabel.idle.labelIndex), idle)
        set(.upstreamConnections, SeriesKey(ConnectionLabel.active.labelIndex), active)
    }

    /// Counts a request that begins (1) or ends (-1).
    package func inFlight(_ route: RouteLabel, _ change: Int) {
        add(.requestsInFlight, SeriesKey(route.labelIndex), change)
    }

    /// Counts a stream that begins (1) or ends (-1).
    package func streamsInFlight(_ change: Int) { add(.streamsInFlight, SeriesKey(), change) }
}
