// From turns to Chat Completions messages (translation 2.2 to 2.5).
internal import JSON

/// Turns a conversation into messages, in order; what is lost or mended is noted.
struct ConversationEmitter {
    private let dialect: Dialect
    private let toolNames: ToolNames
    private(set) var messages: [OutgoingMessage] = []
    private(set) var losses: [String] = []
    private(set) var repairs: [String] = []
    /// Reasoning before this turn is not sent back under `ReasoningReplay.currentTurn`.
    private var replayStart = 0

    init(_ dialect: Dialect, _ toolNames: ToolNames) {
        self.dialect = dialect
        self.toolNames = toolNames
    }

    /// Emits the leading system prompt and all turns.
    mutating func emit(system: TextRun, _ conversation: Conversation) throws(APIError) {
        if !system.isEmpty { messages.append(.system(system)) }
        let turns = conversation.turns
        replayStart = turns.lastIndex { $0.role == .user && !$0.hasToolResult } ?? 0
        var openCalls: [ToolUse] = []
        for (index, turn) in turns.enumerated() {
            switch turn.role {
            case .user:
                let isLast = !turns[(index + 1)...].contains { $0.role != .system }
                try user(turn, answering: openCalls, isLast: isLast)
                openCalls = []
            case .assistant:
                answerUnanswered(openCalls)
                openCalls = assistant(turn, replays: index > replayStart)
            case .system:
                answerUnanswered(openCalls)
                openCalls = []
                systemEntry(turn)
            }
        }
        answerUnanswered(openCalls)
    }

    // MARK: - User turns

    /// Tool messages first, in the order of the calls; then everything else as one message.
    private mutating func user(
        _ turn: Turn, answering calls: [ToolUse], isLast: Bool
    ) throws(APIError) {
        var parts: [ContentPart] = []
        var results: [String: [[JSONValue]]] = [:]
        gather(turn, calls, &results)
        var seen: [String: Int] = [:]
        for call in calls {
            let occurrence = seen[call.id, default: 0]
            seen[call.id] = occurrence + 1
            let values = results[call.id].flatMap { occurrence < $0.count ? $0[occurrence] : nil }
            try answer(call, values ?? [], lifting: &parts)
        }
        let known = Set(calls.map(\.id))
        for block in turn.blocks {
            if case .toolResult(let id, let value) = block {
                if !known.contains(id) { try orphan(id, value, &parts) }
            } else {
                try part(block, isLast: isLast, &parts)
            }
        }
        if !parts.isEmpty {
            fillBeforeUser()
            messages.append(.user(parts))
        } else if calls.isEmpty, isLast {
            messages.append(.user([.text(TextRun())]))
        }
    }

    /// Mistral refuses a user message right after a tool message (code 3230).
    private mutating func fillBeforeUser() {
        guard dialect.fillsBetweenToolAndUser, case .tool? = messages.last else { return }
        let filler = TextRun(pieces: [.literal("OK.")])
        messages.append(.assistant(text: filler, calls: [], reasoning: nil))
    }

    /// The results of a turn by call id; where one id was used for several calls they are dealt out
    /// in order, else results of one id belong together.
    private func gather(
        _ turn: Turn, _ calls: [ToolUse], _ results: inout [String: [[JSONValue]]]
    ) {
        var counts: [String: Int] = [:]
        for call in calls { counts[call.id, default: 0] += 1 }
        for block in turn.blocks {
            guard case .toolResult(let id, let value) = block else { continue }
            var dealt = results[id] ?? []
            if dealt.count < counts[id] ?? 1 || dealt.isEmpty {
                dealt.append([value])
            } else {
                dealt[dealt.count - 1].append(value)
            }
            results[id] = dealt
        }
    }

