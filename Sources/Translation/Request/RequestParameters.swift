// Everything in a request but messages and tools (translation 1.1, 1.3, 1.4, 1.6 to 1.8).
internal import JSON

/// How hard the model is asked to think (translation 1.3).
enum ReasoningLevel: Equatable {
    /// Nothing was said; the server's own default.
    case unset
    /// Thinking is on at the server's own level.
    case adaptive
    case off
    case effort(String)

    private static let efforts: Set<String> = ["low", "medium", "high", "xhigh", "max"]

    /// The level that the operator sets: `off`, or an effort.
    init(_ setting: String) { self = setting == "off" ? .off : .effort(setting) }

    init(_ root: JSONValue, entryEffort: String?) {
        let thinking = root["thinking"]
        let type = thinking?["type"]?.text?.string
        let asked = entryEffort ?? root["output_config"]?["effort"]?.text?.string
        if type == "disabled" {
            self = .off
        } else if let asked, Self.efforts.contains(asked) {
            self = .effort(asked)
        } else if type == "enabled", let budget = thinking?["budget_tokens"]?.integer {
            switch budget {
            case ..<2048: self = .effort("low")
            case ..<8192: self = .effort("medium")
            case ..<32768: self = .effort("high")
            default: self = .effort("xhigh")
            }
        } else {
            self = type == nil ? .unset : .adaptive
        }
    }

    /// The level for servers that know only low, medium and high.
    var simplified: String? {
        guard case .effort(let effort) = self else { return nil }
        return effort == "xhigh" || effort == "max" ? "high" : effort
    }
}

extension JSONWriter {
    /// The parameter by which a server is told how hard to think.
    mutating func reasoning(_ level: ReasoningLevel, _ style: Dialect.ReasoningStyle) {
        switch style {
        case .none: break
        case .effort: effort(level)
        case .openrouter: openRouterReasoning(level)
        case .deepseek, .thinkingSwitch:
            guard level != .unset else { return }
            key("thinking")
            raw(level == .off ? #"{"type":"disabled"}"# : #"{"type":"enabled"}"#)
            guard style == .deepseek, case .effort(let effort) = level else { return }
            key("reasoning_effort")
            string(effort == "low" ? "low" : effort == "max" ? "max" : "high")
        case .chatTemplate:
            if level == .off {
                key("chat_template_kwargs")
                raw(#"{"enable_thinking":false}"#)
            } else if let simplified = level.simplified {
                key("reasoning_effort")
                string(simplified)
            }
        }
    }

    private mutating func effort(_ level: ReasoningLevel) {
        switch level {
        case .unset, .adaptive: break
        case .off:
            key("reasoning_effort")
            string("none")
        case .effort(let effort):
            key("reasoning_effort")
            string(effort)
        }
    }

    private mutating func openRouterReasoning(_ level: ReasoningLevel) {
        guard level != .unset else { return }
        key("reasoning")
        beginObject()
        switch level {
        case .unset, .adaptive:
            key("enabled")
            bool(true)
        case .off:
            key("enabled")
            bool(false)
        case .effort(let effort):
            key("effort")
            string(effort)
        }
        endObject()
    }

    /// `tool_choice` and `parallel_tool_calls` (translation 1.6).
    mutating func toolChoice(_ choice: ToolChoice, _ dialect: Dialect) {
        switch choice.kind {
        case .auto: break
        case .any:
            key("tool_choice")
            string("required")
        case .none:
            key("tool_choice")
            string("none")
        case .tool(let name):
            key("tool_choice")
            beginObject()
            key("type")
            string("function")
            key("function")
            beginObject()
            key("name")
            string(name)
            endObject()
            endObject()
        }
        if choice.isSequential, dialect.acceptsParallelToolCalls {
            key("parallel_tool_calls")
            bool(false)
        }
    }

    /// `response_format` (translation 1.7).
    ///
    /// The schema goes over as it came; `strict` would change what it means.
    mutating func responseFormat(_ schema: JSONValue, _ dialect: Dialect) {
        key("response_format")
        guard dialect.acceptsJSONSchema else { return raw(#"{"type":"json_object"}"#) }
        beginObject()
        key("type")
        string("json_schema")
        key("json_schema")
        beginObject()
        key("name")
        string("response")
        key("strict")
        bool(false)
        key("schema")
        value(schema)
        endObject()
        endObject()
    }
}

/// `tool_choice`.
struct ToolChoice {
    enum Kind: Equatable { case auto, any, none, tool(String) }

    var kind = Kind.auto
    /// `disable_parallel_tool_use`.
    var isSequential = false

    init(_ value: JSONValue?) throws(APIError) {
        guard let value, !value.isNull else { return }
        isSequential = value["disable_parallel_tool_use"]?.bool == true
        switch value["type"]?.text?.string {
        case "auto": kind = .auto
        case "any": kind = .any
        case "none": kind = .none
        case "tool":
            guard let name = value["name"]?.text?.string else {
                throw .invalid("tool_choice.name: Field required")
            }
            kind = .tool(name)
        default: throw .invalid("tool_choice.type: expected auto, any, tool or none")
        }
    }

    var chosen: String? { if case .tool(let name) = kind { name } else { nil } }
}
