// Runs a stream translator over bytes and reads back what it wrote.
import Foundation

@testable import Translation

/// What came out of a translator, an event a line in a short form.
struct StreamRun {
    var lines: [String] = []
    var bytes: [UInt8] = []
    /// Whether the message ended at a stop sequence that was found here: no more was wanted.
    var isStoppedHere = false

    /// Feeds the pieces, then the end of the stream.
    init(_ pieces: [ArraySlice<UInt8>], plan: ExchangePlan, remembersFrames: Bool = true) {
        var translator = StreamTranslator(
            plan: plan, messageID: "msg_1", requestID: "req_1", mint: IdentifierMint(seed: (1, 2)))
        translator.remembersFrames = remembersFrames
        for piece in pieces where !translator.isOver { translator.feed(Array(piece), into: &bytes) }
        translator.finish(.endOfStream, into: &bytes)
        isStoppedHere = translator.stopScanner.match != nil
        if case .failed(let error) = translator.phase, bytes.isEmpty {
            lines = ["failed \(error.status) \(error.kind.rawValue)"]
        } else {
            lines = Self.read(bytes)
        }
    }

    /// Reads what was written elsewhere.
    init(events: [UInt8]) {
        bytes = events
        lines = Self.read(events)
    }

    private static func read(_ bytes: [UInt8]) -> [String] {
        let text = String(decoding: bytes, as: UTF8.self)
        precondition(text.isEmpty || text.hasSuffix("\n\n"), "events are whole")
        return text.components(separatedBy: "\n\n").dropLast().map { event in
            let parts = event.components(separatedBy: "\n")
            guard parts.count == 2, parts[0].hasPrefix("event: "), parts[1].hasPrefix("data: "),
                let object = try? JSONSerialization.jsonObject(
                    with: Data(parts[1].dropFirst(6).utf8)),
                let data = object as? [String: Any],
                data["type"] as? String == String(parts[0].dropFirst(7))
            else { return "malformed: \(event)" }
            return line(data)
        }
    }

    private static func line(_ data: [String: Any]) -> String {
        let type = data["type"] as? String ?? ""
        let index = data["index"] as? Int ?? -1
        switch type {
        case "content_block_start":
            let block = data["content_block"] as? [String: Any] ?? [:]
            let kind = block["type"] as? String ?? ""
            guard kind == "tool_use" else { return "start \(index) \(kind)" }
            let id = block["id"] as? String ?? ""
            let shown = id.hasPrefix("toolu_") && id.count == 30 ? "minted" : id
            return "start \(index) tool_use \(block["name"] ?? "") \(shown)"
        case "content_block_delta":
            let delta = data["delta"] as? [String: Any] ?? [:]
            let keys = [
                "text": "text", "thinking": "thinking", "signature": "signature",
                "partial_json": "input",
            ]
            for (key, name) in keys {
                if let text = delta[key] as? String {
                    if let carried = carried(by: text) {
                        return "delta \(index) signature \(carried)"
                    }
                    return
                        "delta \(index) \(name) \(text.replacingOccurrences(of: "\n", with: "\\n"))"
                }
            }
            return "delta of nothing"
        case "content_block_stop": return "stop \(index)"
        case "message_delta":
            let delta = data["delta"] as? [String: Any] ?? [:]
            let usage = data["usage"] as? [String: Any] ?? [:]
            let sequence = (delta["stop_sequence"] as? String).map { ":\($0)" } ?? ""
            return "message_delta \(delta["stop_reason"] ?? "")\(sequence) "
                + "\(usage["input_tokens"] ?? "?") \(usage["output_tokens"] ?? "?")"
        case "error":
            return "error \((data["error"] as? [String: Any])?["type"] ?? "")"
        default: return type
        }
    }

    /// What a signature of ours carries, as JSON.
    private static func carried(by signature: String) -> String? {
        guard signature.hasPrefix("oai1."),
            let bytes = Base64URL.decoded(signature.utf8.dropFirst(5))
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What is wrong with the order of events (translation 4.2); `nil` when nothing.
    var grammarError: String? {
        var open: Int?
        var next = 0
        var ended = 0
        for (place, line) in lines.enumerated() {
            let words = line.split(separator: " ").map(String.init)
            if (words[0] == "message_start") != (place == 0) { return "message_start at \(place)" }
            if ended > 0, line != "message_stop" { return "\(line) behind the end" }
            switch words[0] {
            case "start":
                guard open == nil, words[1] == String(next) else { return line }
                open = next
                next += 1
            case "delta": guard words[1] == open.map(String.init) else { return line }
            case "stop":
                guard words[1] == open.map(String.init) else { return line }
                open = nil
            case "message_delta":
                guard open == nil else { return "the end with an open block" }
                ended += 1
            case "message_stop": return ended == 1 && place == lines.count - 1 ? nil : line
            case "error": return place == lines.count - 1 && ended == 0 ? nil : line
            case "message_start", "ping": break
            default: return line
            }
        }
        return "no end"
    }
}
