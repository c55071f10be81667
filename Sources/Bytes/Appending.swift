// What every pure module does with a growing array of bytes.

extension [UInt8] {
    /// Appends the UTF-8 bytes of a literal; no temporary string is built.
    @inlinable
    package mutating func append(_ literal: StaticString) {
        unsafe append(contentsOf: literal.bytes)
    }

    /// Appends the UTF-8 bytes of a string.
    ///
    /// A literal would be one by default; it is to be the static kind, which needs no copy.
    @inlinable @_disfavoredOverload
    package mutating func append(_ string: String) {
        var string = string
        string.withUTF8 { unsafe append(contentsOf: $0) }
    }

    /// Appends bytes that somebody else holds.
    @inlinable
    package mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends what stands before some bytes, the bytes, and what stands behind them, at once.
    @inlinable
    package mutating func append(_ head: [UInt8], _ bytes: Span<UInt8>, _ tail: StaticString) {
        unsafe head.withUnsafeBufferPointer { head in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe append(contentsOf: head, bytes, tail.bytes)
            }
        }
    }

    /// Appends three literals at once.
    @inlinable
    package mutating func append(
        _ head: StaticString, _ middle: StaticString, _ tail: StaticString
    ) {
        unsafe append(contentsOf: head.bytes, middle.bytes, tail.bytes)
    }

    /// Appends three pieces with one look at the room for all of them.
    @inlinable
    package mutating func append(
        contentsOf first: UnsafeBufferPointer<UInt8>, _ second: UnsafeBufferPointer<UInt8>,
        _ third: UnsafeBufferPointer<UInt8>
    ) {
        let size = first.count + second.count + third.count
        append(addingCapacity: size) { (free: inout OutputSpan<UInt8>) in
            unsafe free.withUnsafeMutableBufferPointer { room, count in
                count += unsafe room.extracting(count...).update(fromContentsOf: first)
                count += unsafe room.extracting(count...).update(fromContentsOf: second)
                count += unsafe room.extracting(count...).update(fromContentsOf: third)
            }
        }
    }

    #if compiler(<6.3)
        /// What Swift 6.3 brings along: appends what a closure writes into free room.
        ///
        /// Only the library can hand out the room behind an array's end, so this is a copy more.
        @inlinable
        package mutating func append(
            addingCapacity count: Int, initializingWith write: (inout OutputSpan<UInt8>) -> Void
        ) {
            unsafe append(
                contentsOf: [UInt8](unsafeUninitializedCapacity: count) { room, written in
                    var free = unsafe OutputSpan(buffer: room, initializedCount: 0)
                    write(&free)
                    written = unsafe free.finalize(for: room)
                })
        }
    #endif

    /// Appends an integer in decimal digits.
    package mutating func append(decimal value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = digits.count
        repeat {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        unsafe digits.span.extracting(start...).withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}

extension StaticString {
    /// The UTF-8 bytes of a literal, which are there for good.
    @inlinable
    package var bytes: UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}
