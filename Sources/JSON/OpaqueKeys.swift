// Which members are carried through unread.

/// Names of members whose values nobody looks inside: the scanner lifts them whole.
@safe package struct OpaqueKeys: Sendable {
    /// No key: only strings and numbers are lifted.
    package static let none = OpaqueKeys([])

    private let keys: [StaticString]
    /// Bit n: a key of n bytes is among them.
    private let lengths: UInt64

    /// Values of members with one of these names, at any depth outside an opaque value.
    package init(_ keys: [StaticString]) {
        self.keys = keys
        lengths = keys.reduce(0) { $0 | 1 << UInt64($1.utf8CodeUnitCount) }
    }

    @inline(__always)
    func contain(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        unsafe lengths >> UInt64(range.count) & 1 == 1 && isOne(bytes, range)
    }

    private func isOne(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        let name = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
        return keys.contains { unsafe name.equals($0) }
    }
}
