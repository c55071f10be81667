// The one error of this module: a message that must be refused.

/// A request or an answer that must be refused; its connection cannot be used any more.
package struct HTTPError: Error, Equatable, Sendable {
    /// The status to answer with.
    package var status: Int
    /// What is wrong, as a fixed sentence without any of the sender's bytes.
    package var message: String

    /// Makes an error with a status and a sentence.
    package init(status: Int, message: String) {
        self.status = status
        self.message = message
    }

    static func badRequest(_ message: String) -> HTTPError {
        HTTPError(status: 400, message: message)
    }

    /// An answer that cannot be read.
    static func badGateway(_ message: String) -> HTTPError {
        HTTPError(status: 502, message: message)
    }
}
