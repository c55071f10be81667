// Which names a text surely does not have.

/// A small filter over the names of members: most that are asked for are in no object at all, and
/// that is known without a hash of them.
struct NameFilter {
    private var bits: SIMD4<UInt64> = SIMD4()

    /// Notes a name.
    @inline(__always)
    mutating func add(_ bytes: UnsafeRawBufferPointer, _ name: Range<Int>) {
        guard let last = name.last else { return }
        let place = unsafe Self.place(name.count, bytes[name.lowerBound], bytes[last])
        bits[place >> 6] |= 1 << UInt64(place & 63)
    }

    /// `false` for a name that was not noted; `true` for each that was, and for some others.
    @inline(__always)
    func mayHave(_ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard count > 0 else { return true }
        let place = unsafe Self.place(count, name.utf8Start[0], name.utf8Start[count - 1])
        return bits[place >> 6] >> UInt64(place & 63) & 1 == 1
    }

    /// One of 256 places, by what is known of a name at once.
    @inline(__always)
    private static func place(_ count: Int, _ first: UInt8, _ last: UInt8) -> Int {
        (count &* 37 ^ Int(first) &* 11 ^ Int(last) &* 3) & 255
    }
}
