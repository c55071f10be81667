// Finds the end of a JSON container in bytes that come in pieces.

/// Follows strings, escapes and nesting of one JSON object or array, fed in any pieces.
package struct JSONObjectScanner: Sendable {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// Whether the closing bracket has been seen.
    package private(set) var isComplete = false

    /// The defaults.
    package init() {}

    /// Takes bytes up to the closing bracket; how many it took.
    ///
    /// The first byte of all must be the opening bracket.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) -> Int {
        guard !isComplete else { return 0 }
        var count = 0
        for byte in bytes {
            count += 1
            if isEscaped {
                isEscaped = false
            } else if isInString {
                if byte == UInt8(ascii: "\\") { isEscaped = true }
                if byte == UInt8(ascii: "\"") { isInString = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 {
                        isComplete = true
                        return count
                    }
                default: break
                }
            }
        }
        return count
    }
}
