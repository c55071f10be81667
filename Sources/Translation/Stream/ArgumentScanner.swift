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
    private var isEscaped = false
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
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
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
        default: break
        }
    }

    /// What closes an object that was left open and marks it as one that must not be executed.
    ///
    /// A client that guesses the end of unfinished JSON would run the call with half its
    /// arguments. With this it finds a member no tool has, or no JSON at all.
    var closing: [UInt8] {
        var closing = Array((isInString ? (isEscaped ? "\\\"" : "\"") : "").utf8)
        var rest = brackets
        for _ in 1..<max(1, min(depth, Self.bracketsMax)) {
            closing.append(rest & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]"))
            rest >>= 1
        }
        return closing + Array(#","_invalid_arguments":true}"#.utf8)
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
