// Text and thinking blocks of a stream.
internal import JSON

extension StreamReport {
    /// Whether a text block has gone out.
    var hasText: Bool { textBlockCount > 0 }
}

extension StreamTranslator {
    // MARK: - Reasoning

    /// Reasoning goes into a thinking block, unless the client wants none; next to open tool calls
    /// it is dropped, since nothing may come between them.
    mutating func reasoning(_ text: JSONText, into events: inout [UInt8]) {
        thinking(text.decoded(), into: &events)
    }

    mutating func thinking(_ text: [UInt8], into events: inout [UInt8]) {
        guard plan.thinking != .hidden, !text.isEmpty, tools.isEmpty else { return }
        if block != .thinking {
            closeBlock(into: &events)
            open(.thinking, #"{"type":"thinking","thinking":"","signature":""}"#, into: &events)
        }
        outputBytes += text.count
        if plan.thinking == .omitted {
            thought += text
        } else {
            delta(text, .thinking, into: &events)
        }
    }

    // MARK: - Text

    /// `delta.content`: a string, or parts.
    mutating func content(_ content: JSONValue, into events: inout [UInt8]) {
        if let text = content.text { return self.text(text, into: &events) }
        guard content.kind == .array, let slice = content.slice,
            let document = try? slice.parsed()
        else { return }
        for part in document.root.elements {
            switch part["type"]?.text?.string {
            case "thinking":
                for piece in part["thinking"]?.elements.map({ $0 }) ?? [] {
                    if let text = piece["text"]?.text { reasoning(text, into: &events) }
                }
            default:
                if let text = (part["text"] ?? part["refusal"])?.text {
                    self.text(text, into: &events)
                }
            }
        }
    }

    /// Text of the answer, as it came.
    mutating func text(_ text: JSONText, into events: inout [UInt8]) {
        guard !text.isEmpty, !isOver else { return }
        var escaped = heldHalf
        heldHalf = []
        if !escaped.isEmpty || text.hasLoneSurrogate {
            unsafe text.withEscapedBytes { unsafe escaped.append(contentsOf: $0) }
            heldHalf = Self.takeHalf(&escaped)
            var decoded: [UInt8] = []
            unsafe escaped.withUnsafeBytes { JSONEscape.appendDecoded($0, to: &decoded) }
            return answer(decoded, into: &events)
        }
        answer(text.decoded(), into: &events)
    }

    /// Takes an escaped high surrogate off the end: its other half may come with the next chunk.
    static func takeHalf(_ escaped: inout [UInt8]) -> [UInt8] {
        let end = escaped.suffix(6)
        guard end.count == 6, end.starts(with: [0x5c, 0x75]) else { return [] }
        let digits = String(decoding: end.dropFirst(2), as: UTF8.self)
        guard let unit = UInt16(digits, radix: 16), (0xd800...0xdbff).contains(unit) else {
            return []
        }
        // An even number of backslashes before it would make it plain text.
        let slashes = escaped.dropLast(6).reversed().prefix { $0 == 0x5c }.count
        guard slashes % 2 == 0 else { return [] }
        let half = Array(end)
        escaped.removeLast(6)
        return half
    }

    /// Text on its way to the client: past think tags and stop sequences.
    private mutating func answer(_ text: [UInt8], into events: inout [UInt8]) {
        guard !text.isEmpty else { return }
        if thinkTags.isDecided { return visible(text, into: &events) }
        let (thought, answer) = thinkTags.feed(text)
        thinking(thought, into: &events)
        visible(answer, into: &events)
    }

    private mutating func visible(_ text: [UInt8], into events: inout [UInt8]) {
        guard stopScanner.isActive else { return write(text, into: &events) }
        write(stopScanner.feed(text), into: &events)
        if let match = stopScanner.match { endAtStopSequence(match, into: &events) }
    }

    private mutating func write(_ text: [UInt8], into events: inout [UInt8]) {
        guard !text.isEmpty else { return }
        if !tools.isEmpty {
            guard tools.allSatisfy(\.isComplete) else {
                textAfterTools += text
                return
            }
            // Blank text between tool calls says nothing and would split them.
            if textAfterTools.isEmpty, text.allSatisfy({ $0 <= 0x20 }) { return }
            finishTools(into: &events)
        }
        if block != .text {
            closeBlock(into: &events)
            open(.text, #"{"type":"text","text":""}"#, into: &events)
            report.textBlockCount += 1
        }
        outputBytes += text.count
        delta(text, .text, into: &events)
    }

    /// Lets go of text that was held back, since no more comes.
    mutating func flushText(into events: inout [UInt8]) {
        if !heldHalf.isEmpty {
            heldHalf = []
            answer(Array("\u{fffd}".utf8), into: &events)
        }
        let (thought, answer) = thinkTags.flush()
        thinking(thought, into: &events)
        visible(answer, into: &events)
        guard !isOver else { return }
        write(stopScanner.flush(), into: &events)
    }

    // MARK: - Blocks

    mutating func open(_ block: OpenBlock, _ start: StaticString, into events: inout [UInt8]) {
        EventWriter.blockStart(nextIndex, start, into: &events)
        self.block = block
        nextIndex += 1
        report.hasOutput = true
    }

    func delta(_ text: [UInt8], _ kind: DeltaKind, into events: inout [UInt8]) {
        EventWriter.deltaStart(nextIndex - 1, kind, into: &events)
        JSONEscape.append(text, to: &events)
        EventWriter.deltaEnd(into: &events)
    }

    /// Closes the open block; a thinking block gets its one signature first.
    mutating func closeBlock(into events: inout [UInt8]) {
        guard block != .none else { return }
        if block == .thinking {
            let text = thought.isEmpty ? nil : String(decoding: thought, as: UTF8.self)
            thought = []
            delta(Array(ThinkingSignature(text: text).encoded.utf8), .signature, into: &events)
        }
        EventWriter.blockStop(nextIndex - 1, into: &events)
        block = .none
    }
}
