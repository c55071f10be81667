// Blocks: opened, filled and closed one after the other.
internal import Bytes
internal import JSON

extension StreamTranslator {
    /// Opens a block of text or thinking behind the one that is open.
    mutating func openBlock(_ block: OpenBlock, into events: inout [UInt8]) {
        closeBlock(into: &events)
        switch block {
        case .none, .toolUse: break
        case .text:
            form.textStart(nextIndex, into: &events)
            report.hasText = true
            opened(block, .text)
        case .thinking:
            form.thinkingStart(nextIndex, into: &events)
            opened(block, .thinking)
        }
    }

    /// Opens the block of a tool call.
    mutating func openToolUse(
        _ place: Int, id: String, name: String, into events: inout [UInt8]
    ) {
        closeBlock(into: &events)
        form.toolUseStart(nextIndex, id: id, name: name, into: &events)
        report.toolCallCount += 1
        opened(.toolUse(place), .inputJSON)
    }

    private mutating func opened(_ block: OpenBlock, _ kind: DeltaKind) {
        self.block = block
        deltaOpening.removeAll(keepingCapacity: true)
        form.deltaOpening(nextIndex, kind, into: &deltaOpening)
        nextIndex += 1
        report.hasOutput = true
    }

    /// Adds text to the open block, as escaped as it came.
    mutating func delta(_ content: Span<UInt8>, into events: inout [UInt8]) {
        outputBytes += content.count
        events.append(deltaOpening, content, deltaClosing)
    }

    /// Adds decoded text to the open block.
    mutating func delta(decoded text: [UInt8], into events: inout [UInt8]) {
        outputBytes += text.count
        events += deltaOpening
        JSONEscape.append(text, to: &events)
        events.append(deltaClosing)
    }

    /// Closes the open block; a thinking block gets its one signature first.
    mutating func closeBlock(into events: inout [UInt8]) {
        guard block != .none else { return }
        if block == .thinking {
            form.signature(takeSignature().encoded, nextIndex - 1, into: &events)
        }
        form.blockStop(nextIndex - 1, block.deltaKind, into: &events)
        block = .none
    }

    // MARK: - Signatures

    /// What must come back with the block that closes, for a server that asks for it.
    private mutating func takeSignature() -> ThinkingSignature {
        var signature = ThinkingSignature()
        if !thought.isEmpty { signature.text = String(decoding: thought, as: UTF8.self) }
        thought = []
        signature.dialect = plan.dialect
        if reasoningDetails.isOpaque {
            signature.details = reasoningDetails.json
            reasoningDetails = ReasoningDetails()
        }
        swap(&signature.toolSignatures, &toolSignatures)
        return signature
    }

    /// Sees to it that a thinking block closes before a call's block opens, when there is something
    /// that must come back with the call and has not gone out.
    mutating func carry(
        _ signature: String?, of id: String, into events: inout [UInt8]
    ) {
        guard plan.thinking != .hidden else { return }
        if let signature { toolSignatures[id] = signature }
        guard block != .thinking, reasoningDetails.isOpaque || !toolSignatures.isEmpty else {
            return
        }
        openBlock(.thinking, into: &events)
    }
}

extension JSONText {
    /// The escaped bytes for the length of a call.
    func withEscaped(_ body: (Span<UInt8>) -> Void) {
        unsafe withEscapedBytes { body(unsafe Span<UInt8>(_unsafeBytes: $0)) }
    }
}

extension Span<UInt8> {
    /// Whether it may go into a JSON string as it is.
    var isClean: Bool { unsafe withUnsafeBytes { JSONEscape.isCleanContent($0) } }
}
