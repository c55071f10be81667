// What the upstream calls an answer (translation 3.1).
import Testing

@testable import Translation

private func plan(isStream: Bool) -> ExchangePlan {
    ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: isStream)
}

/// A completion's beginning with an `id` as it stands in JSON.
private func completion(_ id: String, _ key: String) -> [UInt8] {
    let choice = #"{"index":0,"\#(key)":{"content":"a"},"finish_reason":"stop"}"#
    return Array(#"{\#(id)"choices":[\#(choice)]}"#.utf8)
}

@Suite struct CompletionIDTests {
    static let ids: [(String, String?)] = [
        (#""id":"chatcmpl-1_a.b","#, "chatcmpl-1_a.b"), (#""id":"a/b:0","#, "a/b:0"),
        (#""id":"a\r\nset-cookie: x\u0000\u00e4\ud800b","#, "aset-cookie:xb"),
        (#""id":"a,b;\"c\"","#, "abc"), (#""id":"\r\n","#, nil), (#""id":"","#, nil),
        (#""id":null,"#, nil), (#""id":7,"#, nil), (#""id":{"a":1},"#, nil), ("", nil),
        (#""id":"\#(String(repeating: "x", count: 5000))","#, String(repeating: "x", count: 128)),
    ]

    @Test(arguments: ids)
    func aWholeAnswerTellsItInWhatAHeaderMayHold(id: String, expected: String?) throws {
        var mint = IdentifierMint(seed: (1, 2))
        let message = try MessageTranslator(plan: plan(isStream: false))
            .translate(completion: completion(id, "message"), mint: &mint)
        #expect(message.report.completionID == expected)
        // The message has a name of its own.
        #expect(String(decoding: message.body, as: UTF8.self).hasPrefix(#"{"id":"msg_"#))
    }

    @Test(arguments: ids)
    func aStreamTellsItWithItsFirstChunk(id: String, expected: String?) {
        let stream = TranslatedStream(
            plan: plan(isStream: true), messageID: "msg_1", requestID: "req_1",
            mint: IdentifierMint(seed: (1, 2)))
        var events: [UInt8] = []
        stream.feed(Array("data: ".utf8) + completion(id, "delta") + [0x0a, 0x0a], into: &events)
        #expect(stream.report.completionID == expected)
        #expect(!events.isEmpty)
    }

    @Test func theFirstNameStays() {
        let stream = TranslatedStream(
            plan: plan(isStream: true), messageID: "msg_1", requestID: "req_1",
            mint: IdentifierMint(seed: (1, 2)))
        var events: [UInt8] = []
        // Azure begins with a chunk of its filter that has no name yet.
        for id in [#""id":"","#, #""id":"one","#, #""id":"two","#] {
            let chunk = #"{\#(id)"choices":[{"index":0,"delta":{"content":"a"}}]}"#
            stream.feed(Array("data: \(chunk)\n\n".utf8), into: &events)
        }
        #expect(stream.report.completionID == "one")
    }
}
