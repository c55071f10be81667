// Tool arguments that are not the JSON object they should be (translation 3.5).
internal import Bytes
internal import JSON

/// What a call's arguments become.
struct ToolArguments {
    /// A JSON object, as text.
    var object: [UInt8]
    /// What had to be done for it.
    var repair: String?
    /// Whether the text was no JSON at all.
    var isInvalid = false

    /// Reads the arguments as text.
    init(_ text: [UInt8]) {
        let trimmed = text.drop { $0 <= 0x20 }
        if trimmed.isEmpty || trimmed.elementsEqual("null".utf8) {
            object = Array("{}".utf8)
        } else if let whole = Self.object(trimmed) {
            object = whole.object
            repair = whole.hasJunk ? "tool_arguments" : nil
        } else {
            self = Self.repaired(Array(trimmed))
        }
    }

    /// The first complete object at the start, when it is JSON.
    private static func object(
        _ text: ArraySlice<UInt8>
    ) -> (object: [UInt8], hasJunk: Bool)? {
        guard text.first == UInt8(ascii: "{") else { return nil }
        var scanner = JSONObjectScanner()
        let count = scanner.feed(text)
        guard scanner.isComplete else { return nil }
        let object = Array(text.prefix(count))
        guard (try? JSONDocument(parsing: object)) != nil else { return nil }
        return (object, text.dropFirst(count).contains { $0 > 0x20 })
    }

    private init(object: [UInt8], isInvalid: Bool = false) {
        self.object = object
        repair = "tool_arguments"
        self.isInvalid = isInvalid
    }

    private static func repaired(_ text: [UInt8]) -> ToolArguments {
        if text.starts(with: "```".utf8), let start = text.firstIndex(of: UInt8(ascii: "{")),
            let fenced = object(text[start...])
        {
            return ToolArguments(object: fenced.object)
        }
        guard let document = try? JSONDocument(parsing: text) else {
            let escaped = escapingControls(text)
            if escaped != text, let mended = object(escaped[...]) {
                return ToolArguments(object: mended.object)
            }
            return ToolArguments(
                object: wrapped("_invalid_arguments", string: text), isInvalid: true)
        }
        // A string that holds the object, encoded once too often.
        if let inner = document.root.text?.decoded() {
            if let unwrapped = object(inner[...]) { return ToolArguments(object: unwrapped.object) }
            if let twice = (try? JSONDocument(parsing: inner))?.root.text?.decoded(),
                let unwrapped = object(twice[...])
            {
                return ToolArguments(object: unwrapped.object)
            }
        }
        return ToolArguments(object: Array(#"{"value":"#.utf8) + text + Array("}".utf8))
    }

    /// Some models put raw line feeds and tabs into the strings of their arguments.
    private static func escapingControls(_ text: [UInt8]) -> [UInt8] {
        var isInString = false
        var isEscaped = false
        var out: [UInt8] = []
        for byte in text {
            if isInString, byte < 0x20 {
                var control: [UInt8] = []
                JSONEscape.append([byte], to: &control)
                out += control
                continue
            }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = isInString
            } else if byte == UInt8(ascii: "\"") {
                isInString.toggle()
            }
            out.append(byte)
        }
        return out
    }

    private static func wrapped(_ key: StaticString, string: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append("{\"")
        bytes.append(key)
        bytes.append("\":\"")
        JSONEscape.append(string, to: &bytes)
        bytes.append("\"}")
        return bytes
    }
}
