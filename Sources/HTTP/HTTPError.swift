// The one error of this module: a request that must be refused.

/// A request that must be refused; the connection cannot be used after the answer.
package struct HTTPError: Error, Equatable, Sendable {
    /// The status to answer with.
    package var status: Int
    /// What is wrong, as a fixed sentence without any of the client's bytes.
    package var message: String

    /// Makes an error with a status and a sentence.
    package init(status: Int, message: String) {
        self.status = status
        self.message = message
    }

    static func badRequest(_ message: String) -> HTTPError {
        HTTPError(status: 400, message: message)
    }
}
