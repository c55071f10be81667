// From turns to Chat Completions messages (translation 2.2 to 2.5).
internal import JSON

/// Turns a conversation into messages, in order; what is lost or mended is noted.
struct ConversationEmitter {
    let dialect: Dialect
    let toolNames: ToolNames
    var messages: [OutgoingMessage] = []
    private(set) var losses: [String] = []
    private(set) var repairs: [String] = []
    /// What of an assistant message at the end the answer may repeat.
    var prefill: String?
    /// Whether the server goes on with the last message.
    var continuesLast = false

    init(_ dialect: Dialect, _ toolNames: ToolNames) {
        self.dialect = dialect
        self.toolNames = toolNames
    }

    /// Emits the leading system prompt and all turns; reasoning of the last `thinkingTurns`
    /// assistant turns goes back, of all if `nil`.
    mutating func emit(
        system: [TextRun], _ conversation: Conversation, thinkingTurns: Int? = nil
    ) throws(APIError) {
        if !system.isEmpty { messages.append(.system(system)) }
        let turns = conversation.turns
        var olderTurns = 0
        if let thinkingTurns {
            olderTurns = max(0, turns.count { $0.role == .assistant } - thinkingTurns)
        }
        if dialect.alternatesRoles, turns.first?.role == .assistant {
            messages.append(.user([.text(TextRun(pieces: [.literal("(conversation resumed)")]))]))
        }
        let lastOfUser = turns.lastIndex { $0.role == .user }
        var openCalls: [ToolUse] = []
        for (index, turn) in turns.enumerated() {
            switch turn.role {
            case .user:
                let isLast = !turns[(index + 1)...].contains { $0.role != .system }
                try user(
                    turn, answering: openCalls, isLast: isLast, refuses: index == lastOfUser)
                openCalls = []
            case .assistant:
                answerUnanswered(openCalls)
                openCalls = assistant(turn, replays: olderTurns <= 0)
                olderTurns -= 1
            case .system:
                answerUnanswered(openCalls)
                openCalls = []
                systemEntry(turn)
            }
        }
        answerUnanswered(openCalls)
    }

    mutating func note(loss: String) { losses.append(loss) }
    mutating func note(repair: String) { repairs.append(repair) }

    // MARK: - User turns

    /// Tool messages first, in the order of the calls; then everything else as one message.
    private mutating func user(
        _ turn: Turn, answering calls: [ToolUse], isLast: Bool, refuses: Bool
    ) throws(APIError) {
        var parts: [ContentPart] = []
        var results = CallResults(calls)
        for case .toolResult(let id, let value) in turn.blocks { results.deal(value, to: id) }
        for (call, values) in zip(calls, results.values) {
            try answer(call, values, lifting: &parts)
        }
        for block in turn.blocks {
            if case .toolResult(let id, let value) = block {
                if !results.hasCall(id) { try orphan(id, value, &parts) }
            } else {
                try part(block, refuses: refuses, &parts)
            }
        }
        if !parts.isEmpty {
            userMessage(parts)
        } else if calls.isEmpty, isLast {
            messages.append(.user([.text(TextRun())]))
        }
    }

    /// Adds a user message, as the server takes it behind what is there.
    mutating func userMessage(_ parts: [ContentPart]) {
        if dialect.alternatesRoles, case .user(let earlier)? = messages.last {
            messages[messages.count - 1] = .user(earlier + parts)
        } else {
            fillBeforeUser()
            messages.append(.user(parts))
        }
    }

    /// Mistral refuses a user message right after a tool message (code 3230).
    private mutating func fillBeforeUser() {
        guard dialect.fillsBetweenToolAndUser, case .tool? = messages.last else { return }
        let filler = TextRun(pieces: [.literal("OK.")])
        messages.append(.assistant(AssistantMessage(text: filler)))
    }

    private mutating func answer(
        _ call: ToolUse, _ values: [JSONValue], lifting parts: inout [ContentPart]
    ) throws(APIError) {
        guard !values.isEmpty else {
            repairs.append("orphan_use")
            messages.append(.tool(id: call.upstreamID, Self.notExecuted, images: []))
            return
        }
        var content = TextRun()
        var lifted: [ContentPart] = []
        for value in values {
            let rendered = try toolResult(value, id: call.upstreamID, lifting: &lifted)
            content.add(rendered.pieces, separator: #"\n"#)
            content.marker = value["cache_control"] ?? rendered.marker ?? content.marker
        }
        let images = dialect.acceptsImagesInTools ? lifted.filter(\.isImage) : []
        if dialect.fillsEmptyResults, content.isEmpty, images.isEmpty {
            content.pieces = [.literal("(empty)")]
        }
        messages.append(.tool(id: call.upstreamID, content, images: images))
        parts += images.isEmpty ? lifted : lifted.filter { !$0.isImage }
    }

    private static var notExecuted: TextRun {
        TextRun(pieces: [.literal("(tool call was not executed)")])
    }

    /// OpenAI refuses a call without an answer; an interrupted turn leaves some.
    private mutating func answerUnanswered(_ calls: [ToolUse]) {
        for call in calls {
            repairs.append("orphan_use")
            messages.append(.tool(id: call.upstreamID, Self.notExecuted, images: []))
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

    // MARK: - System entries

    private mutating func systemEntry(_ turn: Turn) {
        var run = TextRun()
        for block in turn.blocks {
            guard case .text(let text, let marker) = block else {
                note(loss: LossField.block(block.type))
                continue
            }
            run.add([.text(text)], separator: #"\n\n"#)
            run.marker = marker
        }
        guard !run.isEmpty else { return }
        switch dialect.systemEntries {
        case .preserve: messages.append(.system([run]))
        case .fold: fold(run)
        case .hoist:
            if case .system(let system)? = messages.first {
                messages[0] = .system(system + [run])
            } else {
                messages.insert(.system([run]), at: 0)
            }
        }
    }

    private mutating func fold(_ run: TextRun) {
        var reminder = TextRun(pieces: [.literal(#"<system-reminder>\n"#)])
        reminder.pieces += run.pieces
        reminder.pieces.append(.literal(#"\n</system-reminder>"#))
        reminder.marker = run.marker
        switch messages.last {
        case .user(let parts): messages[messages.count - 1] = .user(parts + [.text(reminder)])
        case .tool(let id, var content, let images):
            content.add(reminder.pieces, separator: #"\n\n"#)
            content.marker = run.marker ?? content.marker
            messages[messages.count - 1] = .tool(id: id, content, images: images)
        case .system, .assistant, nil: messages.append(.user([.text(reminder)]))
        }
    }
}
