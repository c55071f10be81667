// Following a tool call's arguments through one JSON object.

/// Follows the object that a call's arguments are, fed in any pieces: where it ends, and what is
/// missing when it does not.
///
/// It does not check the JSON; the client does.
struct ArgumentScanner: Sendable {
    /// What one piece brought.
    struct Step: Equatable {
        /// How many bytes belong to the object.
        var count: Int
        /// Whether a raw control character stands inside a string: no JSON, but models write it.
        var hasControl = false
    }

    private static let bracketsMax = 64

    private var depth = 0
    /// The kinds of the innermost brackets, the lowest bit for the last one: 1 is an object.
    private var brackets: UInt64 = 0
    private var isInString = false
    /// Bytes that an escape still takes: one behind a backslash, four behind `\u`.
    private var escapeLeft = 0
    private var isInUnicode = false
    /// The last byte outside a string that is no space, and the one before the last string.
    private var last: UInt8 = 0
    private var lastBeforeString: UInt8 = 0
    /// The first byte and the length of `true`, `false` or `null`.
    private var literal: (first: UInt8, count: Int) = (0, 0)
    /// Whether the closing bracket has been seen.
    private(set) var isComplete = false

    /// Takes bytes up to the closing bracket; the first byte of all must be the opening one.
    mutating func feed(_ bytes: Span<UInt8>) -> Step {
        var step = Step(count: 0)
        while step.count < bytes.count, !isComplete {
            let byte = bytes[step.count]
            if isInString, byte < 0x20 { step.hasControl = true }
            take(byte)
            step.count += 1
        }
        return step
    }

    /// Takes bytes up to the closing bracket and appends them with control characters escaped.
    mutating func feedMending(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
        for place in bytes.indices where !isComplete {
            let byte = bytes[place]
            if isInString, byte < 0x20 {
                Self.appendEscape(of: byte, to: &output)
            } else {
                output.append(byte)
            }
            take(byte)
        }
    }

    @inline(__always)
    private mutating func take(_ byte: UInt8) {
        if isInString {
            if escapeLeft > 0 {
                let isUnicode = escapeLeft == 1 && byte == UInt8(ascii: "u") && !isInUnicode
                isInUnicode = isUnicode || isInUnicode && escapeLeft > 1
                escapeLeft = isUnicode ? 4 : escapeLeft - 1
            } else if byte == UInt8(ascii: "\\") {
                escapeLeft = 1
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return
        }
        guard byte > 0x20 else { return }
        defer { last = byte }
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
            lastBeforeString = last
        case UInt8(ascii: "{"):
            depth += 1
            brackets = brackets << 1 | 1
        case UInt8(ascii: "["):
            depth += 1
            brackets <<= 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            brackets >>= 1
            isComplete = depth == 0
        case UInt8(ascii: "a")...UInt8(ascii: "z"):
            let isFirst = !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(last)
            literal = isFirst ? (byte, 1) : (literal.first, literal.count + 1)
        default: break
        }
    }

    /// What closes an object that was left open and marks it as one that must not be executed.
    ///
    /// A client that guesses the end of unfinished JSON would run the call with half its
    /// arguments. With this it finds a member no tool has.
    var closing: [UInt8] {
        var closing = valueClosing
        var rest = brackets
        for _ in 1..<max(1, min(depth, Self.bracketsMax)) {
            closing.append(rest & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]"))
            rest >>= 1
        }
        let isEmpty = depth == 1 && last == UInt8(ascii: "{") && !isInString
        return closing + Array((isEmpty ? "" : ",").utf8)
            + Array(#""_invalid_arguments":true}"#.utf8)
    }

    /// What makes the value whole that is being written.
    private var valueClosing: [UInt8] {
        var closing: [UInt8] = []
        let isObject = brackets & 1 == 1
        if isInString {
            let digits = [UInt8](repeating: UInt8(ascii: "0"), count: escapeLeft)
            closing = isInUnicode ? digits : escapeLeft > 0 ? [UInt8(ascii: "\\")] : []
            closing.append(UInt8(ascii: "\""))
        }
        switch isInString ? UInt8(ascii: "\"") : last {
        case UInt8(ascii: "\"") where isObject:
            let isValue = lastBeforeString == UInt8(ascii: ":")
            if !isValue { closing += Array(":null".utf8) }
        case UInt8(ascii: ":"): closing += Array("null".utf8)
        case UInt8(ascii: ","): closing += Array((isObject ? #""":null"# : "null").utf8)
        case UInt8(ascii: "a")...UInt8(ascii: "z"):
            let words = ["true", "false", "null"].map { Array($0.utf8) }
            // Else it is the `e` of a number.
            let word = words.first { $0.first == literal.first } ?? Array("e0".utf8)
            closing += word.dropFirst(literal.count)
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"):
            closing.append(UInt8(ascii: "0"))
        default: break
        }
        return closing
    }

    private static func appendEscape(of control: UInt8, to output: inout [UInt8]) {
        switch control {
        case 0x0a: output += [0x5c, 0x6e]
        case 0x0d: output += [0x5c, 0x72]
        case 0x09: output += [0x5c, 0x74]
        default:
            let digits = Array("0123456789abcdef".utf8)
            output += Array("\\u00".utf8)
            output += [digits[Int(control >> 4)], digits[Int(control & 15)]]
        }
    }
}
