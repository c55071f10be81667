// How large a request head may grow before it is refused.

/// The limits a request head is held to, also while it is incomplete.
package struct HTTPLimits: Sendable {
    /// The longest request line, without its CRLF.
    package var requestLineBytesMax = 8192
    /// The largest head: request line, header fields and the empty line.
    package var headBytesMax = 65536
    /// The most header fields.
    package var headersMax = 100

    /// Makes the default limits.
    package init() {}
}
