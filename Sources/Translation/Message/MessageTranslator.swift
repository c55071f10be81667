// A completion becomes a message (translation 3).

/// A translated answer, and what the books want to know of it.
package struct TranslatedMessage: Sendable {
    /// The message as JSON.
    package var body: [UInt8]
    /// Tokens, the stop reason and what was mended.
    package var report: StreamReport
}

/// Translates answers for clients that asked for no stream; pure.
///
/// It is the stream's state machine that puts the message together: one completion gives the same
/// answer in both forms, and an upstream that streams all the same is understood too.
package struct MessageTranslator {
    private let plan: ExchangePlan

    /// A translator for the answer to one request.
    package init(plan: ExchangePlan) { self.plan = plan }

    /// Translates a Chat Completions body.
    package func translate(
        completion body: [UInt8], mint: inout IdentifierMint
    ) throws(APIError) -> TranslatedMessage {
        var translator = StreamTranslator(
            plan: plan, form: .message, messageID: mint.next("msg"), requestID: "",
            mint: mint.forked())
        var message: [UInt8] = []
        message.reserveCapacity(body.count + 512)
        translator.feedCompletion(body, into: &message)
        if case .failed(let error) = translator.phase { throw error }
        return TranslatedMessage(body: message, report: translator.report)
    }
}
