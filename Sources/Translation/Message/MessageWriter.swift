// Anthropic's message as one JSON document, piece by piece (translation 3.1).
internal import Bytes
internal import JSON

/// Writes a message in the order in which its stream would come.
enum MessageWriter {
    static func messageStart(id: String, model: String, into body: inout [UInt8]) {
        body.append(#"{"id":""#)
        body.append(id)
        body.append(#"","type":"message","role":"assistant","model":""#)
        JSONEscape.append(model, to: &body)
        body.append(#"","content":["#)
    }

    static func textStart(_ index: Int, into body: inout [UInt8]) {
        body.append(index == 0 ? #"{"type":"text","text":""# : #",{"type":"text","text":""#)
    }

    static func thinkingStart(_ index: Int, into body: inout [UInt8]) {
        if index > 0 { body.append(",") }
        body.append(#"{"type":"thinking","thinking":""#)
    }

    static func toolUseStart(_ index: Int, id: String, name: String, into body: inout [UInt8]) {
        body.append(index == 0 ? #"{"type":"tool_use","id":""# : #",{"type":"tool_use","id":""#)
        JSONEscape.append(id, to: &body)
        body.append(#"","name":""#)
        JSONEscape.append(name, to: &body)
        body.append(#"","input":"#)
    }

    static func signature(_ signature: String, into body: inout [UInt8]) {
        body.append(#"","signature":""#)
        body.append(signature)
    }

    static func messageEnd(_ end: MessageEnd, into body: inout [UInt8]) {
        body.append("],")
        end.append(to: &body)
        body.append(#","usage":"#)
        end.usage.append(to: &body)
        body.append("}")
    }
}
