// Anthropic's stream events, byte for byte (translation 4.3).
internal import Bytes
internal import EventStream
internal import JSON

/// Writes events, each with its data in one line.
enum EventWriter {
    static func messageStart(
        id: String, model: String, _ inputTokens: Int, isFast: Bool?,
        into events: inout [UInt8]
    ) {
        events.beginEvent("message_start")
        events.append(#"{"type":"message_start","message":{"id":""#)
        events.append(id)
        events.append(#"","type":"message","role":"assistant","model":""#)
        JSONEscape.append(model, to: &events)
        events.append(
            #"","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"#)
        events.append(#""usage":{"input_tokens":"#)
        events.append(decimal: inputTokens)
        events.append(#","cache_creation_input_tokens":0,"cache_read_input_tokens":0,"#)
        events.append(#""output_tokens":0,"service_tier":"standard""#)
        if let isFast { Usage.append(speed: isFast, to: &events) }
        events.append("}}}")
        events.endEvent()
    }

    static func ping(into events: inout [UInt8]) {
        events.beginEvent("ping")
        events.append(#"{"type":"ping"}"#)
        events.endEvent()
    }

    static func textStart(_ index: Int, into events: inout [UInt8]) {
        blockStart(index, #"{"type":"text","text":""}"#, into: &events)
    }

    static func thinkingStart(_ index: Int, into events: inout [UInt8]) {
        blockStart(index, #"{"type":"thinking","thinking":"","signature":""}"#, into: &events)
    }

    private static func blockStart(
        _ index: Int, _ block: StaticString, into events: inout [UInt8]
    ) {
        openBlockStart(index, into: &events)
        events.append(block)
        events.append("}")
        events.endEvent()
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
        events.endEvent()
    }

    static func blockStart(_ index: Int, _ block: [UInt8], into events: inout [UInt8]) {
        openBlockStart(index, into: &events)
        events += block
        events.append("}")
        events.endEvent()
    }

    static func wholeBlock(_ index: Int, _ block: [UInt8], into events: inout [UInt8]) {
        blockStart(index, block, into: &events)
        blockStop(index, into: &events)
    }

    private static func openBlockStart(_ index: Int, into events: inout [UInt8]) {
        events.beginEvent("content_block_start")
        events.append(#"{"type":"content_block_start","index":"#)
        events.append(decimal: index)
        events.append(#","content_block":"#)
    }

    /// A delta up to where its text begins; `deltaClosing` ends it.
    static func deltaStart(_ index: Int, _ kind: DeltaKind, into events: inout [UInt8]) {
        events.beginEvent("content_block_delta")
        events.append(#"{"type":"content_block_delta","index":"#)
        events.append(decimal: index)
        events.append(kind.opening)
    }

    static let deltaClosing: StaticString = "\"}}\n\n"

    static func blockStop(_ index: Int, into events: inout [UInt8]) {
        events.beginEvent("content_block_stop")
        events.append(#"{"type":"content_block_stop","index":"#)
        events.append(decimal: index)
        events.append("}")
        events.endEvent()
    }

    static func messageDelta(_ end: MessageEnd, into events: inout [UInt8]) {
        events.beginEvent("message_delta")
        events.append(#"{"type":"message_delta","delta":{"#)
        end.append(to: &events)
        events.append(#"},"usage":"#)
        end.usage.appendDelta(to: &events)
        events.append("}")
        events.endEvent()
    }

    static func messageStop(into events: inout [UInt8]) {
        events.beginEvent("message_stop")
        events.append(#"{"type":"message_stop"}"#)
        events.endEvent()
    }

    static func error(_ error: APIError, requestID: String, into events: inout [UInt8]) {
        events.beginEvent("error")
        error.appendBody(requestID: requestID, to: &events)
        events.endEvent()
    }
}
