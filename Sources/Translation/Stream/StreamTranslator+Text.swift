// Reasoning and text on their way into blocks.
internal import Bytes
internal import JSON

extension StreamTranslator {
    // MARK: - Reasoning

    /// Reasoning, escaped as it came; `isClean` when that is known already.
    mutating func reasoning(
        _ content: Span<UInt8>, isClean: Bool = false, into events: inout [UInt8]
    ) {
        guard !isOver else { return }
        if plan.thinking == .shown, reasoningHalf.isEmpty, isClean || content.isClean,
            !hasUnclosedTools
        {
            openThinking(into: &events)
            return delta(content, into: &events)
        }
        let decoded = Self.decoded(content, half: &reasoningHalf)
        thinking(decoded, into: &events)
    }

    /// OpenRouter's `reasoning_details`: their text is the reasoning where none comes beside them,
    /// and all of them is kept for the signature.
    mutating func details(
        _ details: JSONValue, hasText: Bool, into events: inout [UInt8]
    ) {
        for detail in details.elements {
            if plan.thinking != .hidden { reasoningDetails.add(detail) }
            guard hasText else { continue }
            (detail["text"] ?? detail["summary"])?.text?.withEscaped {
                reasoning($0, into: &events)
            }
        }
    }

    /// Reasoning goes into a thinking block, unless the client wants none.
    ///
    /// While tool calls wait nothing may come between them: it is counted and dropped.
    private mutating func thinking(_ text: [UInt8], into events: inout [UInt8]) {
        guard !text.isEmpty else { return }
        guard plan.thinking != .hidden, !hasUnclosedTools else {
            outputBytes += text.count
            return
        }
        openThinking(into: &events)
        guard plan.thinking == .omitted else { return delta(decoded: text, into: &events) }
        outputBytes += text.count
        if thought.count <= Self.heldBytesMax { thought += text }
    }

    private mutating func openThinking(into events: inout [UInt8]) {
        guard block != .thinking else { return }
        // What the scanners hold belongs to the text block that ends here.
        if block == .text { flushScanners(into: &events) }
        openBlock(.thinking, into: &events)
    }

    // MARK: - Text

    /// `delta.content`: a string, or parts.
    mutating func content(_ content: JSONValue, into events: inout [UInt8]) {
        if let text = content.text {
            return text.withEscaped { self.text($0, into: &events) }
        }
        guard content.kind == .array, let document = try? content.slice?.parsed() else { return }
        for part in document.root.elements where !isOver {
            switch part["type"]?.text?.string {
            case "thinking", "reasoning":
                for piece in part["thinking"]?.elements.map({ $0 }) ?? [] {
                    piece["text"]?.text?.withEscaped { reasoning($0, into: &events) }
                }
                (part["reasoning"] ?? part["text"])?.text?.withEscaped {
                    reasoning($0, into: &events)
                }
            case "image_url", "image", "input_audio", "audio":
                note(
                    part["type"]?.text?.string.hasPrefix("image") == true ? .image : .audio, &events
                )
            case "refusal": part["refusal"]?.text?.withEscaped { refuse($0, into: &events) }
            default: part["text"]?.text?.withEscaped { text($0, into: &events) }
            }
        }
    }

    /// The model refuses in words of its own: text, and the reason of the end.
    mutating func refuse(_ content: Span<UInt8>, into events: inout [UInt8]) {
        refusal = refusal ?? []
        refusal?.append(content)
        text(content, into: &events)
    }

    /// Text of the answer, escaped as it came; goes out as it is where nobody must look at it.
    mutating func text(
        _ content: Span<UInt8>, isClean: Bool = false, into events: inout [UInt8]
    ) {
        guard content.count > 0, !isOver else { return }
        if block == .text, textHalf.isEmpty, isTextUnwatched, isClean || content.isClean {
            return delta(content, into: &events)
        }
        answer(Self.decoded(content, half: &textHalf), into: &events)
    }

    private var isTextUnwatched: Bool {
        thinkTags.isDecided && !watchesText && !prefill.isActive
    }

    /// Text past think tags, a repeated prefill and stop sequences.
    private mutating func answer(_ text: [UInt8], into events: inout [UInt8]) {
        guard !text.isEmpty else { return }
        if thinkTags.isDecided { return visible(text, into: &events) }
        let (thought, answer) = thinkTags.feed(text)
        thinking(thought, into: &events)
        visible(answer, into: &events)
    }

    private mutating func visible(_ text: [UInt8], into events: inout [UInt8]) {
        let text = prefill.feed(text)
        guard !text.isEmpty else { return }
        if hasUnclosedTools {
            guard !gathersTools, tools.allSatisfy({ $0.state == .closed || $0.isComplete }) else {
                textBehindTools += text
                if textBehindTools.count > Self.heldBytesMax { overflow(into: &events) }
                return
            }
            // Blank text between tool calls says nothing and would split them.
            if text.allSatisfy({ $0 <= 0x20 }) { return }
            finishTools(into: &events)
        }
        scanned(text, into: &events)
    }

