// How a message ended.
internal import Bytes
internal import JSON

/// Why a message stopped, and what it took.
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
