// The client wants its conversation summarised (translation 1.1, `compaction`).
internal import JSON

/// What the model is told in order to write the summary.
struct CompactionPrompt {
    /// The client's own words, or ours.
    let text: TextRun

    /// Reads `compaction`; `nil` when the request wants an ordinary answer.
    init?(_ root: JSONValue) throws(APIError) {
        guard let compaction = root["compaction"], !compaction.isNull else { return nil }
        guard compaction["type"]?.text.map({ $0 == "summarize" }) == true else {
            throw .invalid("compaction.type: expected summarize")
        }
        if let instructions = compaction["instructions"]?.text, !instructions.isBlank {
            text = TextRun(pieces: [.text(instructions)])
        } else {
            text = TextRun(pieces: [.literal(Self.standard)])
        }
    }

    private static let standard: StaticString = #"""
        Summarise the conversation up to here. The summary takes its place: whoever goes on with \#
        the work sees nothing else of it. Say what was asked for, in the words of the user where \#
        they matter; what was decided, and why; what was done and found, with names, paths, \#
        commands and values exactly as they are; what failed; and what is still to do. Answer \#
        with the text of the summary alone, and call no tools.
        """#
}
