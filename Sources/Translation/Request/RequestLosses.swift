// What of a request no upstream can be told (translation 1.1).
internal import JSON

/// Fields at the top of a request that are lost; counted, and refused in strict mode.
enum RequestLosses {
    /// Fields that are translated, answered by ourselves, or mean nothing to be missed.
    private static let handled: Set<String> = [
        "model", "messages", "max_tokens", "stream", "system", "cache_control", "temperature",
        "top_p", "top_k", "stop_sequences", "tools", "tool_choice", "thinking", "output_config",
        "output_format", "metadata", "service_tier", "speed", "inference_geo", "container",
        "mcp_servers", "context_management", "thread", "compaction", "betas", "anthropic_version",
    ]

    /// The fields that this request loses on its way to a server.
    static func fields(
        _ root: JSONValue, _ dialect: Dialect, _ limits: RequestLimits
    ) -> [String] {
        var losses: [String] = []
        for (key, value) in root.members where !value.isNull {
            if key == "output_config" { losses += output(value) }
            if key == "system" { losses += system(value) }
            let name = key.string
            if !handled.contains(name), !limits.passedFields.contains(name) { losses.append(name) }
        }
        if !dialect.acceptsSampling {
            // 1 is what these servers do anyway.
            if let value = root["temperature"]?.double, value != 1 { losses.append("temperature") }
            if let value = root["top_p"]?.double, value != 1 { losses.append("top_p") }
        }
        if !dialect.acceptsTopK, root["top_k"]?.double != nil { losses.append("top_k") }
        let isFast = root["speed"]?.text.map { $0 == "fast" } == true
        if isFast, limits.fastTier == nil || !dialect.acceptsServiceTier { losses.append("speed") }
        if let place = root["inference_geo"]?.text, !(place == "global") {
            losses.append("inference_geo")
        }
        for edit in root["context_management"]?["edits"]?.elements.map({ $0 }) ?? []
        where edit["type"]?.text.map({ $0 == "clear_thinking_20251015" }) != true {
            losses.append("context_management")
        }
        return losses
    }

    /// The answer to a request that loses something, in strict mode.
    ///
    /// It names the settings that would let the request through.
    static func refusal(_ field: String, _ dialect: Dialect) -> APIError {
        let settings = (remedies(field, dialect) + ["DROP_UNSUPPORTED"]).joined(separator: ", ")
        return .invalid("\(field): cannot be translated for this upstream; see \(settings)")
    }

    private static func remedies(_ field: String, _ dialect: Dialect) -> [String] {
        switch field {
        case "effort" where dialect.reasoning.place == .none:
            ["EFFORT_FIELD", "REASONING_EFFORT"]
        case "effort", "thinking": ["REASONING_EFFORT"]
        case "speed": ["FAST_TIER"]
        case "web_search" where dialect.webSearch != .none: ["WEB_SEARCH"]
        case "input_examples": ["INPUT_EXAMPLES"]
        default: []
        }
    }

    /// A call that is demanded in vain: servers refuse the demand where no tool is offered, and
    /// some always.
    static func choice(_ choice: ToolChoice, _ tools: ToolList, _ dialect: Dialect) -> [String] {
        guard choice.kind == .any || choice.chosen != nil else { return [] }
        return dialect.toolChoices == .auto || tools.tools.isEmpty ? ["tool_choice"] : []
    }

    /// What of the wanted form of the answer nobody here knows.
    private static func output(_ config: JSONValue) -> [String] {
        var losses: [String] = []
        for (key, value) in config.members where !value.isNull {
            if key == "task_budget" {
                losses.append("task_budget")
            } else if !(key == "effort"), !(key == "format") {
                losses.append("output_config")
            }
        }
        return losses
    }

    /// Blocks of the system prompt that are no text.
    private static func system(_ system: JSONValue) -> [String] {
        system.elements.filter { $0["text"]?.text == nil }.map {
            LossField.block($0["type"]?.text?.string ?? "")
        }
    }

    /// How many assistant turns keep their reasoning (`clear_thinking_20251015`); `nil` for all.
    static func thinkingTurns(_ root: JSONValue) -> Int? {
        for edit in root["context_management"]?["edits"]?.elements.map({ $0 }) ?? []
        where edit["type"]?.text.map({ $0 == "clear_thinking_20251015" }) == true {
            return edit["keep"]?["value"]?.integer
        }
        return nil
    }
}
