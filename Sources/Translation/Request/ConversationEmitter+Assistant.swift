// Assistant turns and the reasoning that goes back with them (translation 2.4, 2.9).
internal import JSON

/// What an assistant message is put together from.
private struct Draft {
    var text = TextRun()
    var calls: [OutgoingToolCall] = []
    var thoughts = Thoughts()
    /// Whether the last block was text too: then nothing comes between.
    var isAdjacent = false
}

/// Reasoning of one assistant message.
private struct Thoughts {
    var text: TextRun?
    /// Elements of OpenRouter's `reasoning_details`, without the brackets.
    var details: [UInt8] = []
}

extension ConversationEmitter {
    /// Emits an assistant turn; the calls that now wait for results.
    mutating func assistant(_ turn: Turn, replays: Bool) -> [ToolUse] {
        let signatures = thoughtSignatures(turn)
        var draft = Draft()
        var calls: [ToolUse] = []
        for block in turn.blocks {
            var isText = false
            switch block {
            case .text(let piece, _):
                draft.text.add([.text(piece)], separator: draft.isAdjacent ? "" : #"\n\n"#)
                isText = true
            case .toolUse(let use):
                calls.append(use)
                draft.calls.append(outgoing(use, signatures))
            case .serverToolUse(let use):
                // The turn goes on in a new message behind the result.
                var server = draft
                server.calls = [outgoing(use, signatures)]
                close(server, replays: replays)
                let result = ServerToolResult.render(use, in: turn)
                messages.append(.tool(id: use.upstreamID, result, images: []))
                (draft.text, draft.thoughts) = (TextRun(), Thoughts())
            case .toolResult: note(loss: "tool_result")
            case .other(let type, let value): other(type, value, &draft)
            }
            draft.isAdjacent = isText
        }
        close(draft, replays: replays)
        return calls
    }

    private mutating func other(_ type: String, _ value: JSONValue, _ draft: inout Draft) {
        switch type {
        case "thinking": add(value, to: &draft.thoughts)
        case "redacted_thinking": break
        case "compaction":
            guard let text = value["content"]?.text else { return }
            userMessage([.text(Self.summary(text))])
        case _ where ServerToolResult.isResult(type): break
        default: note(loss: LossField.block(type))
        }
    }

    /// What stands for the conversation before it.
    static func summary(_ text: JSONText) -> TextRun {
        TextRun(pieces: [
            .literal(#"<conversation-summary>\n"#), .text(text),
            .literal(#"\n</conversation-summary>"#),
        ])
    }

    private mutating func close(_ draft: Draft, replays: Bool) {
        guard !draft.text.isEmpty || !draft.calls.isEmpty else { return }
        var message = AssistantMessage(text: draft.text, calls: draft.calls)
        if dialect.replay == .everyToolCall {
            // DeepSeek refuses a history in which the field is missing.
            if !draft.calls.isEmpty {
                let isKept = replays && draft.thoughts.text != nil
                message.reasoning = .content(isKept ? draft.thoughts.text ?? TextRun() : TextRun())
            }
        } else if replays {
            message.reasoning = replayed(draft.thoughts)
        }
        if dialect.fillsThoughtSignatures, !message.calls.isEmpty,
            message.calls[0].thoughtSignature == nil
        {
            // Gemini's own word for a call that another model made.
            message.calls[0].thoughtSignature = "skip_thought_signature_validator"
        }
        messages.append(.assistant(message))
    }

    private func replayed(_ thoughts: Thoughts) -> OutgoingReasoning? {
        switch dialect.replay {
        case .none, .everyToolCall, .thoughtSignatures: nil
        case .content: thoughts.text.map { .content($0) }
        case .bothNames: thoughts.text.map { .bothNames($0) }
        case .parts: thoughts.text.map { .parts($0) }
        case .details:
            thoughts.details.isEmpty
                ? thoughts.text.map { .plain($0) } : .details(thoughts.details)
        }
    }

    private func outgoing(_ use: ToolUse, _ signatures: [String: String]) -> OutgoingToolCall {
        OutgoingToolCall(
            id: use.upstreamID, name: toolNames.upstreamName(of: use.name), input: use.input,
            thoughtSignature: signatures[use.id])
    }

    /// Adds a thinking block: its text stands in the open, or is carried by a signature of ours.
    private func add(_ value: JSONValue, to thoughts: inout Thoughts) {
        let signature = value["signature"]?.text?.string
        let carried = signature.flatMap { ThinkingSignature(parsing: $0) }
        var piece: TextPiece?
        if let text = value["thinking"]?.text, !text.isEmpty {
            piece = .text(text)
        } else if let text = carried?.text {
            piece = .plain(text)
        }
        if let piece {
            thoughts.text = thoughts.text ?? TextRun()
            thoughts.text?.pieces.append(piece)
        }
        // Opaque data is of use to the kind of server it came from alone.
        guard let carried, carried.dialect == dialect.name, let details = carried.details else {
            return
        }
        if !thoughts.details.isEmpty { thoughts.details.append(UInt8(ascii: ",")) }
        thoughts.details += details.dropFirst().dropLast()
    }

    /// Gemini's signatures by the client's ids of the calls, wherever in the turn they are carried.
    private func thoughtSignatures(_ turn: Turn) -> [String: String] {
        guard dialect.replay == .thoughtSignatures else { return [:] }
        var signatures: [String: String] = [:]
        for case .other("thinking", let value) in turn.blocks {
            guard let text = value["signature"]?.text?.string,
                let carried = ThinkingSignature(parsing: text), carried.dialect == dialect.name
            else { continue }
            signatures.merge(carried.toolSignatures) { $1 }
        }
        return signatures
    }

    // MARK: - Prefill

    /// Makes the assistant message at the end one that the model goes on with (translation 2.9).
    mutating func continueLast(inStream isStream: Bool) {
        guard case .assistant(var message)? = messages.last else { return }
        var text = message.text.string
        while let last = text.last, last.isWhitespace { text.removeLast() }
        guard !text.isEmpty else {
            messages.removeLast()
            return
        }
        message.text = TextRun(pieces: [.plain(text)])
        message.isPrefix = dialect.prefill == .prefix
        messages[messages.count - 1] = .assistant(message)
        continuesLast = dialect.prefill == .continueFinalMessage
        if dialect.prefill == .repeated, !isStream { prefill = text }
        guard dialect.prefill == .emulated else { return }
        note(repair: "prefill")
        prefill = text
        messages.append(.user([.text(TextRun(pieces: [.literal(Self.continuation)]))]))
    }

    private static let continuation: StaticString = """
        Continue exactly from where the previous assistant message stops. \
        Output only the continuation.
        """
}
