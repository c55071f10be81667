// The two forms of an answer: a stream of events, and one message.
internal import Bytes
internal import JSON

/// What the client gets its answer in.
///
/// Both forms come from the same state machine, so that one completion gives one answer.
enum AnswerForm: Sendable {
    case events, message

    func messageStart(
        id: String, model: String, inputTokens: Int = 0, isFast: Bool? = nil,
        into bytes: inout [UInt8]
    ) {
        switch self {
        case .events:
            EventWriter.messageStart(
                id: id, model: model, inputTokens, isFast: isFast, into: &bytes)
        case .message: MessageWriter.messageStart(id: id, model: model, into: &bytes)
        }
    }

    func textStart(_ index: Int, into bytes: inout [UInt8]) {
        switch self {
        case .events: EventWriter.textStart(index, into: &bytes)
        case .message: MessageWriter.textStart(index, into: &bytes)
        }
    }

    func thinkingStart(_ index: Int, into bytes: inout [UInt8]) {
        switch self {
        case .events: EventWriter.thinkingStart(index, into: &bytes)
        case .message: MessageWriter.thinkingStart(index, into: &bytes)
        }
    }

    func toolUseStart(_ index: Int, id: String, name: String, into bytes: inout [UInt8]) {
        switch self {
        case .events: EventWriter.toolUseStart(index, id: id, name: name, into: &bytes)
        case .message: MessageWriter.toolUseStart(index, id: id, name: name, into: &bytes)
        }
    }

    /// A call of a server tool, all of it.
    func serverToolUse(_ index: Int, id: String, input: [UInt8], into bytes: inout [UInt8]) {
        var block = Array(#"{"type":"server_tool_use","id":""#.utf8)
        block.append(id)
        block.append(#"","name":"web_search","input":"#)
        switch self {
        case .events:
            block.append("{}}")
            EventWriter.blockStart(index, block, into: &bytes)
            EventWriter.deltaStart(index, .inputJSON, into: &bytes)
            JSONEscape.append(input, to: &bytes)
            bytes.append(EventWriter.deltaClosing)
            EventWriter.blockStop(index, into: &bytes)
        case .message: wholeBlock(index, block + input + Array("}".utf8), into: &bytes)
        }
    }

    /// A block that is whole in its beginning.
    func wholeBlock(_ index: Int, _ block: [UInt8], into bytes: inout [UInt8]) {
        switch self {
        case .events: EventWriter.wholeBlock(index, block, into: &bytes)
        case .message:
            if index > 0 { bytes.append(",") }
            bytes += block
        }
    }

    /// A summary of the conversation, all of it; `nil` says that there is none.
    func compaction(
        _ index: Int, _ summary: [UInt8]?, signature: String, into bytes: inout [UInt8]
    ) {
        var block = Array(#"{"type":"compaction","signature":""#.utf8)
        block.append(signature)
        block.append(#"","content":"#)
        switch self {
        case .events:
            block.append("null}")
            EventWriter.blockStart(index, block, into: &bytes)
            if let summary {
                EventWriter.deltaStart(index, .compaction, into: &bytes)
                JSONEscape.append(summary, to: &bytes)
                bytes.append(EventWriter.deltaClosing)
            }
            EventWriter.blockStop(index, into: &bytes)
        case .message:
            if let summary {
                block.append("\"")
                JSONEscape.append(summary, to: &block)
                block.append("\"}")
            } else {
                block.append("null}")
            }
            wholeBlock(index, block, into: &bytes)
        }
    }

    /// What stands around the text of a delta.
    func deltaOpening(_ index: Int, _ kind: DeltaKind, into bytes: inout [UInt8]) {
        guard self == .events else { return }
        EventWriter.deltaStart(index, kind, into: &bytes)
    }

    var deltaClosing: StaticString {
        switch self {
        case .events: EventWriter.deltaClosing
        case .message: ""
        }
    }

    /// The signature of the open thinking block, its last delta.
    func signature(_ signature: String, _ index: Int, into bytes: inout [UInt8]) {
        switch self {
        case .events:
            EventWriter.deltaStart(index, .signature, into: &bytes)
            bytes.append(signature)
            bytes.append(EventWriter.deltaClosing)
        case .message: MessageWriter.signature(signature, into: &bytes)
        }
    }

    func blockStop(_ index: Int, _ kind: DeltaKind, into bytes: inout [UInt8]) {
        switch self {
        case .events: EventWriter.blockStop(index, into: &bytes)
        case .message: bytes.append(kind == .inputJSON ? "}" : #""}"#)
        }
    }

    func messageEnd(_ end: MessageEnd, into bytes: inout [UInt8]) {
        switch self {
        case .events:
            EventWriter.messageDelta(end, into: &bytes)
            EventWriter.messageStop(into: &bytes)
        case .message: MessageWriter.messageEnd(end, into: &bytes)
        }
    }
}
