// Documents and search results as parts and text (translation 2.2).
internal import JSON

extension ConversationEmitter {
    /// A document; a PDF that the server cannot read is refused where the user has just sent it,
    /// and becomes a note in older turns, where a refusal would end the session for good.
    mutating func document(
        _ block: JSONValue, refuses: Bool
    ) throws(APIError) -> [ContentPart] {
        if block["citations"]?["enabled"]?.bool == true { note(loss: "citations") }
        guard let source = block["source"], let type = source["type"]?.text?.string else {
            throw .invalid("document.source: Field required")
        }
        switch type {
        case "base64": return context(block) + [try pdf(block, source, refuses: refuses)]
        case "url":
            guard dialect.fetchesDocuments, let url = source["url"]?.text else {
                throw .invalid("document URLs are not supported by this upstream; send base64")
            }
            return context(block) + [.file(name: Self.name(block), url: url)]
        case "text":
            var run = opening(block)
            if let data = source["data"]?.text { run.pieces.append(.text(data)) }
            run.pieces.append(.literal(Self.closing))
            return [.text(run)]
        case "content": return try contentDocument(block, source["content"])
        default: throw .invalid("document \(type) sources are not supported by this gateway")
        }
    }

    private mutating func pdf(
        _ block: JSONValue, _ source: JSONValue, refuses: Bool
    ) throws(APIError) -> ContentPart {
        let name = Self.name(block)
        if dialect.acceptsPDF, let data = source["data"]?.text {
            return .fileData(name: name, data: data)
        }
        guard !refuses else { throw .invalid("PDF documents are not supported by this upstream") }
        note(loss: "document")
        return .text(
            TextRun(
                pieces: [.literal(#"[PDF \""#)] + name.pieces
                    + [.literal(#"\" not shown: the upstream model cannot read PDF files]"#)]))
    }

    /// What is told of a document that is a part of its own.
    private func context(_ block: JSONValue) -> [ContentPart] {
        guard let context = block["context"]?.text, !context.isEmpty else { return [] }
        return [
            .text(
                TextRun(pieces: [.literal("<context>"), .text(context), .literal("</context>")]))
        ]
    }

    private static func name(_ block: JSONValue) -> TextRun {
        TextRun(pieces: [block["title"]?.text.map { .text($0) } ?? .literal("document.pdf")])
    }

    /// Text goes between the tags; so do images, as parts of their own.
    private mutating func contentDocument(
        _ block: JSONValue, _ content: JSONValue?
    ) throws(APIError) -> [ContentPart] {
        var run = opening(block)
        if let text = content?.text { run.pieces.append(.text(text)) }
        var parts: [ContentPart] = []
        for element in content?.elements.map({ $0 }) ?? [] {
            if let text = element["text"]?.text {
                run.pieces.append(.text(text))
            } else if element["type"]?.text.map({ $0 == "image" }) == true {
                parts.append(.text(run))
                parts.append(try image(element, refuses: false))
                run = TextRun()
            } else {
                note(loss: LossField.block(element["type"]?.text?.string ?? ""))
            }
        }
        run.pieces.append(.literal(Self.closing))
        return parts + [.text(run)]
    }

    private static var closing: StaticString { #"\n</document>"# }

    private func opening(_ block: JSONValue) -> TextRun {
        var run = TextRun(pieces: [.literal("<document")])
        if let title = block["title"]?.text {
            run.pieces += [.literal(#" title=\""#), .attribute(title), .literal(#"\""#)]
        }
        run.pieces.append(.literal(#">\n"#))
        if let context = block["context"]?.text {
            run.pieces += [.literal("<context>"), .text(context), .literal(#"</context>\n"#)]
        }
        return run
    }

    /// A search result with its source and title.
    mutating func searchResult(_ block: JSONValue) -> TextRun {
        if block["citations"]?["enabled"]?.bool == true { note(loss: "citations") }
        var run = TextRun(pieces: [.literal("<search_result")])
        for (name, literal) in [("source", #" source=\""#), ("title", #" title=\""#)]
            as [(StaticString, StaticString)]
        {
            guard let text = block[name]?.text else { continue }
            run.pieces += [.literal(literal), .attribute(text), .literal(#"\""#)]
        }
        run.pieces.append(.literal(#">\n"#))
        for element in block["content"]?.elements.map({ $0 }) ?? [] {
            guard let text = element["text"]?.text else {
                note(loss: LossField.block(element["type"]?.text?.string ?? ""))
                continue
            }
            run.pieces += [.text(text), .literal(#"\n"#)]
        }
        run.pieces.append(.literal("</search_result>"))
        return run
    }
}
