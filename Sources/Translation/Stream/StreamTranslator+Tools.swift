// Tool calls of a stream, one block after the other (translation 4.5).
internal import JSON

extension StreamTranslator {
    private static let toolCallsMax = 1024

    /// Whether a call has begun whose block is not closed.
    var hasUnclosedTools: Bool { tools.last.map { $0.state != .closed } ?? false }

    // MARK: - Entries

    /// One entry of `delta.tool_calls`; the place of its call.
    mutating func toolCall(_ entry: JSONValue, into events: inout [UInt8]) -> Int {
        let function = entry["function"] ?? entry["custom"]
        let name = function?["name"]?.text?.string ?? ""
        let index = entry["index"]?.integer ?? entry["index"]?.text.flatMap { Int($0.string) }
        guard beginTools(into: &events) else { return 0 }
        let place = place(
            index: index, id: entry["id"]?.text?.string ?? "", name: name,
            beginsObject: Self.beginsObject(function?["arguments"]))
        tools[place].take(name: name)
        if function?["input"] != nil { tools[place].shape = .freeText }
        if let text = entry["extra_content"]?["google"]?["thought_signature"]?.text {
            tools[place].thoughtSignature = text.string
        }
        value(function?["arguments"] ?? function?["input"], to: place, into: &events)
        if !gathersTools { pump(into: &events) }
        return place
    }

    /// The `function_call` of older servers: one call without index and id.
    mutating func legacyCall(_ call: JSONValue, into events: inout [UInt8]) {
        guard beginTools(into: &events) else { return }
        let place = place(index: -1, id: "", name: "", beginsObject: false)
        tools[place].take(name: call["name"]?.text?.string ?? "")
        value(call["arguments"], to: place, into: &events)
        if !gathersTools { pump(into: &events) }
    }

    /// Lets go of text that was held back: it came before the call.
    ///
    /// `false` when the stream ended in it, or has too many calls.
    private mutating func beginTools(into events: inout [UInt8]) -> Bool {
        if !hasUnclosedTools { flushText(into: &events) }
        guard !isOver else { return false }
        guard tools.count < Self.toolCallsMax else {
            overflow(into: &events)
            return false
        }
        return true
    }

    /// The call that an entry belongs to.
    ///
    /// Gemini and Ollama give every call the index 0: a new id with a name behind a whole call is
    /// a new call. Others leave out the index: then the id tells, then a name.
    private mutating func place(
        index: Int?, id: String, name: String, beginsObject: Bool
    ) -> Int {
        if let known = known(index: index, id: id, name: name, beginsObject: beginsObject) {
            if tools[known].upstreamID == nil, !id.isEmpty { tools[known].upstreamID = id }
            if tools[known].index == nil { tools[known].index = index }
            return known
        }
        tools.append(StreamedToolCall(index: index, upstreamID: id))
        return tools.count - 1
    }

    private func known(index: Int?, id: String, name: String, beginsObject: Bool) -> Int? {
        // Of a completion that came whole every entry is a call, also where one id stands twice.
        if isWhole { return nil }
        if let index {
            if let known = tools.lastIndex(where: { $0.index == index }) {
                let isNew =
                    Self.isNew(tools[known], id: id, name: name)
                    || beginsObject && !name.isEmpty && tools[known].isComplete
                return isNew ? nil : known
            }
            return tools.lastIndex { $0.index == nil && $0.upstreamID == id }
        }
        if !id.isEmpty, let known = tools.lastIndex(where: { $0.upstreamID == id }) {
            return known
        }
        guard let last = tools.last else { return nil }
        // The name may come behind the id, or with every fragment.
        let isSame =
            last.name.isEmpty
            || id.isEmpty && last.name == name && last.hasArguments && !last.isComplete
        return name.isEmpty || isSame ? tools.count - 1 : nil
    }

    /// Whether arguments begin with an object of their own: Gemini may give neither index nor id
    /// of their own to calls that each come whole.
    private static func beginsObject(_ arguments: JSONValue?) -> Bool {
        guard let arguments else { return false }
        guard let text = arguments.text else { return arguments.kind == .object }
        return text.string.first { !$0.isWhitespace } == "{"
    }

    /// Whether an entry with the index of a call is another call all the same.
    private static func isNew(_ call: StreamedToolCall, id: String, name: String) -> Bool {
        guard !id.isEmpty, !name.isEmpty, call.upstreamID != id else { return false }
        return call.isComplete
            || !call.hasArguments && call.upstreamID != nil && call.name != name
    }

    // MARK: - Arguments

    /// Arguments as a string, as all send them, or as JSON.
    private mutating func value(
        _ arguments: JSONValue?, to place: Int, into events: inout [UInt8]
    ) {
        guard let arguments, !arguments.isNull else { return }
        if let text = arguments.text {
            text.withEscaped { self.arguments($0, to: place, into: &events) }
        } else if let slice = arguments.slice {
            keep(Array(slice.source[slice.range]), to: place, into: &events)
        }
    }

    /// A fragment, escaped as it came; goes out as it is when it is the next of the open block and
    /// belongs to the object as a whole.
    mutating func arguments(
        _ content: Span<UInt8>, isClean: Bool = false, to place: Int, into events: inout [UInt8]
    ) {
        guard block == .toolUse(place), tools[place].shape == .object,
            tools[place].half.isEmpty, !tools[place].scanner.isComplete,
            isClean || content.isClean
        else {
            var half = tools[place].half
            let decoded = Self.decoded(content, half: &half)
            tools[place].half = half
            return keep(decoded, to: place, into: &events)
        }
        scratch.removeAll(keepingCapacity: true)
        unsafe content.withUnsafeBytes { JSONEscape.appendDecoded($0, to: &scratch) }
        var scanner = tools[place].scanner
        let step = scanner.feed(scratch.span)
        guard step.count == scratch.count, !step.hasControl else {
            return keep(scratch, to: place, into: &events)
        }
        tools[place].scanner = scanner
        delta(content, into: &events)
    }

