// Every metric that the workers count, and where each stands in the declarations.

/// What is counted while requests are served.
package enum Metric: Int, Sendable, CaseIterable {
    case requests, requestDuration, requestsInFlight, requestBodyBytes, rejected, overhead
    case timeToFirstToken, timePerOutputToken, interChunkMax, streamOutcomes, streamsInFlight
    case pings, responseBytes, stopReasons, tokens, tokensPerRequest, tokenEstimate
    case prefixStable, countTokens, toolCalls, errors, repairs, losses
    case upstreamRequests, upstreamFirstByte, upstreamConnect, upstreamRetries
    case upstreamConnections, eventLoopLag, genAITokenUsage

    /// What a scrape says about the metric and how it is laid out.
    var definition: MetricDefinition {
        switch self {
        case .requests: .requests
        case .requestDuration: .requestDuration
        case .requestsInFlight: .requestsInFlight
        case .requestBodyBytes: .requestBodyBytes
        case .rejected: .rejected
        case .overhead: .overhead
        case .timeToFirstToken: .timeToFirstToken
        case .timePerOutputToken: .timePerOutputToken
        case .interChunkMax: .interChunkMax
        case .streamOutcomes: .streamOutcomes
        case .streamsInFlight: .streamsInFlight
        case .pings: .pings
        case .responseBytes: .responseBytes
        case .stopReasons: .stopReasons
        case .tokens: .tokens
        case .tokensPerRequest: .tokensPerRequest
        case .tokenEstimate: .tokenEstimate
        case .prefixStable: .prefixStable
        case .countTokens: .countTokens
        case .toolCalls: .toolCalls
        case .errors: .errors
        case .repairs: .repairs
        case .losses: .losses
        case .upstreamRequests: .upstreamRequests
        case .upstreamFirstByte: .upstreamFirstByte
        case .upstreamConnect: .upstreamConnect
        case .upstreamRetries: .upstreamRetries
        case .upstreamConnections: .upstreamConnections
        case .eventLoopLag: .eventLoopLag
        case .genAITokenUsage: .genAITokenUsage
        }
    }
}
