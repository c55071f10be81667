// The versions of the protocol that are spoken here.

/// The HTTP version of a request.
package enum HTTPVersion: Sendable {
    /// HTTP/1.0: the connection closes after the answer unless asked otherwise.
    case http10
    /// HTTP/1.1: the connection stays open unless asked otherwise.
    case http11

    /// Reads the last word of a request line.
    init(_ word: ArraySlice<UInt8>) throws(HTTPError) {
        let (major, minor) = (word.startIndex + 5, word.startIndex + 7)
        guard
            word.count == 8, word.starts(with: "HTTP/".utf8), word[major].isDigit,
            word[major + 1] == UInt8(ascii: "."), word[minor].isDigit
        else { throw .badRequest("The request line has no HTTP version.") }
        switch (word[major], word[minor]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): self = .http11
        case (UInt8(ascii: "1"), UInt8(ascii: "0")): self = .http10
        default:
            throw HTTPError(status: 505, message: "Only HTTP/1.1 and HTTP/1.0 are supported.")
        }
    }
}
