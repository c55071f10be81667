// Runs a stream translator over bytes and reads back what it wrote.
import Foundation

@testable import Translation

/// What comes out of a translator.
///
/// Runs are many: they are compared by their bytes, and read only where a test asks what they say.
/// A run can be copied in the middle, so that each way to go on costs only the rest.
struct StreamRun {
    private(set) var bytes: [UInt8] = []
    private var translator: StreamTranslator

    init(plan: ExchangePlan, remembersFrames: Bool = true) {
        translator = StreamTranslator(
            plan: plan, messageID: "msg_1", requestID: "req_1", mint: IdentifierMint(seed: (1, 2)))
        translator.remembersFrames = remembersFrames
    }

    /// Feeds the pieces, then the end of the stream.
    init(_ pieces: [ArraySlice<UInt8>], plan: ExchangePlan, remembersFrames: Bool = true) {
        self.init(plan: plan, remembersFrames: remembersFrames)
        for piece in pieces { feed(piece) }
        end()
    }

    mutating func feed(_ piece: ArraySlice<UInt8>) {
        if !translator.isOver { translator.feed(Array(piece), into: &bytes) }
    }

    mutating func end() { translator.finish(.endOfStream, into: &bytes) }

    /// The error that the client gets instead of a stream.
    var failure: String? {
        guard case .failed(let error) = translator.phase, bytes.isEmpty else { return nil }
        return "failed \(error.status) \(error.kind.rawValue)"
    }

    /// Whether the message ended at a stop sequence that was found here: no more was wanted.
    var isStoppedHere: Bool { translator.stopScanner.match != nil }

    /// An event a line in a short form.
    var lines: [String] { failure.map { [$0] } ?? Self.lines(of: bytes) }

    /// Whether both gave the client the same.
    func isSame(as other: StreamRun) -> Bool { bytes == other.bytes && failure == other.failure }

    /// Whether the client is told that the answer failed, as the last thing it hears.
    var endsInError: Bool {
        guard failure == nil else { return true }
        let text = String(decoding: bytes.dropLast(2), as: UTF8.self)
        return text.components(separatedBy: "\n\n").last?.hasPrefix("event: error\n") == true
    }

    static func lines(of bytes: [UInt8]) -> [String] {
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
                "partial_json": "input", "content": "compaction",
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
            let bytes = Base64.decoded(signature.utf8.dropFirst(5))
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What is wrong with the order of events (translation 4.2); `nil` when nothing.
    var grammarError: String? { Self.grammarError(in: lines) }

    static func grammarError(in lines: [String]) -> String? {
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
