// Tool calls of a stream, one block after the other (translation 4.5).
internal import JSON

/// One tool call while its pieces come in.
struct StreamedToolCall: Sendable {
    /// By what its later pieces find it.
    var index: Int?
    var upstreamID: String?
    var name = ""
    /// Arguments that have not gone out, decoded.
    var waiting: [UInt8] = []
    var heldHalf: [UInt8] = []
    var scanner = JSONObjectScanner()
    var state = State.waiting
    var shape = Shape.unknown
    var hasArguments = false

    enum State: Sendable { case waiting, open, closed }
    /// What the arguments turned out to be by their first byte.
    enum Shape: Sendable { case unknown, object, other }

    /// Whether nothing is missing: the object is closed, or no arguments ever came.
    var isComplete: Bool { scanner.isComplete || !hasArguments }
}

extension StreamTranslator {
    /// One entry of `delta.tool_calls`.
    mutating func toolCall(_ entry: JSONValue, into events: inout [UInt8]) {
        guard beginTools(into: &events) else { return }
        let function = entry["function"] ?? entry["custom"]
        let name = function?["name"]?.text?.string ?? ""
        let id = entry["id"]?.text?.string ?? ""
        let index = entry["index"]?.integer ?? entry["index"]?.text.flatMap { Int($0.string) }
        let place = self.place(index: index, id: id, name: name)
        // A later repetition of the name is no part of it.
        if !name.isEmpty, !tools[place].hasArguments, tools[place].name != name {
            tools[place].name += name
        }
        append(function?["arguments"] ?? function?["input"], to: place)
        pump(into: &events)
    }

    /// The `function_call` of older servers: one call without index and id.
    mutating func legacyCall(_ call: JSONValue, into events: inout [UInt8]) {
        guard beginTools(into: &events) else { return }
        let place = self.place(index: -1, id: "", name: call["name"]?.text?.string ?? "")
        if tools[place].name.isEmpty { tools[place].name = call["name"]?.text?.string ?? "" }
        append(call["arguments"], to: place)
        pump(into: &events)
    }

    /// Lets go of text that was held back: it came before the first call.
    ///
    /// `false` when the stream ended in it.
    private mutating func beginTools(into events: inout [UInt8]) -> Bool {
        if tools.isEmpty { flushText(into: &events) }
        return !isOver
    }

    /// The call that an entry belongs to.
    ///
    /// Gemini and Ollama give every call the index 0: a new id with a name after complete arguments
    /// is a new call. Others leave out the index: then the id tells, then a name.
    private mutating func place(index: Int?, id: String, name: String) -> Int {
        if let index, let known = tools.lastIndex(where: { $0.index == index }) {
            let call = tools[known]
            let isNew =
                !id.isEmpty && !name.isEmpty && call.upstreamID != id && call.scanner.isComplete
            if !isNew {
                if tools[known].upstreamID == nil, !id.isEmpty { tools[known].upstreamID = id }
                return known
            }
        } else if index == nil {
            if !id.isEmpty, let known = tools.lastIndex(where: { $0.upstreamID == id }) {
                return known
            }
            if name.isEmpty, id.isEmpty, !tools.isEmpty { return tools.count - 1 }
        }
        tools.append(StreamedToolCall(index: index, upstreamID: id.isEmpty ? nil : id))
        return tools.count - 1
    }

    private mutating func append(_ arguments: JSONValue?, to place: Int) {
        guard let arguments, !arguments.isNull else { return }
        var bytes: [UInt8] = []
        if let text = arguments.text {
            guard !text.isEmpty else { return }
            var escaped = tools[place].heldHalf
            unsafe text.withEscapedBytes { unsafe escaped.append(contentsOf: $0) }
            tools[place].heldHalf = Self.takeHalf(&escaped)
            unsafe escaped.withUnsafeBytes { JSONEscape.appendDecoded($0, to: &bytes) }
        } else if let slice = arguments.slice {
            unsafe slice.withBytes { unsafe bytes.append(contentsOf: $0) }
        }
        guard tools[place].shape != .unknown || bytes.contains(where: { $0 > 0x20 }) else { return }
        tools[place].hasArguments = true
        take(bytes, to: place)
    }

