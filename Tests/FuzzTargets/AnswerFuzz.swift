// Answers of upstreams over connections of our own: the same for every split, never past their end.
import HTTP

enum AnswerFuzz {
    private struct Outcome: Equatable {
        var status: Int?
        var isKeepAlive: Bool?
        var body: [UInt8] = []
        var isWhole = false
        /// Bytes that belonged to the answer.
        var consumed = 0
        var hasFailed = false
    }

    static func run(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let seed = input.byte()
        let whole = outcome([input.rest])
        must(outcome(input.pieces(seed: seed)) == whole, "a split changed what was read")
        must(whole.consumed <= input.rest.count, "more was read than came")
        must(whole.status.map { (200...999).contains($0) } ?? true, "a status that is none")
        must(!whole.isWhole || whole.status != nil, "an answer without a head")
    }

    private static func outcome(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        var outcome = Outcome()
        var reader = AnswerReader()
        do throws(HTTPError) {
            for piece in pieces where !reader.isFinished {
                outcome.consumed += try reader.read(piece.span, into: &outcome.body)
            }
            reader.connectionEnded()
        } catch {
            // How much of a body came before its error depends on the split.
            return Outcome(hasFailed: true)
        }
        outcome.status = reader.head?.status
        outcome.isKeepAlive = reader.head?.isKeepAlive
        outcome.isWhole = reader.isFinished
        return outcome
    }
}
