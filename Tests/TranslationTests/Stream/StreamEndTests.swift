// How streams end when it is not the upstream that ends them.
import Foundation
import Testing

@testable import Translation

private func translator(
    _ configure: (ExchangePlan) -> Void = { _ in }
) -> StreamTranslator {
    let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
    configure(plan)
    return StreamTranslator(
        plan: plan, messageID: "msg_1", requestID: "req_1", mint: IdentifierMint(seed: (1, 2)))
}

private func chunk(_ delta: String, finish: String = "null") -> [UInt8] {
    Array(
        (#"data: {"choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]}"# + "\n\n")
            .utf8)
}

private let text = chunk(#"{"content":"a"}"#)
private let finish = chunk("{}", finish: #""stop""#)

private func name(_ phase: StreamTranslator.Phase) -> String {
    switch phase {
    case .waiting: "waiting"
    case .open: "open"
    case .finishing: "finishing"
    case .ended: "ended"
    case .failed(let error): "failed \(error.status) \(error.kind.rawValue)"
    }
}

@Suite struct StreamEndTests {
    @Test(arguments: [
        (StreamTranslator.End.endOfStream, "failed 502 api_error"),
        (.reset, "failed 502 api_error"), (.idleTimeout, "failed 504 timeout_error"),
        (.graceElapsed, "failed 502 api_error"), (.draining, "failed 529 overloaded_error"),
    ])
    func beforeTheFirstChunkTheAnswerIsAnError(end: StreamTranslator.End, expected: String) {
        var translator = translator()
        var events: [UInt8] = []
        translator.finish(end, into: &events)
        #expect(events.isEmpty)
        #expect(name(translator.phase) == expected)
    }

    @Test(arguments: [
        StreamTranslator.End.endOfStream, .reset, .idleTimeout, .graceElapsed, .draining,
    ])
    func inTheMiddleOfTextThereIsAnErrorEvent(end: StreamTranslator.End) {
        var translator = translator()
        var events: [UInt8] = []
        translator.feed(text, into: &events)
        translator.finish(end, into: &events)
        let written = String(decoding: events, as: UTF8.self)
        #expect(written.contains("event: error\n"))
        // Neither a block nor the message is closed tidily.
        for end in ["content_block_stop", "message_delta", "message_stop"] {
            #expect(!written.contains(end))
        }
        #expect(written.contains(#""request_id":"req_1""#))
        let count = events.count
        translator.feed(text, into: &events)
        translator.finish(.endOfStream, into: &events)
        #expect(events.count == count)
    }

    @Test(arguments: [
        StreamTranslator.End.endOfStream, .reset, .idleTimeout, .graceElapsed, .draining,
    ])
    func behindTheFinishReasonEveryEndIsWhole(end: StreamTranslator.End) {
        var translator = translator()
        var events: [UInt8] = []
        translator.feed(text, into: &events)
        translator.feed(finish, into: &events)
        #expect(name(translator.phase) == "finishing")
        translator.finish(end, into: &events)
        #expect(name(translator.phase) == "ended")
        #expect(String(decoding: events, as: UTF8.self).hasSuffix("\"message_stop\"}\n\n"))
    }

    @Test func waitingTooLongBeginsTheMessage() {
        var translator = translator()
        var events: [UInt8] = []
        translator.commit(into: &events)
        #expect(String(decoding: events, as: UTF8.self).contains("event: ping"))
        let count = events.count
        translator.commit(into: &events)
        #expect(events.count == count)
        translator.feed(text + finish + Array("data: [DONE]\n\n".utf8), into: &events)
        let written = String(decoding: events, as: UTF8.self)
        #expect(written.components(separatedBy: "event: message_start").count == 2)
        #expect(name(translator.phase) == "ended")
    }

    @Test func anErrorBehindTheBeginningIsAnEvent() {
        var translator = translator()
        var events: [UInt8] = []
        translator.commit(into: &events)
        translator.feed(Array("data: {\"error\":{\"message\":\"x\"}}\n\n".utf8), into: &events)
        #expect(String(decoding: events, as: UTF8.self).contains("event: error"))
    }

    @Test func aStopSequenceOfOursCancelsTheUpstream() {
        var translator = translator { $0.stopSequences = ["END"] }
        var events: [UInt8] = []
        translator.feed(chunk(#"{"content":"aENDb"}"#), into: &events)
        #expect(translator.wantsUpstreamCancelled)
        #expect(name(translator.phase) == "ended")
        #expect(translator.report.stopReason == .stopSequence)
        #expect(translator.report.usage?.isEstimated == true)
    }

    @Test func theReportSaysWhenOutputBegan() {
        var translator = translator()
        var events: [UInt8] = []
        translator.feed(chunk(#"{"role":"assistant"}"#), into: &events)
        #expect(!translator.report.hasOutput)
        translator.feed(text, into: &events)
        #expect(translator.report.hasOutput)
    }

    @Test func moreCallsThanAnyModelMakesAreAnError() {
        var translator = translator()
        var events: [UInt8] = []
        let function = #""function":{"name":"f","arguments":"{}"}"#
        for index in 0..<2000 {
            let call = #"{"tool_calls":[{"index":\#(index),\#(function)}]}"#
            translator.feed(chunk(call), into: &events)
        }
        #expect(name(translator.phase) == "failed 502 api_error")
        #expect(translator.report.repairs.count <= 256)
    }

    @Test func moreTextThanIsHeldIsAnError() {
        var translator = translator()
        var events: [UInt8] = []
        let open = #"{"tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":"{"}}]}"#
        translator.feed(chunk(open), into: &events)
        let long = chunk(#"{"content":"\#(String(repeating: "x", count: 1 << 20))"}"#)
        for _ in 0..<17 { translator.feed(long, into: &events) }
        #expect(name(translator.phase) == "failed 502 api_error")
    }
}
