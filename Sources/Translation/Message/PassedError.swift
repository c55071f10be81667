// Errors of upstreams that speak Anthropic's own interface.
internal import JSON

/// Errors that are in the right shape already; they keep their type and status.
package enum PassedError {
    /// The error for an answer whose status is not 2xx.
    ///
    /// What does not come from an API but from something before it is translated as everywhere.
    package static func translate(
        status: Int, header: (StaticString) -> String?, body: [UInt8], _ context: ErrorContext
    ) -> APIError {
        var error = UpstreamError.translate(status: status, header: header, body: body, context)
        guard let document = try? JSONDocument(parsing: body),
            let kind = kind(document.root), !(status == 401 && context.ownsKey)
        else { return error }
        error.kind = kind
        error.message = document.root["error"]?["message"]?.text?.string ?? error.message
        error.status = status
        error.label = label(kind)
        error.shouldRetry = header("x-should-retry").map { $0 != "false" }
        return error.hiding(context.secrets)
    }

    /// The error inside an answer of 200, or of an `error` event; `nil` when there is none.
    static func inBand(_ root: JSONValue, ownsKey: Bool) -> APIError? {
        guard let kind = kind(root) else { return nil }
        let message = root["error"]?["message"]?.text?.string ?? "upstream told an error"
        if kind == .authentication, ownsKey { return .credentialRejected(message) }
        return APIError(kind, message, label: label(kind))
    }

    private static func kind(_ root: JSONValue) -> APIError.Kind? {
        (root["error"]?["type"]?.text?.string).flatMap { APIError.Kind(rawValue: $0) }
    }

    private static func label(_ kind: APIError.Kind) -> APIError.Label {
        switch kind {
        case .invalidRequest, .notFound, .conflict: .callerInvalid
        case .authentication, .permission: .upstreamAuthentication
        case .requestTooLarge: .callerTooLarge
        case .billing, .rateLimit: .upstreamRateLimit
        case .timeout: .upstreamTimeout
        case .api: .upstream5xx
        case .overloaded: .upstreamOverloaded
        }
    }
}

/// A whole message on its way through.
package enum PassedMessage {
    /// What the books want to know of it; what is no message is an error.
    package static func read(
        _ body: [UInt8], _ plan: ExchangePlan
    ) throws(APIError) -> StreamReport {
        guard let document = try? JSONDocument(parsing: body) else {
            throw .upstreamProtocol("upstream returned what is no JSON")
        }
        let root = document.root
        if let error = PassedError.inBand(root, ownsKey: plan.ownsKey) {
            throw error.hiding(plan.secrets)
        }
        var report = StreamReport()
        if let counts = root["usage"] {
            var usage = Usage()
            usage.note(counts)
            report.usage = usage
        }
        report.stopReason = (root["stop_reason"]?.text?.string).flatMap {
            StopReason(rawValue: $0)
        }
        report.toolCallCount =
            root["content"]?.elements.filter { block in
                block["type"]?.text.map { $0 == "tool_use" } ?? false
            }.count ?? 0
        return report
    }
}
