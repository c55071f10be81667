// Anthropic's stream events, byte for byte (translation 4.3).
internal import Bytes
internal import JSON

/// Writes events.
///
/// Each is one `event:` line, one `data:` line and an empty line.
enum EventWriter {
    static func messageStart(
        id: String, model: String, into events: inout [UInt8]
    ) {
        events.append("event: message_start\ndata: ")
        events.append(#"{"type":"message_start","message":{"id":""#)
        events.append(id)
        events.append(#"","type":"message","role":"assistant","model":""#)
        JSONEscape.append(model, to: &events)
        events.append(
            #"","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"#)
        events.append(#""usage":{"input_tokens":0,"cache_creation_input_tokens":0,"#)
        events.append(
            #""cache_read_input_tokens":0,"output_tokens":0,"service_tier":"standard"}}}"#)
        events.append("\n\n")
    }

    static func ping(into events: inout [UInt8]) {
        events.append("event: ping\ndata: {\"type\":\"ping\"}\n\n")
    }

    static func blockStart(_ index: Int, _ block: StaticString, into events: inout [UInt8]) {
        openBlockStart(index, into: &events)
        events.append(block)
        events.append("}\n\n")
    }

    static func toolUseStart(
        _ index: Int, id: String, name: String, into events: inout [UInt8]
    ) {
        openBlockStart(index, into: &events)
        events.append(#"{"type":"tool_use","id":""#)
        JSONEscape.append(id, to: &events)
        events.append(#"","name":""#)
        JSONEscape.append(name, to: &events)
        events.append(#"","input":{}}}"#)
        events.append("\n\n")
    }

    private static func openBlockStart(_ index: Int, into events: inout [UInt8]) {
        events.append("event: content_block_start\ndata: ")
        events.append(#"{"type":"content_block_start","index":"#)
        events.append(decimal: index)
        events.append(#","content_block":"#)
    }

    /// A delta up to where its text begins; `deltaEnd` closes it.
    static func deltaStart(_ index: Int, _ kind: DeltaKind, into events: inout [UInt8]) {
        events.append("event: content_block_delta\ndata: ")
        events.append(#"{"type":"content_block_delta","index":"#)
        events.append(decimal: index)
        events.append(kind.opening)
    }

    static func deltaEnd(into events: inout [UInt8]) { events.append("\"}}\n\n") }

    static func blockStop(_ index: Int, into events: inout [UInt8]) {
        events.append("event: content_block_stop\ndata: ")
        events.append(#"{"type":"content_block_stop","index":"#)
        events.append(decimal: index)
        events.append("}\n\n")
    }

    static func messageDelta(_ end: MessageEnd, into events: inout [UInt8]) {
        events.append("event: message_delta\ndata: ")
        events.append(#"{"type":"message_delta","delta":{"#)
        end.append(to: &events)
        events.append(#"},"usage":"#)
        end.usage.appendDelta(to: &events)
        events.append("}\n\n")
    }

    static func messageStop(into events: inout [UInt8]) {
        events.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
    }

    static func error(_ error: APIError, requestID: String, into events: inout [UInt8]) {
        events.append("event: error\ndata: ")
        error.appendBody(requestID: requestID, to: &events)
        events.append("\n\n")
    }
}

/// The kinds of text that a delta carries.
enum DeltaKind: Sendable {
    case text, thinking, signature, inputJSON

    var opening: StaticString {
        switch self {
        case .text: #","delta":{"type":"text_delta","text":""#
        case .thinking: #","delta":{"type":"thinking_delta","thinking":""#
        case .signature: #","delta":{"type":"signature_delta","signature":""#
        case .inputJSON: #","delta":{"type":"input_json_delta","partial_json":""#
        }
    }
}

/// How a message ended.
struct MessageEnd: Sendable {
    var stopReason: StopReason
    var stopSequence: String?
    /// What the model said in refusing, decoded.
    var refusal: [UInt8]?
    var usage: Usage

    /// Appends the three members that say why the message stopped.
    func append(to bytes: inout [UInt8]) {
        bytes.append(#""stop_reason":""#)
        bytes.append(stopReason.rawValue)
        bytes.append(#"","stop_sequence":"#)
        if let stopSequence {
            bytes.append("\"")
            JSONEscape.append(stopSequence, to: &bytes)
            bytes.append("\"")
        } else {
            bytes.append("null")
        }
        bytes.append(#","stop_details":"#)
        if stopReason == .refusal {
            RefusalDetails.append(refusal, to: &bytes)
        } else {
            bytes.append("null")
        }
    }
}
