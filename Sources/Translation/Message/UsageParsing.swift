// Reading an upstream's usage, writing Anthropic's (translation 3.7).
internal import Bytes
internal import JSON

extension Usage {
    /// Reads a `usage` object in the spellings of OpenAI, DeepSeek, Kimi and vLLM.
    ///
    /// OpenAI counts cached tokens inside `prompt_tokens`; Anthropic's three inputs add up.
    init?(upstream usage: JSONValue) {
        guard usage.kind == .object else { return nil }
        func count(_ value: JSONValue?) -> Int? {
            guard let value else { return nil }
            if let number = value.integer, number >= 0 { return min(number, Int(1e15)) }
            if let number = value.double, number.isFinite, number >= 0 {
                return Int(min(number, 1e15))
            }
            guard let text = value.text?.string, let number = Double(text), number.isFinite else {
                return nil
            }
            return Int(min(max(number, 0), 1e15))
        }
        let prompt = count(usage["prompt_tokens"]) ?? count(usage["input_tokens"]) ?? 0
        let details = usage["prompt_tokens_details"]
        let cached =
            count(details?["cached_tokens"]) ?? count(usage["prompt_cache_hit_tokens"])
            ?? count(usage["cached_tokens"]) ?? count(usage["cache_read_input_tokens"]) ?? 0
        let written =
            count(details?["cache_write_tokens"]) ?? count(usage["cache_creation_input_tokens"])
            ?? 0
        let total = count(usage["total_tokens"]) ?? prompt
        let completion =
            count(usage["completion_tokens"]) ?? count(usage["output_tokens"])
            ?? max(0, total - prompt)
        let reasoning = count(usage["completion_tokens_details"]?["reasoning_tokens"])
        guard prompt > 0 || completion > 0 else { return nil }
        cacheReadTokens = min(cached, prompt)
        cacheCreationTokens = min(written, prompt - cacheReadTokens)
        inputTokens = prompt - cacheReadTokens - cacheCreationTokens
        thinkingTokens = reasoning
        // xAI and Gemini count reasoning apart; then the output is both.
        let apart = reasoning ?? 0
        let isApart = apart > completion || apart > 0 && total == prompt + completion + apart
        outputTokens = isApart ? completion + apart : completion
    }

    /// Our own estimate, where the upstream reports nothing.
    package init(estimatedInput: Int, outputBytes: Int) {
        inputTokens = max(1, estimatedInput)
        outputTokens = max(1, (outputBytes + 3) / 4)
        isEstimated = true
    }

    /// Appends the `usage` object of a message (translation 3.1).
    func append(to bytes: inout [UInt8]) {
        appendCounts(to: &bytes)
        bytes.append(#","cache_creation":{"ephemeral_5m_input_tokens":"#)
        bytes.append(decimal: cacheCreationTokens)
        bytes.append(#","ephemeral_1h_input_tokens":0},"service_tier":"#)
        bytes.append(isPriority ? #""priority""# : #""standard""#)
        if let isFast { Self.append(speed: isFast, to: &bytes) }
        bytes.append("}")
    }

    /// Appends `speed` behind another member.
    static func append(speed isFast: Bool, to bytes: inout [UInt8]) {
        bytes.append(isFast ? #","speed":"fast""# : #","speed":"standard""#)
    }

    /// Appends the `usage` object of a `message_delta` event (translation 4.3).
    func appendDelta(to bytes: inout [UInt8]) {
        appendCounts(to: &bytes)
        bytes.append("}")
    }

    private func appendCounts(to bytes: inout [UInt8]) {
        bytes.append(#"{"input_tokens":"#)
        bytes.append(decimal: inputTokens)
        bytes.append(#","cache_creation_input_tokens":"#)
        bytes.append(decimal: cacheCreationTokens)
        bytes.append(#","cache_read_input_tokens":"#)
        bytes.append(decimal: cacheReadTokens)
        bytes.append(#","output_tokens":"#)
        bytes.append(decimal: outputTokens)
        if let thinkingTokens {
            bytes.append(#","output_tokens_details":{"thinking_tokens":"#)
            bytes.append(decimal: thinkingTokens)
            bytes.append("}")
        }
        guard webSearches > 0 else { return }
        bytes.append(#","server_tool_use":{"web_search_requests":"#)
        bytes.append(decimal: webSearches)
        bytes.append(#","web_fetch_requests":0}"#)
    }
}
