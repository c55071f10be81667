// Completions and the messages they become: one folder a case.
import Foundation
import Testing

@testable import Translation

@Suite struct MessageFixtureTests {
    /// A message with sorted members and without what is minted.
    private func canonical(_ bytes: [UInt8]) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(bytes))
        let data = try JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
            .replacing(/(msg|srvtoolu|toolu)_[0-9A-Za-z]{24}"/) { "\($0.output.1)_minted\"" }
    }

    @Test(arguments: fixtures("message"))
    func aCompletionBecomesWhatItsFolderSays(name: String) throws {
        let plan = try answerPlan(name, of: "message")
        let body = try fixture("message", name, "completion.json")
        var mint = IdentifierMint(seed: (1, 2))
        let translator = MessageTranslator(plan: plan)
        guard let expected = try? fixture("message", name, "message.json") else {
            let error = try #require(throws: APIError.self) {
                try translator.translate(completion: body, mint: &mint)
            }
            let told = "\(error.status) \(error.kind.rawValue)"
            #expect(
                try told == String(decoding: fixture("message", name, "error.txt"), as: UTF8.self))
            return
        }
        let message = try canonical(translator.translate(completion: body, mint: &mint).body)
        #expect(message == String(decoding: expected, as: UTF8.self), "\(name): \(message)")
    }

    /// The same completion for a client that streams; what comes as a stream (X) goes out in the
    /// order it came.
    @Test(arguments: fixtures("message").filter { !$0.hasPrefix("X") })
    func theEventsSayTheSame(name: String) throws {
        let plan = try answerPlan(name, of: "message")
        plan.isStream = true
        let body = try fixture("message", name, "completion.json")
        var mint = IdentifierMint(seed: (1, 2))
        let message = try? MessageTranslator(plan: plan).translate(completion: body, mint: &mint)
        var translator = StreamTranslator(
            plan: plan, messageID: "msg_1", requestID: "req_1", mint: IdentifierMint(seed: (1, 2)))
        var events: [UInt8] = []
        translator.feedCompletion(body, into: &events)
        guard let message else {
            guard case .failed = translator.phase else {
                Issue.record("\(name) failed in one form only")
                return
            }
            return
        }
        #expect(StreamRun.grammarError(in: StreamRun.lines(of: events)) == nil)
        #expect(try Answer(events: events) == Answer(message: message.body))
    }
}
