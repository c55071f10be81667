// A conversation that grows keeps its beginning, byte for byte (translation 0.3).
import Foundation
import JSON
import Testing

@testable import Translation

/// A recorded conversation of Claude Code and the ways in which a client may spell it.
private struct Recording {
    /// The recorded requests, and a long session of which every text was cut short.
    static let folders = ["EndToEnd/fixtures", "TranslationTests/Fixtures/conversation"]
    static let tests = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()

    private let body: [String: Any]
    let messages: [[String: Any]]

    init(_ name: String) throws {
        let url = Self.tests.appending(path: name)
        let record = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        let recorded = (record as? [String: Any])?["body"] as? [String: Any] ?? [:]
        body = recorded.filter { ["model", "max_tokens", "thinking"].contains($0.key) }
        messages = recorded["messages"] as? [[String: Any]] ?? []
    }

    /// How many messages each request of the conversation had: it ends before an answer.
    var turns: [Int] {
        messages.indices.map { $0 + 1 }.filter { end in
            messages[end - 1]["role"] as? String != "assistant"
                && (end == messages.count || messages[end]["role"] as? String == "assistant")
        }
    }

    /// The request that ends with a message; `spelling` moves markers and flips content.
    func request(_ count: Int, spelling: Int) throws -> [UInt8] {
        var turn = body
        turn["messages"] = messages[..<count].enumerated().map { place, message in
            Self.spelled(message, (place + spelling) % 3)
        }
        return Array(try JSONSerialization.data(withJSONObject: turn, options: .sortedKeys))
    }

    private static func spelled(_ message: [String: Any], _ way: Int) -> [String: Any] {
        var message = message
        if way > 0, let text = message["content"] as? String {
            message["content"] = [["type": "text", "text": text]]
        }
        guard var blocks = message["content"] as? [[String: Any]] else { return message }
        if way == 0, blocks.count == 1, let text = blocks[0]["text"] as? String {
            message["content"] = text
            return message
        }
        for place in blocks.indices { blocks[place]["cache_control"] = nil }
        if way == 2, !blocks.isEmpty {
            blocks[blocks.count - 1]["cache_control"] = ["type": "ephemeral"]
        }
        message["content"] = blocks
        return message
    }
}

@Suite struct PrefixTests {
    /// Conversations of more than one turn, by their files.
    private static let recordings = Recording.folders.flatMap { folder in
        let path = Recording.tests.appending(path: folder).path
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return files.filter { $0.hasSuffix(".json") }.sorted().map { "\(folder)/\($0)" }
    }.filter { ((try? Recording($0))?.turns.count ?? 0) > 1 }

    /// The messages that went upstream, each as its bytes.
    private func messages(_ body: [UInt8], _ dialect: Dialect) throws -> [String] {
        let chat = Array(try translate(body, dialect: dialect).chat.utf8)
        let document = try JSONDocument(
            parsing: chat, opaqueKeys: OpaqueKeys(["messages", "tools"]))
        return try #require(document.root["messages"]?.slice).elements.map { slice in
            String(decoding: chat[slice.range], as: UTF8.self)
        }
    }

    @Test func thereAreConversationsOfTwentyTurns() throws {
        #expect(Self.recordings.count > 3)
        #expect(try Self.recordings.contains { try Recording($0).turns.count >= 20 })
    }

    @Test(arguments: recordings, Dialect.all.map(\.name))
    func everyTurnBeginsWithTheOneBefore(name: String, server: String) throws {
        let recording = try Recording(name)
        let dialect = try #require(Dialect.named(server))
        var before: [String] = []
        for (turn, count) in recording.turns.enumerated() {
            let now = try messages(try recording.request(count, spelling: turn), dialect)
            #expect(now.count >= before.count)
            // The last message may still grow: an entry is folded into it.
            #expect(now.starts(with: before.dropLast()), "turn \(turn)")
            before = now
        }
        #expect(before.count > 2)
    }

    /// OpenRouter wants the markers of Claude's models: they, and nothing else, may change.
    @Test(arguments: recordings)
    func markersAreAllThatChanges(name: String) throws {
        var claude = Dialect.openrouter
        claude.cacheMarkers = .cacheControl
        let recording = try Recording(name)
        let marker = #","cache_control":{"type":"ephemeral"}"#
        var before: [String] = []
        for (turn, count) in recording.turns.enumerated() {
            let now = try messages(try recording.request(count, spelling: turn), claude)
                .map { $0.replacingOccurrences(of: marker, with: "") }
            #expect(now.starts(with: before.dropLast()), "turn \(turn)")
            before = now
        }
    }
}
