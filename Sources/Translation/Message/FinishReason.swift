// Why a completion ended, in the words of many servers (translation 3.4).
internal import JSON

/// What a `finish_reason` means.
enum FinishReason: Equatable, Sendable {
    case stop, length, toolCalls, contentFilter, error, overloaded

    /// Reads the reason; unknown ones count as `stop`.
    init(_ text: String) {
        switch text {
        case "tool_calls", "function_call", "tool_use": self = .toolCalls
        case "length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "model_length":
            self = .length
        case "content_filter", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST":
            self = .contentFilter
        case "error", "abort", "cancelled": self = .error
        case "insufficient_system_resource": self = .overloaded
        default: self = .stop
        }
    }

    /// Whether a reason is one that some server is known to give.
    static func isKnown(_ text: String) -> Bool {
        FinishReason(text) != .stop || ordinary.contains(text)
    }

    private static let ordinary: Set = [
        "stop", "eos", "eos_token", "end_turn", "complete", "STOP", "stop_sequence",
    ]

    /// The stop reason for the client; content decides over the server's word, since many local
    /// servers say `stop` after tool calls and Claude Code fails on `tool_use` without one.
    func stopReason(hasToolUse: Bool) -> StopReason {
        switch self {
        case .length: .maxTokens
        case .contentFilter: .refusal
        case .stop, .toolCalls, .error, .overloaded: hasToolUse ? .toolUse : .endTurn
        }
    }

    /// The error for reasons that are failures.
    var failure: APIError? {
        switch self {
        case .stop, .length, .toolCalls, .contentFilter: nil
        case .error:
            APIError(.api, "the upstream ended with an error", label: .upstream5xx, status: 502)
        case .overloaded:
            APIError(.overloaded, "the upstream is short of resources", label: .upstreamOverloaded)
        }
    }
}

/// What a refused answer says of itself.
enum RefusalDetails {
    /// Appends the value of `stop_details`.
    static func append(_ explanation: [UInt8]?, to bytes: inout [UInt8]) {
        bytes += Array(#"{"type":"refusal","category":null,"explanation":""#.utf8)
        if let explanation {
            JSONEscape.append(explanation, to: &bytes)
        } else {
            bytes += Array("Blocked by the upstream content filter.".utf8)
        }
        bytes += Array(#""}"#.utf8)
    }
}
