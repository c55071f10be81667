// How answers are shaped where an operator may choose.

/// Choices for the translation of answers.
package struct AnswerOptions: Sendable {
    /// What counts as reasoning inside the text.
    package enum ThinkTags: String, Sendable, CaseIterable {
        /// Tags at the very start of the text.
        case auto
        /// All up to a closing tag too: for chat templates that open the tag in the prompt.
        case implicit
        /// Nothing.
        case off
    }

    /// What counts as reasoning inside the text.
    package var thinkTags = ThinkTags.auto
    /// Whether `message_start` tells an estimate of the input rather than zero: for clients that
    /// take no input tokens from `message_delta`.
    package var estimatesAtStart = false
    /// Whether answers name the upstream's model rather than the client's.
    package var showsUpstreamModel = false

    /// Whether a code fence around an answer that was to be JSON is taken off.
    package var stripsFences = false

    /// The defaults.
    package init() {}
}
