// Which members are carried through unread.

/// Names of members whose values nobody looks inside, and names that nobody asks for at all.
///
/// The scanner lifts the first whole; the others are checked and left out.
@safe package struct OpaqueKeys: Sendable {
    /// No key: only strings and numbers are lifted.
    package static let none = OpaqueKeys([])

    let opaque: Names
    let unread: Names

    /// Values of members with one of these names, at any depth outside an opaque value.
    package init(_ opaque: [StaticString], unread: [StaticString] = []) {
        self.opaque = Names(opaque)
        self.unread = Names(unread)
    }

    /// A few names.
    @safe struct Names: Sendable {
        private let names: [StaticString]
        /// Bit n: a name of n bytes is among them.
        private let lengths: UInt64

        init(_ names: [StaticString]) {
            self.names = names
            lengths = names.reduce(0) { $0 | 1 << UInt64($1.utf8CodeUnitCount) }
        }

        @inline(__always)
        func contain(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
            unsafe lengths >> UInt64(range.count) & 1 == 1 && isOne(bytes, range)
        }

        private func isOne(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
            let name = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
            return names.contains { unsafe name.equals($0) }
        }
    }
}