    /// Follows the arguments to the end of their object; junk behind it is dropped.
    private mutating func take(_ bytes: [UInt8], to place: Int) {
        var bytes = bytes[...]
        if tools[place].shape == .unknown {
            bytes = bytes.drop { $0 <= 0x20 }
            tools[place].shape = bytes.first == UInt8(ascii: "{") ? .object : .other
        }
        guard tools[place].shape == .object else {
            tools[place].waiting += bytes
            return
        }
        let count = tools[place].scanner.feed(bytes)
        tools[place].waiting += bytes.prefix(count)
        if bytes.dropFirst(count).contains(where: { $0 > 0x20 }) {
            report.repairs.append("tool_arguments")
        }
    }

    // MARK: - Blocks

    /// Moves what can be moved: the first call that is not closed is active, the others wait.
    private mutating func pump(into events: inout [UInt8]) {
        while let active = tools.firstIndex(where: { $0.state != .closed }) {
            let isLast = active == tools.count - 1
            if tools[active].state == .waiting {
                guard !tools[active].name.isEmpty, tools[active].hasArguments || !isLast else {
                    return
                }
                guard openTool(active, into: &events) else { continue }
            }
            emitArguments(active, into: &events)
            guard !isLast, tools[active].isComplete else { return }
            closeTool(active, into: &events)
        }
    }

    /// Begins the block of a call; `false` when it is one too many.
    private mutating func openTool(_ place: Int, into events: inout [UInt8]) -> Bool {
        if !plan.allowsParallelToolUse, report.toolCallCount > 0 {
            report.repairs.append("parallel_tool_use")
            tools[place].state = .closed
            return false
        }
        closeBlock(into: &events)
        let name = plan.toolNames.original(of: tools[place].name)
        if name != tools[place].name, !plan.toolNames.isAlias(tools[place].name) {
            report.repairs.append("tool_name")
        }
        let id = clientID(tools[place].upstreamID)
        EventWriter.toolUseStart(nextIndex, id: id, name: name, into: &events)
        block = .toolUse(place)
        nextIndex += 1
        tools[place].state = .open
        report.toolCallCount += 1
        report.hasOutput = true
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
        report.repairs.append("tool_id")
        return mint.next("toolu")
    }

    private mutating func emitArguments(_ place: Int, into events: inout [UInt8]) {
        guard tools[place].shape == .object, !tools[place].waiting.isEmpty else { return }
        outputBytes += tools[place].waiting.count
        delta(tools[place].waiting, .inputJSON, into: &events)
        tools[place].waiting = []
    }

    private mutating func closeTool(_ place: Int, into events: inout [UInt8]) {
        if tools[place].shape == .other {
            let arguments = ToolArguments(tools[place].waiting)
            if let repair = arguments.repair { report.repairs.append(repair) }
            tools[place].waiting = []
            if arguments.object != Array("{}".utf8) {
                delta(arguments.object, .inputJSON, into: &events)
            }
        }
        closeBlock(into: &events)
        tools[place].state = .closed
    }

    /// No more pieces come: opens what still waits, closes all, and lets text go that came between.
    mutating func finishTools(into events: inout [UInt8]) {
        for place in tools.indices where tools[place].state != .closed {
            if tools[place].state == .waiting {
                guard !tools[place].name.isEmpty else {
                    report.repairs.append("tool_name")
                    tools[place].state = .closed
                    continue
                }
                guard openTool(place, into: &events) else { continue }
            }
            emitArguments(place, into: &events)
            closeTool(place, into: &events)
        }
        tools.removeAll { $0.state == .closed }
        let text = textAfterTools
        textAfterTools = []
        guard text.contains(where: { $0 > 0x20 }) else { return }
        closeBlock(into: &events)
        open(.text, #"{"type":"text","text":""}"#, into: &events)
        report.textBlockCount += 1
        delta(text, .text, into: &events)
    }
}

/// Ids of tool use blocks as Anthropic's API takes them.
enum ToolUseID {
    /// Whether an id matches `^[a-zA-Z0-9_-]{1,64}$`.
    static func isUsable(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2d: true
                default: false
                }
            }
    }
}
