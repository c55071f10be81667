// Where a request's body ends.

/// How the end of a request's body is known.
package enum BodyFraming: Equatable, Sendable {
    /// There is no body.
    case none
    /// The body has this many bytes, perhaps zero.
    case length(Int)
    /// The body is chunked; `ChunkedDecoder` finds its end.
    case chunked
}
