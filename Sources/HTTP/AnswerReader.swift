// Reads one answer of a server, head and body, from whatever pieces it comes in.

internal import Bytes

/// The client's side of HTTP/1.1: one answer to one request.
package struct AnswerReader: Sendable {
    private enum State {
        case head
        case length(Int)
        case chunked
        case untilClose
        case finished
    }

    /// The final head, once it is whole.
    package private(set) var head: AnswerHead?
    /// Whether any byte of the answer has come.
    package private(set) var hasBegun = false
    private var state = State.head
    private var parser = AnswerHeadParser()
    private var decoder = ChunkedDecoder()

    /// A reader that expects the first byte of an answer.
    package init() {}

    /// Whether the answer is whole.
    package var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Appends what belongs to the body, and returns how many bytes belonged to the answer.
    ///
    /// What is left over was not asked for: the connection can be trusted no more. After an error
    /// it is to be closed too.
    package mutating func read(
        _ bytes: Span<UInt8>, into body: inout [UInt8]
    ) throws(HTTPError) -> Int {
        var consumed = 0
        hasBegun = hasBegun || !bytes.isEmpty
        if case .head = state {
            let (head, count) = try parser.parse(bytes)
            guard let head else { return count }
            consumed = count
            begin(head)
        }
        let rest = bytes.extracting(consumed...)
        switch state {
        case .head, .finished: break
        case .length(let left): consumed += take(rest, left, into: &body)
        case .chunked:
            consumed += try decoder.decode(rest, into: &body)
            if decoder.isFinished { state = .finished }
        case .untilClose: consumed += take(rest, rest.count, into: &body)
        }
        return consumed
    }

    /// Notes the end of the connection, which is the end of some answers.
    package mutating func connectionEnded() {
        if case .untilClose = state { state = .finished }
    }

    private mutating func begin(_ head: AnswerHead) {
        self.head = head
        parser = AnswerHeadParser()
        state =
            switch head.framing {
            case .length(0): .finished
            case .length(let length): .length(length)
            case .chunked: .chunked
            case .untilClose: .untilClose
            }
    }

    private mutating func take(
        _ bytes: Span<UInt8>, _ most: Int, into body: inout [UInt8]
    ) -> Int {
        let count = min(bytes.count, most)
        body.append(bytes.extracting(..<count))
        if case .length(let left) = state {
            state = left == count ? .finished : .length(left - count)
        }
        return count
    }
}
