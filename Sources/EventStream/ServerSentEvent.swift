// One event of a stream, read or written.
internal import Bytes

/// One event that was read: its data, and whether the server called it an error.
package struct ServerSentEvent {
    /// The data lines, joined by line feeds.
    package let data: ArraySlice<UInt8>
    /// Whether there was more than one data line; some servers forget the empty line in between.
    package let hasSeveralLines: Bool
    /// Whether the event is named `error`.
    package let isError: Bool
}

extension [UInt8] {
    /// Begins an event with that name; its data, one line, is to be appended.
    package mutating func beginEvent(_ name: StaticString) {
        append("event: ")
        append(name)
        append("\ndata: ")
    }

    /// Ends an event behind its data.
    package mutating func endEvent() { append("\n\n") }
}
