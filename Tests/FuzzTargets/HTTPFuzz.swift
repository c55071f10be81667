// Heads and chunked bodies: the same for every split, and never past their end.
import HTTP

enum HTTPFuzz {
    /// What came of the bytes of a connection up to the end of its first request.
    private struct Outcome: Equatable {
        var head: String?
        var refusal: HTTPError?
        var body: [UInt8] = []
        var isWhole = false
        /// Bytes that belong to what follows.
        var left = 0
    }

    static func run(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let seed = input.byte()
        let whole = outcome([input.rest])
        must(outcome(input.pieces(seed: seed)) == whole, "a split changed what was read")
        if whole.isWhole { must(whole.left <= input.rest.count, "more was left than came") }
    }

    private static func outcome(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        var outcome = Outcome()
        var parser = RequestHeadParser(limits: HTTPLimits())
        var buffer: [UInt8] = []
        var head: RequestHead?
        var decoder = ChunkedDecoder()
        do throws(HTTPError) {
            for piece in pieces {
                buffer += piece
                if head == nil, let found = try parser.parse(&buffer) {
                    check(found)
                    outcome.head = describe(found)
                    head = found
                }
                guard let head else { continue }
                try read(head.framing, &buffer, &decoder, &outcome)
            }
            outcome.left = buffer.count
        } catch {
            must((400...599).contains(error.status), "a refusal has an error's status")
            // How much of a body came before its error depends on the split.
            return Outcome(head: outcome.head, refusal: error)
        }
        return outcome
    }

    private static func read(
        _ framing: BodyFraming, _ buffer: inout [UInt8], _ decoder: inout ChunkedDecoder,
        _ outcome: inout Outcome
    ) throws(HTTPError) {
        switch framing {
        case .none: outcome.isWhole = true
        case .length(let length):
            let taken = buffer.prefix(length - outcome.body.count)
            outcome.body += taken
            buffer.removeFirst(taken.count)
            outcome.isWhole = outcome.body.count == length
        case .chunked:
            let count = try decoder.decode(buffer.span, into: &outcome.body)
            buffer.removeFirst(count)
            outcome.isWhole = decoder.isFinished
        }
    }

    /// What later code relies on: nothing in a head can break out of a line or a word.
    private static func check(_ head: RequestHead) {
        must(!head.method.isEmpty && head.method.utf8.allSatisfy(isVisible), "a bad method")
        must(head.target.utf8.allSatisfy(isVisible), "a bad target")
        must(head.path == "*" || head.path.hasPrefix("/"), "a path that is none")
        must(!head.path.contains("?"), "a query in a path")
        for (name, value) in head.headers {
            must(
                !name.isEmpty && name.utf8.allSatisfy { isVisible($0) && $0 != 0x3a }, "a bad name")
            must(value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }, "a bad value")
            must(value.utf8.first != 0x20 && value.utf8.last != 0x20, "a value with its space")
        }
    }

    private static func isVisible(_ byte: UInt8) -> Bool { 0x21 <= byte && byte <= 0x7e }

    private static func describe(_ head: RequestHead) -> String {
        let fields = head.headers.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        return "\(head.method) \(head.target) \(head.version) \(head.framing) \(head.isKeepAlive)"
            + " \(head.expectsContinue) \(fields)"
    }
}