    private mutating func scanned(_ text: [UInt8], into events: inout [UInt8]) {
        guard stopScanner.isActive else { return write(text, into: &events) }
        write(stopScanner.feed(text), into: &events)
        guard !isOver, let match = stopScanner.match else { return }
        // What the upstream still sends is not wanted.
        wantsUpstreamCancelled = true
        metSequence = match
        flushFence(into: &events)
        if !isOver { end(into: &events) }
    }

    private mutating func write(_ text: [UInt8], into events: inout [UInt8]) {
        unfenced(fence.feed(text), into: &events)
    }

    private mutating func unfenced(_ text: [UInt8], into events: inout [UInt8]) {
        guard !text.isEmpty else { return }
        if plan.isCompaction { return summarize(text, into: &events) }
        guard textLimit == nil else { return limited(text, into: &events) }
        if block != .text { openBlock(.text, into: &events) }
        delta(decoded: text, into: &events)
    }

    /// Text up to the client's limit, and then the end: no more of the answer is wanted.
    private mutating func limited(_ text: [UInt8], into events: inout [UInt8]) {
        let counted = isWhole ? textTokens : nil
        let count = textLimit?.admit(text, counted: counted) ?? text.count
        if count > 0 {
            if block != .text { openBlock(.text, into: &events) }
            delta(decoded: Array(text[..<count]), into: &events)
        }
        guard textLimit?.isReached == true else { return }
        wantsUpstreamCancelled = true
        finish = .length
        end(into: &events)
    }

    /// Tokens of the text as the upstream has counted them; `nil` when it does not tell how many of
    /// its output are reasoning.
    private var textTokens: Int? {
        guard let usage = usage.flatMap({ Usage(upstream: $0) }) else { return nil }
        return usage.thinkingTokens.map { usage.outputTokens - $0 }
    }

    // MARK: - What was held back

    /// Lets go of text that was held back, since no more comes, or a call comes behind it.
    mutating func flushText(into events: inout [UInt8]) {
        if !reasoningHalf.isEmpty {
            reasoningHalf = []
            thinking(Self.replacement, into: &events)
        }
        if !textHalf.isEmpty {
            textHalf = []
            answer(Self.replacement, into: &events)
        }
        let (thought, answer) = thinkTags.flush()
        thinking(thought, into: &events)
        visible(answer, into: &events)
        guard !isOver else { return }
        let repeated = prefill.flush()
        if !repeated.isEmpty { scanned(repeated, into: &events) }
        guard !isOver else { return }
        flushScanners(into: &events)
    }

    /// Lets go of what may have become a stop sequence, or the end of a fence.
    private mutating func flushScanners(into events: inout [UInt8]) {
        write(stopScanner.flush(), into: &events)
        if !isOver { flushFence(into: &events) }
    }

    private mutating func flushFence(into events: inout [UInt8]) {
        let (text, isStripped) = fence.flush()
        if isStripped { report.repaired("json_fence") }
        unfenced(text, into: &events)
    }

    /// Lets text go that came while a call was incomplete; the calls are closed.
    mutating func flushTextBehindTools(into events: inout [UInt8]) {
        let text = textBehindTools
        textBehindTools = []
        guard text.contains(where: { $0 > 0x20 }) else { return }
        scanned(text, into: &events)
        guard !isOver else { return }
        flushScanners(into: &events)
    }

    private static let replacement = Array("\u{fffd}".utf8)

    /// The decoded text; half a surrogate pair at its end is kept for the next piece.
    static func decoded(_ content: Span<UInt8>, half: inout [UInt8]) -> [UInt8] {
        var escaped = half
        escaped.append(content)
        half = takeHalf(&escaped)
        var decoded: [UInt8] = []
        unsafe escaped.withUnsafeBytes { JSONEscape.appendDecoded($0, to: &decoded) }
        return decoded
    }

    /// Takes an escaped high surrogate off the end: its other half may come with the next chunk.
    private static func takeHalf(_ escaped: inout [UInt8]) -> [UInt8] {
        let end = escaped.suffix(6)
        guard end.count == 6, end.starts(with: [0x5c, 0x75]) else { return [] }
        let digits = String(decoding: end.dropFirst(2), as: UTF8.self)
        guard let unit = UInt16(digits, radix: 16), (0xd800...0xdbff).contains(unit) else {
            return []
        }
        // An odd number of backslashes before it would make it plain text.
        let slashes = escaped.dropLast(6).reversed().prefix { $0 == 0x5c }.count
        guard slashes % 2 == 0 else { return [] }
        let half = Array(end)
        escaped.removeLast(6)
        return half
    }
}
