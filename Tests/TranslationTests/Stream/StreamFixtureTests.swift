// Streams and what they become: one folder a case.
import Foundation
import Testing

@testable import Translation

/// A plan as a fixture's `plan.json` says it.
func answerPlan(_ name: String, of kind: String = "stream") throws -> ExchangePlan {
    let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
    guard let bytes = try? fixture(kind, name, "plan.json"),
        let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    else { return plan }
    plan.stopSequences = object["stop"] as? [String] ?? []
    plan.allowsParallelToolUse = object["parallel"] as? Bool ?? true
    plan.prefill = object["prefill"] as? String
    plan.isCompaction = object["compacts"] as? Bool ?? false
    plan.usedToolIDs = Set(object["used"] as? [String] ?? [])
    plan.webSearchQuery = object["search"] as? String
    plan.estimatedInputTokens = object["estimate"] as? Int ?? 0
    plan.options.estimatesAtStart = object["start_usage"] as? String == "estimate"
    plan.options.thinkTags =
        (object["think_tags"] as? String).flatMap { .init(rawValue: $0) } ?? .auto
    switch object["thinking"] as? String {
    case "shown": plan.thinking = .shown
    case "omitted": plan.thinking = .omitted
    default: break
    }
    return plan
}

/// The bytes of a fixture's stream, its last line feeds included.
func streamBytes(_ name: String) throws -> [UInt8] {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/stream/\(name)/stream.txt")
    return Array(try Data(contentsOf: url))
}

@Suite struct StreamFixtureTests {
    @Test(arguments: fixtures("stream"))
    func aStreamBecomesWhatItsFolderSays(name: String) throws {
        let expected = String(decoding: try fixture("stream", name, "events.txt"), as: UTF8.self)
            .components(separatedBy: "\n")
        let lines = StreamRun([try streamBytes(name)[...]], plan: try answerPlan(name)).lines
        #expect(lines == expected, "\(name): \(lines.joined(separator: "\n"))")
    }

    @Test(arguments: fixtures("stream"))
    func everySplitGivesTheSameEvents(name: String) throws {
        let bytes = try streamBytes(name)
        let plan = try answerPlan(name)
        let whole = StreamRun([bytes[...]], plan: plan)
        // Byte by byte up to the split, and the rest at once.
        var start = StreamRun(plan: plan)
        for split in bytes.indices {
            var run = start
            run.feed(bytes[split...])
            run.end()
            if !run.isSame(as: whole) { Issue.record("split at \(split): \(run.lines)") }
            start.feed(bytes[split...split])
        }
        start.end()
        #expect(start.isSame(as: whole))
    }

    @Test(arguments: fixtures("stream"))
    func theMemoryOfFramesChangesNoByte(name: String) throws {
        let bytes = try streamBytes(name)
        let plan = try answerPlan(name)
        let fast = StreamRun([bytes[...]], plan: plan)
        let full = StreamRun([bytes[...]], plan: plan, remembersFrames: false)
        #expect(fast.isSame(as: full))
    }

    @Test(arguments: fixtures("stream"))
    func aCutStreamNeverLooksLikeSuccess(name: String) throws {
        let bytes = try streamBytes(name)
        let text = String(decoding: bytes, as: UTF8.self)
        let plan = try answerPlan(name)
        // From the finish reason, the end marker or a whole error on there is nothing to lose.
        let ends = [#""finish_reason":"#, "[DONE]"].flatMap { marker in
            text.ranges(of: marker).map {
                text.utf8.distance(from: text.startIndex, to: $0.upperBound)
            }
        }.filter { !String(decoding: bytes[$0...], as: UTF8.self).hasPrefix("null") }
        let error = text.ranges(of: /data: \{"error":.*/).first.map {
            text.utf8.distance(from: text.startIndex, to: $0.upperBound)
        }
        let end = (ends + [error].compactMap { $0 }).min() ?? bytes.count
        var start = StreamRun(plan: plan)
        for count in 0..<min(end, bytes.count) {
            var run = start
            run.end()
            start.feed(bytes[count...count])
            guard !run.isStoppedHere, !run.endsInError else { continue }
            Issue.record("\(count) bytes: \(run.lines)")
        }
    }
}
