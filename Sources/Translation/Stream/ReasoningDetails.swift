// OpenRouter's reasoning details, put together from their pieces (translation 4.5).
internal import Bytes
internal import JSON

/// The `reasoning_details` of an answer.
///
/// OpenRouter wants them back as they came, in one piece: what the model thought, and the
/// signatures and encrypted blocks of providers that check their own thinking.
struct ReasoningDetails: Sendable {
    private struct Item {
        let type: String
        let id: String?
        let index: Int?
        var format: String?
        /// Of a `text` or a `summary`, escaped as it came.
        var text: [UInt8] = []
        var data: [UInt8] = []
        var signature: [UInt8] = []

        var textKey: StaticString { type == "reasoning.summary" ? "summary" : "text" }
    }

    /// A signature holds no more (translation 3.3).
    private static let bytesMax = 200 * 1024

    private var items: [Item] = []
    private var latest = 0
    private var textCount = 0
    private var dataCount = 0

    /// Whether there is something in them that plain text does not carry.
    var isOpaque: Bool { dataCount > 0 }

    /// Takes one element of the array.
    mutating func add(_ detail: JSONValue) {
        let type = detail["type"]?.text?.string ?? "reasoning.text"
        let place = place(type, detail["id"]?.text?.string, detail["index"]?.integer)
        latest = place
        if let format = detail["format"]?.text?.string { items[place].format = format }
        (detail["text"] ?? detail["summary"])?.text?.withEscaped { add(text: $0, to: place) }
        for (key, path) in [("data", \Item.data), ("signature", \Item.signature)]
            as [(StaticString, WritableKeyPath<Item, [UInt8]>)]
        {
            guard let text = detail[key]?.text, dataCount + text.count <= Self.bytesMax else {
                continue
            }
            dataCount += text.count
            text.appendEscaped(to: &items[place][keyPath: path])
        }
    }

    /// Takes more text of the element that came last.
    mutating func add(text: Span<UInt8>) {
        guard !items.isEmpty else { return }
        add(text: text, to: latest)
    }

    private mutating func add(text: Span<UInt8>, to place: Int) {
        textCount += text.count
        guard textCount <= Self.bytesMax else { return }
        items[place].text.append(text)
    }

    /// The item that an element goes on with.
    private mutating func place(_ type: String, _ id: String?, _ index: Int?) -> Int {
        let known = items.lastIndex {
            $0.type == type && $0.index == index && ($0.id == id || id == nil)
        }
        if let known { return known }
        items.append(Item(type: type, id: id, index: index))
        return items.count - 1
    }

    /// All of them as a JSON array; without text where that is too long for a signature.
    var json: [UInt8] {
        let hasText = textCount + dataCount <= Self.bytesMax
        var bytes: [UInt8] = []
        for item in items {
            guard hasText || !item.data.isEmpty || !item.signature.isEmpty else { continue }
            bytes.append(bytes.isEmpty ? #"[{"type":""# : #",{"type":""#)
            JSONEscape.append(item.type, to: &bytes)
            bytes.append("\"")
            if hasText { Self.member(item.textKey, item.text, to: &bytes) }
            Self.member("data", item.data, to: &bytes)
            Self.member("signature", item.signature, to: &bytes)
            Self.member("id", item.id.map(Self.escaped) ?? [], to: &bytes)
            Self.member("format", item.format.map(Self.escaped) ?? [], to: &bytes)
            if let index = item.index {
                bytes.append(#","index":"#)
                bytes.append(decimal: index)
            }
            bytes.append("}")
        }
        bytes.append(bytes.isEmpty ? "[]" : "]")
        return bytes
    }

    private static func escaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONEscape.append(text, to: &bytes)
        return bytes
    }

    private static func member(_ key: StaticString, _ text: [UInt8], to bytes: inout [UInt8]) {
        guard !text.isEmpty else { return }
        bytes.append(",\"")
        bytes.append(key)
        bytes.append("\":\"")
        bytes += text
        bytes.append("\"")
    }
}
