// What a text answer may bring besides text: pictures, sound, and pages that it cites.
internal import JSON

extension StreamTranslator {
    /// What has no place in an Anthropic answer.
    enum Medium: String { case image, audio }

    /// Takes `annotations`, `images` and `audio`; `false` when there is none of them.
    mutating func media(_ delta: JSONValue, into events: inout [UInt8]) -> Bool {
        var isFound = false
        if let annotations = delta["annotations"], !annotations.elements.isEmpty {
            isFound = true
            if plan.webSearchQuery == nil { report.lost("annotations") }
            for annotation in annotations.elements { searchResults.add(annotation) }
        }
        if let images = delta["images"], !images.elements.isEmpty {
            isFound = true
            for _ in images.elements { note(.image, &events) }
        }
        if let audio = delta["audio"], audio.kind == .object {
            isFound = true
            hasAudio = true
            report.lost(Medium.audio.rawValue)
            if let words = audio["transcript"]?.text, !words.isEmpty {
                hasTranscript = true
                words.withEscaped { text($0, into: &events) }
            }
        }
        return isFound
    }

    /// Tells in the text that something is missing there.
    mutating func note(_ medium: Medium, _ events: inout [UInt8]) {
        report.lost(medium.rawValue)
        let note = Array("[\(medium.rawValue) omitted]".utf8)
        text(note.span, into: &events)
    }

    /// Sound without words is told when no words have come to the end.
    mutating func noteSound(into events: inout [UInt8]) {
        if hasAudio, !hasTranscript { note(.audio, &events) }
    }

    /// The upstream's search as a call of Anthropic's server tool and its results.
    ///
    /// Citations come last in a stream, so that the blocks stand behind the text they belong to.
    mutating func writeSearchResults(into events: inout [UInt8]) -> Int {
        guard let query = plan.webSearchQuery, !searchResults.isEmpty else { return 0 }
        closeBlock(into: &events)
        let id = mint.next("srvtoolu")
        form.serverToolUse(
            nextIndex, id: id, input: WebSearchResults.input(query), into: &events)
        var block: [UInt8] = []
        searchResults.append(toolUseID: id, to: &block)
        form.wholeBlock(nextIndex + 1, block, into: &events)
        nextIndex += 2
        return 1
    }
}
