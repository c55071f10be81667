// Anthropic's own stream on its way through, fed at every split and cut at every byte.
import Testing

@testable import Translation

private let stream = """
    event: message_start
    data: {"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":7,\
    "cache_read_input_tokens":3,"cache_creation_input_tokens":2,"output_tokens":1}}}

    event: ping
    data: {"type":"ping"}

    event: content_block_start
    data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t"}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta",\
    "partial_json":"{}"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":0}

    event: message_delta
    data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}

    event: message_stop
    data: {"type":"message_stop"}


    """

private var plan: ExchangePlan {
    ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
}

private func pass(
    _ pieces: [[UInt8]], _ end: StreamTranslator.End = .endOfStream
) -> (EventPassage, String) {
    let passage = EventPassage(plan, requestID: "req_1")
    var output: [UInt8] = []
    for piece in pieces { passage.feed(piece, into: &output) }
    passage.finish(end, into: &output)
    return (passage, String(decoding: output, as: UTF8.self))
}

private func error(_ passage: EventPassage) -> APIError? {
    if case .failed(let error) = passage.phase { error } else { nil }
}

@Suite struct EventPassageTests {
    @Test(arguments: ["\n", "\r\n"])
    func everyByteComesThroughWhateverTheSplit(lineEnd: String) {
        let text = stream.split(separator: "\n", omittingEmptySubsequences: false)
            .joined(separator: lineEnd)
        let bytes = Array(text.utf8)
        for size in [1, 2, 3, 7, 50, 100_000] {
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            let (passage, output) = pass(pieces)
            #expect(output == text)
            guard case .ended = passage.phase else {
                Issue.record("not ended at size \(size)")
                continue
            }
            var usage = Usage()
            (usage.inputTokens, usage.cacheReadTokens) = (7, 3)
            (usage.cacheCreationTokens, usage.outputTokens) = (2, 9)
            #expect(passage.report.usage == usage)
            #expect(passage.report.stopReason == .toolUse)
            #expect(passage.report.toolCallCount == 1 && passage.report.hasOutput)
        }
    }

    @Test func aCutAtAnyByteIsAnErrorBehindWholeEvents() {
        let bytes = Array(stream.utf8)
        let first = stream.utf8.count { _ in true } - 2
        for size in 0..<first {
            let (passage, output) = pass([Array(bytes[..<size])], .reset)
            #expect(error(passage) != nil, "\(size)")
            if output.isEmpty { continue }
            #expect(output.hasPrefix("event: message_start\n"), "\(size)")
            #expect(output.contains("event: error\ndata: {\"type\":\"error\""), "\(size)")
            #expect(!output.contains("message_stop") && output.hasSuffix("}\n\n"), "\(size)")
        }
    }

    @Test func aMissingEmptyLineAtTheEndIsForgiven() {
        let (passage, output) = pass([Array(stream.utf8.dropLast())])
        #expect(error(passage) == nil)
        #expect(output == stream)
    }

    @Test func anErrorBeforeAnythingElseKeepsItsTypeAndIsNotWritten() {
        let event = """
            event: error
            data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}


            """
        let (passage, output) = pass([Array(event.utf8)])
        #expect(output.isEmpty)
        #expect(error(passage)?.status == 529 && error(passage)?.message == "Overloaded")
        let (later, text) = pass([Array((stream.prefix(230) + "\n\n" + event).utf8)])
        #expect(text.hasSuffix(event) && error(later)?.kind == .overloaded)
    }

    @Test func aPingIsWrittenBeforeTheFirstEventWhenItTakesLong() {
        let passage = EventPassage(plan, requestID: "req_1")
        var output: [UInt8] = []
        passage.feed(Array("event: mess".utf8), into: &output)
        passage.commit(into: &output)
        #expect(
            String(decoding: output, as: UTF8.self) == "event: ping\ndata: {\"type\":\"ping\"}\n\n")
        passage.finish(.idleTimeout, into: &output)
        #expect(String(decoding: output, as: UTF8.self).contains("timeout_error"))
    }
}

@Suite struct PassedAnswerTests {
    private let context = ErrorContext(
        secrets: ["sk-secret-key"], ownsKey: true, model: "m", path: "/v1/messages",
        estimatedInputTokens: 0)

    private func translate(_ status: Int, _ body: String) -> APIError {
        PassedError.translate(
            status: status, header: { _ in nil }, body: Array(body.utf8), context)
    }

    @Test func errorsKeepTheirShape() {
        let body = #"{"type":"error","error":{"type":"not_found_error","message":"sk-secret-key"}}"#
        let error = translate(404, body)
        #expect(error.status == 404 && error.kind == .notFound)
        #expect(error.message.contains("***") && !error.message.contains("secret"))
        let refused = #"{"type":"error","error":{"type":"authentication_error","message":"no"}}"#
        #expect(translate(401, refused).status == 502)
        #expect(translate(503, "<html>busy</html>").status == 529)
    }

    @Test func messagesAreCounted() throws {
        let body = """
            {"type":"message","content":[{"type":"text"},{"type":"tool_use"}],\
            "stop_reason":"end_turn","usage":{"input_tokens":4,"output_tokens":2}}
            """
        let report = try PassedMessage.read(Array(body.utf8), plan)
        #expect(report.usage?.inputTokens == 4 && report.usage?.outputTokens == 2)
        #expect(report.stopReason == .endTurn && report.toolCallCount == 1)
        #expect(throws: APIError.self) { try PassedMessage.read(Array("<html>".utf8), plan) }
    }

    @Test(arguments: [
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.deepseek.com/anthropic/", "https://api.deepseek.com/anthropic/v1/messages"),
        ("http://h/v1", "http://h/v1/messages"), ("http://h/v1/messages", "http://h/v1/messages"),
        ("http://h?x=y", "http://h/v1/messages?x=y"),
    ])
    func addressesAreCompleted(base: String, url: String) {
        #expect(MessagesEndpoint.url(base: base) == url)
        let counting = MessagesEndpoint.countTokens("http://h/v1/messages?x=y")
        #expect(counting == "http://h/v1/messages/count_tokens?x=y")
    }

    @Test func onlyTheModelsNameIsExchanged() throws {
        let body = Array(
            #"{"messages":[{"role":"user"}], "model" : "claude-x","stream":true}"#.utf8)
        let envelope = try RequestEnvelope(body)
        #expect(envelope.model == "claude-x" && envelope.isStream)
        #expect(envelope.body(body, model: "claude-x").flatMap { $0 } == body)
        let changed = envelope.body(body, model: "a\"b").flatMap { $0 }
        #expect(
            String(decoding: changed, as: UTF8.self)
                == #"{"messages":[{"role":"user"}], "model" : "a\"b","stream":true}"#)
    }
}