    private mutating func keep(_ bytes: [UInt8], to place: Int, into events: inout [UInt8]) {
        // Of a call that waits for its end nothing has gone out: all of it can be repaired.
        if gathersTools, !tools[place].hasArguments, bytes.contains(where: { $0 > 0x20 }) {
            tools[place].shape = .other
        }
        if !tools[place].take(bytes) { report.repaired("tool_arguments") }
        if tools[place].waiting.count > Self.heldBytesMax { overflow(into: &events) }
    }

    /// The upstream sent more than is kept.
    mutating func overflow(into events: inout [UInt8]) {
        fail(.upstreamProtocol("the upstream sent too much at once"), into: &events)
    }

    // MARK: - Blocks

    /// Moves what can be moved: the first call that is not closed is active, the others wait.
    mutating func pump(into events: inout [UInt8]) {
        while !isOver, let active = tools.firstIndex(where: { $0.state != .closed }) {
            let isLast = active == tools.count - 1
            if tools[active].state == .waiting {
                // With arguments, or another call behind it, the name is whole.
                guard !tools[active].name.isEmpty, tools[active].hasArguments || !isLast else {
                    return
                }
                guard openTool(active, into: &events) else { continue }
            }
            emitArguments(active, into: &events)
            // One without arguments may get some yet: servers name all calls first.
            guard !isLast, tools[active].isComplete else { return }
            closeTool(active, into: &events)
        }
    }

    /// Begins the block of a call; `false` when it is one too many.
    private mutating func openTool(_ place: Int, into events: inout [UInt8]) -> Bool {
        if !plan.allowsParallelToolUse, report.toolCallCount > 0 {
            report.repaired("parallel_tool_use")
            tools[place].state = .closed
            return false
        }
        let name = plan.toolNames.original(of: tools[place].name)
        if name != tools[place].name, !plan.toolNames.isAlias(tools[place].name) {
            report.repaired("tool_name")
        }
        let id = clientID(tools[place].upstreamID)
        carry(tools[place].thoughtSignature, of: id, into: &events)
        openToolUse(place, id: id, name: name, into: &events)
        tools[place].state = .open
        return true
    }

    /// The upstream's id where the client can use it, else a fresh one (translation 2.6): a
    /// repeated id makes Claude Code lose a call.
    private mutating func clientID(_ upstreamID: String?) -> String {
        if let upstreamID, ToolUseID.isUsable(upstreamID), !plan.usedToolIDs.contains(upstreamID),
            givenIDs.insert(upstreamID).inserted
        {
            return upstreamID
        }
        report.repaired("tool_id")
        return mint.next("toolu")
    }

    private mutating func emitArguments(_ place: Int, into events: inout [UInt8]) {
        guard tools[place].shape == .object, !tools[place].waiting.isEmpty else { return }
        delta(decoded: tools[place].waiting, into: &events)
        tools[place].waiting = []
    }

    private mutating func closeTool(_ place: Int, into events: inout [UInt8]) {
        if !tools[place].half.isEmpty {
            tools[place].half = []
            _ = tools[place].take(Array("\u{fffd}".utf8))
            emitArguments(place, into: &events)
        }
        let rest = rest(of: tools[place])
        if form == .message {
            events += rest.isEmpty ? Array("{}".utf8) : rest
        } else if !rest.isEmpty {
            delta(decoded: rest, into: &events)
        }
        tools[place].waiting = []
        tools[place].state = .closed
        closeBlock(into: &events)
    }

    /// What of a call's arguments has not gone out when no more come.
    private mutating func rest(of call: StreamedToolCall) -> [UInt8] {
        switch call.shape {
        case .unknown: return []
        case .object:
            // The client gets to know of a cut by `max_tokens`, else by what closes the object.
            guard !call.scanner.isComplete, finish != .length else { return [] }
            report.repaired("tool_arguments")
            return call.scanner.closing
        case .other:
            let arguments = ToolArguments(call.waiting)
            if let repair = arguments.repair { report.repaired(repair) }
            return arguments.object == Array("{}".utf8) ? [] : arguments.object
        case .freeText:
            var object = Array(#"{"input":""#.utf8)
            JSONEscape.append(call.waiting, to: &object)
            return object + Array("\"}".utf8)
        }
    }

    /// No more pieces come: opens what still waits and closes all.
    mutating func finishTools(into events: inout [UInt8]) {
        for place in tools.indices where tools[place].state != .closed {
            if tools[place].state == .waiting {
                guard !tools[place].name.isEmpty, !isCut(tools[place]) else {
                    report.repaired(tools[place].name.isEmpty ? "tool_name" : "tool_arguments")
                    tools[place].state = .closed
                    continue
                }
                guard openTool(place, into: &events) else { continue }
            }
            emitArguments(place, into: &events)
            closeTool(place, into: &events)
        }
    }

    /// Whether a call that has not gone out must not: cut by the token limit, or filtered.
    private func isCut(_ call: StreamedToolCall) -> Bool {
        guard refusal == nil else { return true }
        return switch finish {
        case .contentFilter: true
        case .length: call.hasArguments && !call.isComplete
        case .stop, .toolCalls, .error, .overloaded, nil: false
        }
    }
}
