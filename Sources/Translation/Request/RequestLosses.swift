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
        _ root: JSONValue, _ choice: ToolChoice, _ dialect: Dialect, _ limits: RequestLimits
    ) -> [String] {
        var losses: [String] = []
        for (key, value) in root.members where !value.isNull {
            let name = key.string
            if !handled.contains(name), !limits.passedFields.contains(name) { losses.append(name) }
        }
        if !dialect.acceptsSampling {
            // 1 is what these servers do anyway.
            if let value = root["temperature"]?.double, value != 1 { losses.append("temperature") }
            if let value = root["top_p"]?.double, value != 1 { losses.append("top_p") }
        }
        let isDemanded = choice.kind == .any || choice.chosen != nil
        if isDemanded, dialect.toolChoices == .auto { losses.append("tool_choice") }
        if !dialect.acceptsTopK, root["top_k"]?.double != nil { losses.append("top_k") }
        let isFast = root["speed"]?.text.map { $0 == "fast" } == true
        if isFast, limits.fastTier == nil || !dialect.acceptsServiceTier { losses.append("speed") }
        if let place = root["inference_geo"]?.text, !(place == "global") {
            losses.append("inference_geo")
        }
        losses += output(root) + system(root)
        for edit in root["context_management"]?["edits"]?.elements.map({ $0 }) ?? []
        where edit["type"]?.text.map({ $0 == "clear_thinking_20251015" }) != true {
            losses.append("context_management")
        }
        return losses
    }

    /// What of the wanted form of the answer nobody here knows.
    private static func output(_ root: JSONValue) -> [String] {
        var losses: [String] = []
        for (key, value) in root["output_config"]?.members.map({ $0 }) ?? [] where !value.isNull {
            if key == "task_budget" {
                losses.append("task_budget")
            } else if !(key == "effort"), !(key == "format") {
                losses.append("output_config")
            }
        }
        let format = root["output_config"]?["format"] ?? root["output_format"]
        if format?.isNull == false, OutputFormat(root) == nil { losses.append("output_format") }
        return losses
    }

    /// Blocks of the system prompt that are no text.
    private static func system(_ root: JSONValue) -> [String] {
        root["system"]?.elements.filter { $0["text"]?.text == nil }.map {
            LossField.block($0["type"]?.text?.string ?? "")
        } ?? []
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