    private mutating func answer(
        _ call: ToolUse, _ values: [JSONValue], lifting parts: inout [ContentPart]
    ) throws(APIError) {
        guard !values.isEmpty else {
            repairs.append("orphan_use")
            messages.append(.tool(id: call.upstreamID, content: Self.notExecuted))
            return
        }
        var content = TextRun()
        for value in values {
            let rendered = try toolResult(value, id: call.upstreamID, lifting: &parts)
            content.add(rendered.pieces, separator: #"\n"#)
        }
        messages.append(.tool(id: call.upstreamID, content: content))
    }

    private static var notExecuted: TextRun {
        TextRun(pieces: [.literal("(tool call was not executed)")])
    }

    /// OpenAI refuses a call without an answer; an interrupted turn leaves some.
    private mutating func answerUnanswered(_ calls: [ToolUse]) {
        for call in calls {
            repairs.append("orphan_use")
            messages.append(.tool(id: call.upstreamID, content: Self.notExecuted))
        }
    }

    /// A result without its call, as compaction leaves them, becomes text.
    private mutating func orphan(
        _ id: String, _ value: JSONValue, _ parts: inout [ContentPart]
    ) throws(APIError) {
        repairs.append("orphan_result")
        var lifted: [ContentPart] = []
        var run = TextRun(pieces: [
            .literal(#"<tool-result id=\""#), .plain(id), .literal(#"\">\n"#),
        ])
        run.pieces += try toolResult(value, id: id, lifting: &lifted).pieces
        run.pieces.append(.literal(#"\n</tool-result>"#))
        parts.append(.text(run))
        parts += lifted
    }

    // MARK: - Assistant turns

    /// Emits an assistant turn; the calls that now wait for results.
    private mutating func assistant(_ turn: Turn, replays: Bool) -> [ToolUse] {
        var text = TextRun()
        var reasoning: TextRun?
        var calls: [ToolUse] = []
        var isAdjacent = false
        for block in turn.blocks {
            var isText = false
            switch block {
            case .text(let piece):
                text.add([.text(piece)], separator: isAdjacent ? "" : #"\n\n"#)
                isText = true
            case .toolUse(let use): calls.append(use)
            case .toolResult: losses.append("tool_result")
            case .other(let type, let value):
                if ServerToolCall.isCall(type) {
                    // The turn goes on in a new message behind the result.
                    let server = ServerToolCall(value, in: turn, toolNames)
                    let replayed = replayed(reasoning, hasCalls: true, replays)
                    messages.append(
                        .assistant(text: text, calls: [server.call], reasoning: replayed))
                    messages.append(.tool(id: server.call.id, content: server.result))
                    (text, reasoning) = (TextRun(), nil)
                } else if ServerToolCall.isResult(type) {
                    continue
                } else if type == "thinking", let thought = Self.thought(value) {
                    reasoning = reasoning ?? TextRun()
                    reasoning?.pieces += [thought]
                } else if type != "thinking" && type != "redacted_thinking" {
                    losses.append(LossField.block(type))
                }
            }
            isAdjacent = isText
        }
        let outgoing = calls.map {
            OutgoingToolCall(
                id: $0.upstreamID, name: toolNames.upstreamName(of: $0.name), input: $0.input)
        }
        let replayed = replayed(reasoning, hasCalls: !calls.isEmpty, replays)
        guard !text.isEmpty || !calls.isEmpty else { return [] }
        messages.append(.assistant(text: text, calls: outgoing, reasoning: replayed))
        return calls
    }

    private func replayed(_ reasoning: TextRun?, hasCalls: Bool, _ isCurrent: Bool) -> TextRun? {
        switch dialect.replay {
        case .none: nil
        case .everyToolCall: hasCalls ? reasoning ?? TextRun() : nil
        case .currentTurn: isCurrent ? reasoning : nil
        }
    }

    /// The text of a thinking block: in the open, or carried by a signature of ours.
    private static func thought(_ value: JSONValue) -> TextPiece? {
        if let text = value["thinking"]?.text, !text.isEmpty { return .text(text) }
        guard let signature = value["signature"]?.text?.string,
            let text = ThinkingSignature(parsing: signature)?.text
        else { return nil }
        return .plain(text)
    }

    // MARK: - System entries

    private mutating func systemEntry(_ turn: Turn) {
        var run = TextRun()
        for block in turn.blocks {
            if case .text(let text) = block { run.add([.text(text)], separator: #"\n\n"#) }
        }
        guard !run.isEmpty else { return }
        switch dialect.systemEntries {
        case .preserve: messages.append(.system(run))
        case .fold: fold(run)
        case .hoist:
            if case .system(var system)? = messages.first {
                system.add(run.pieces, separator: #"\n\n"#)
                messages[0] = .system(system)
            } else {
                messages.insert(.system(run), at: 0)
            }
        }
    }

    private mutating func fold(_ run: TextRun) {
        var reminder = TextRun(pieces: [.literal(#"<system-reminder>\n"#)])
        reminder.pieces += run.pieces
        reminder.pieces.append(.literal(#"\n</system-reminder>"#))
        switch messages.last {
        case .user(let parts): messages[messages.count - 1] = .user(parts + [.text(reminder)])
        case .tool(let id, var content):
            content.add(reminder.pieces, separator: #"\n\n"#)
            messages[messages.count - 1] = .tool(id: id, content: content)
        case .system, .assistant, nil: messages.append(.user([.text(reminder)]))
        }
    }

    mutating func note(loss: String) { losses.append(loss) }

    var fetchesImages: Bool { dialect.fetchesImages }
    var acceptsPDF: Bool { dialect.acceptsPDF }
}
