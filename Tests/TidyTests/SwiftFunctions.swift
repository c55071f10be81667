// Finds functions and how long they are.

/// A function, initialiser, subscript or computed property with a body.
struct SwiftFunction: Equatable {
    let name: String
    /// Line of the declaration, from 0.
    let line: Int
    /// Lines from the declaration to the closing brace.
    let length: Int

    /// All functions of some code in which comments and strings are blanked out.
    static func all(in code: [String]) -> [SwiftFunction] {
        let text = Array(code.joined(separator: "\n").utf8)
        var functions: [SwiftFunction] = []
        for (start, word) in words(text) {
            guard ["func", "init", "deinit", "subscript", "var"].contains(word) else { continue }
            // `.init(…)` is a call.
            if start > 0, text[start - 1] == UInt8(ascii: ".") { continue }
            guard let open = body(text, after: start + word.utf8.count, isVariable: word == "var")
            else { continue }
            let line = lineCount(text[..<start])
            functions.append(
                SwiftFunction(
                    name: name(text, after: start, word), line: line,
                    length: lineCount(text[..<closingBrace(text, open)]) - line + 1))
        }
        return functions
    }

    private static func words(_ text: [UInt8]) -> [(Int, String)] {
        var words: [(Int, String)] = []
        var index = 0
        while index < text.count {
            let start = index
            while index < text.count, isWord(text[index]) { index += 1 }
            if index > start {
                words.append((start, String(decoding: text[start..<index], as: UTF8.self)))
            } else {
                index += 1
            }
        }
        return words
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "`")
            || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
    }

    /// Where the body's brace opens; nil for a requirement, a stored property or a call.
    private static func body(_ text: [UInt8], after start: Int, isVariable: Bool) -> Int? {
        var depth = 0
        for index in start..<text.count {
            switch text[index] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                depth -= 1
                if depth < 0 { return nil }
            case UInt8(ascii: "{") where depth == 0: return index
            case UInt8(ascii: "}") where depth == 0: return nil
            // A stored property may be set to a closure, which is no accessor.
            case UInt8(ascii: "=") where depth == 0 && isVariable: return nil
            case 0x0a where depth == 0:
                if isVariable || isEnd(text, index) { return nil }
            default: break
            }
        }
        return nil
    }

    /// Whether a line that begins a new declaration follows: then there was no body.
    private static func isEnd(_ text: [UInt8], _ lineFeed: Int) -> Bool {
        let rest = text[(lineFeed + 1)...].drop { $0 == 0x20 || $0 == 0x0a }
        let word = String(decoding: rest.prefix { isWord($0) }, as: UTF8.self)
        return ["func", "var", "let", "init", "case", "struct", "enum", "class"].contains(word)
    }

    private static func closingBrace(_ text: [UInt8], _ open: Int) -> Int {
        var depth = 0
        for index in open..<text.count {
            if text[index] == UInt8(ascii: "{") { depth += 1 }
            if text[index] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return index }
        }
        return text.count
    }

    private static func name(_ text: [UInt8], after start: Int, _ word: String) -> String {
        let rest = text[(start + word.utf8.count)...].drop { $0 == 0x20 }
        let name = String(decoding: rest.prefix { isWord($0) }, as: UTF8.self)
        return word == "func" || word == "var" ? name : word
    }

    private static func lineCount(_ text: ArraySlice<UInt8>) -> Int {
        text.reduce(0) { $0 + ($1 == 0x0a ? 1 : 0) }
    }
}
