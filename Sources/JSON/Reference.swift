// What stands in jansson's tree for a piece of the source.
internal import CJansson

/// References to lifted pieces: an integer for a value, a marked string for a member's name.
enum Reference {
    /// What the name that stands for a lifted one begins with.
    ///
    /// No name that stays can: raw control characters are refused, names with escapes lifted.
    private static let keyMark: UInt8 = 0x01

    /// The number of the lifted value that a node stands for; `nil` for a node that is itself.
    @inline(__always)
    static func number(_ node: UnsafeMutablePointer<json_t>) -> Int? {
        guard unsafe node.pointee.type == JSON_INTEGER else { return nil }
        return unsafe Int(json_integer_value(node))
    }

    /// The name that stands for a lifted one.
    static func name(_ number: Int) -> [UInt8] { [keyMark] + String(number).utf8 }

    /// The number of the lifted name that another one stands for; `nil` for one that is itself.
    static func number(ofName name: UnsafeRawBufferPointer) -> Int? {
        guard unsafe name.first == keyMark else { return nil }
        return unsafe name.dropFirst().reduce(0) { $0 * 10 + Int($1) - 0x30 }
    }
}
