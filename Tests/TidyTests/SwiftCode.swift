// Tells Swift code from what stands in comments and strings.

/// A scanner that knows just enough of Swift's lexical grammar.
struct SwiftCode {
    private let bytes: [UInt8]
    private var output: [UInt8]
    private var index = 0

    private init(_ text: String) {
        bytes = Array(text.utf8)
        output = bytes
    }

    /// The text with comments and the insides of strings replaced by spaces; lines stay lines.
    ///
    /// Code that is interpolated into a string stays code.
    static func only(_ text: String) -> String {
        var scanner = SwiftCode(text)
        while scanner.index < scanner.bytes.count { scanner.code() }
        return String(decoding: scanner.output, as: UTF8.self)
    }

    private mutating func code() {
        if starts(with: "//") {
            while index < bytes.count, bytes[index] != 0x0a { blank() }
        } else if starts(with: "/*") {
            blockComment()
        } else if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "#") {
            stringOrPound()
        } else {
            index += 1
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && index < bytes.count
    }

    private mutating func stringOrPound() {
        var pounds = 0
        while index + pounds < bytes.count, bytes[index + pounds] == UInt8(ascii: "#") {
            pounds += 1
        }
        guard index + pounds < bytes.count, bytes[index + pounds] == UInt8(ascii: "\"") else {
            index += max(pounds, 1)
            return
        }
        index += pounds
        let isLong = starts(with: "\"\"\"")
        index += isLong ? 3 : 1
        let hashes = String(repeating: "#", count: pounds)
        let end = (isLong ? "\"\"\"" : "\"") + hashes
        let escape = "\\" + hashes
        while index < bytes.count, !starts(with: end) {
            if starts(with: escape + "(") {
                blank(escape.utf8.count)
                interpolation()
            } else if starts(with: escape) {
                blank(escape.utf8.count + 1)
            } else if !isLong, bytes[index] == 0x0a {
                return
            } else {
                blank()
            }
        }
        index += end.utf8.count
    }

    /// Code between parentheses, which may hold strings of its own.
    private mutating func interpolation() {
        var depth = 0
        repeat {
            switch bytes[index] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            default: break
            }
            code()
        } while depth > 0 && index < bytes.count
    }

    private func starts(with text: String) -> Bool {
        bytes[index...].starts(with: text.utf8)
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where index < bytes.count {
            if bytes[index] != 0x0a { output[index] = 0x20 }
            index += 1
        }
    }
}
