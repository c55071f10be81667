// What a search of the upstream's found, in blocks of Anthropic's server tool (translation 3.6).
internal import Bytes
internal import JSON

/// The pages that an answer cites.
struct WebSearchResults: Sendable {
    private static let pagesMax = 50

    /// URL and title, escaped as they came.
    private var pages: [(url: [UInt8], title: [UInt8])] = []

    var isEmpty: Bool { pages.isEmpty }

    /// Takes an element of `annotations`; a page that is known is not taken again.
    mutating func add(_ annotation: JSONValue) {
        let citation = annotation["url_citation"] ?? annotation
        guard let url = citation["url"]?.text, pages.count < Self.pagesMax else { return }
        var page: (url: [UInt8], title: [UInt8]) = ([], [])
        url.appendEscaped(to: &page.url)
        (citation["title"]?.text ?? url).appendEscaped(to: &page.title)
        if !pages.contains(where: { $0.url == page.url }) { pages.append(page) }
    }

    /// Appends the block that tells the results, as JSON.
    func append(toolUseID: String, to bytes: inout [UInt8]) {
        bytes.append(#"{"type":"web_search_tool_result","tool_use_id":""#)
        bytes.append(toolUseID)
        bytes.append(#"","content":["#)
        for (place, page) in pages.enumerated() {
            if place > 0 { bytes.append(",") }
            bytes.append(#"{"type":"web_search_result","url":""#)
            bytes += page.url
            bytes.append(#"","title":""#)
            bytes += page.title
            bytes.append(#"","encrypted_content":"","page_age":null}"#)
        }
        bytes.append("]}")
    }

    /// The input of the call that the results answer, as JSON.
    static func input(_ query: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(#"{"query":""#)
        JSONEscape.append(query, to: &bytes)
        bytes.append(#""}"#)
        return bytes
    }
}
