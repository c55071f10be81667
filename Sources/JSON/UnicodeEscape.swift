// One `\uXXXX` of a string, with its other half where it has one.

/// The escape `\uXXXX` at a place: six bytes, or twelve for a surrogate pair.
struct UnicodeEscape {
    /// What it names; `nil` for half a surrogate pair.
    let scalar: Unicode.Scalar?
    let length: Int

    /// Reads the escape whose backslash stands at `index`; `nil` without four hexadecimal digits.
    @safe init?(_ bytes: UnsafeRawBufferPointer, at index: Int) {
        guard let unit = unsafe Self.unit(bytes, at: index + 2) else { return nil }
        let next = index + 6
        guard unit & 0xfc00 == 0xd800, next + 6 <= bytes.count, unsafe bytes[next] == 0x5c,
            unsafe bytes[next + 1] == 0x75, let low = unsafe Self.unit(bytes, at: next + 2),
            low & 0xfc00 == 0xdc00
        else {
            scalar = Unicode.Scalar(unit)
            length = 6
            return
        }
        scalar = Unicode.Scalar(0x10000 + (unit & 0x3ff) << 10 + low & 0x3ff)
        length = 12
    }

    /// The code unit that four hexadecimal digits name.
    private static func unit(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for offset in 0..<4 {
            let byte = unsafe bytes[index + offset]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}
