// The errors that the sidecar itself has for a client.
internal import Server
internal import Translation
internal import Upstream

extension APIError {
    static func tooLarge(_ bytesMax: Int) -> APIError {
        APIError(
            .requestTooLarge, "request body is larger than \(bytesMax) bytes",
            label: .callerTooLarge)
    }

    static var tooSlow: APIError {
        APIError(
            .timeout, "the request body came too slowly", label: .callerInvalid, status: 408)
    }

    static var unknownKey: APIError {
        APIError(
            .authentication, "invalid x-api-key", label: .callerAuthentication, shouldRetry: false)
    }

    static var unknownEncoding: APIError {
        var error = APIError.invalid("request bodies may be compressed with gzip only")
        error.code = "request_body_encoding_unsupported"
        return error
    }

    static var overCapacity: APIError {
        APIError(
            .overloaded, "the gateway is at its limit of concurrent requests",
            label: .proxyOverload, retryAfterSeconds: 1)
    }

    static var overBudget: APIError {
        APIError(
            .overloaded, "the gateway is at its limit of memory for requests",
            label: .proxyOverload, retryAfterSeconds: 1)
    }

    static var overDescriptors: APIError {
        APIError(
            .overloaded, "the gateway is at its limit of file descriptors",
            label: .proxyOverload, retryAfterSeconds: 1)
    }

    static var stopping: APIError {
        APIError(
            .overloaded, "the gateway is shutting down; try again", label: .proxyOverload,
            retryAfterSeconds: 1)
    }

    static func servedByNobody(_ model: String) -> APIError {
        APIError(.notFound, "model: \(model) is served by no upstream", label: .callerInvalid)
    }

    static var outOfMemory: APIError {
        APIError(.api, "the gateway cannot start a request", label: .proxyInternal)
    }

    static var answerless: APIError {
        .upstreamProtocol("the upstream ended without an answer")
    }

    static var answerTooLarge: APIError {
        .upstreamProtocol("the upstream's answer is too large")
    }

    /// A transfer that brought no answer (translation 5.3).
    init(_ failure: TransferFailure, host: String) {
        func gateway(_ message: String, _ label: Label, retry: Bool? = nil) -> APIError {
            APIError(.api, message, label: label, status: 502, shouldRetry: retry)
        }
        self =
            switch failure {
            case .resolve: gateway("cannot resolve upstream host \(host)", .upstreamConnect)
            case .connect(let reason):
                gateway(
                    "cannot connect to upstream \(host): \(reason)", .upstreamConnect, retry: true)
            case .connectTimeout:
                APIError(
                    .timeout, "cannot connect to upstream \(host): timed out",
                    label: .upstreamTimeout)
            case .exhausted: .overDescriptors
            case .tls(let reason):
                gateway(
                    "TLS verification failed for \(host): \(reason)", .upstreamTLS, retry: false)
            case .closed:
                gateway(
                    "upstream connection closed before the response was complete", .upstreamConnect)
            case .malformed(let reason):
                gateway("upstream sent a malformed answer: \(reason)", .upstreamProtocol)
            case .other(let reason): gateway("upstream request failed: \(reason)", .upstreamConnect)
            }
    }
}

extension Connection {
    /// Answers with an error in Anthropic's shape.
    func respond(
        _ error: APIError, _ requestID: String, _ headers: [(String, String)] = []
    ) async {
        await respond(
            status: error.status,
            headers: WorkerContext.headers(requestID) + error.headers + headers,
            body: error.body(requestID: requestID))
    }
}
