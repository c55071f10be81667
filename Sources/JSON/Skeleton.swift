// The text that jansson parses: structure and names, numbers in place of all else.

/// The skeleton of a JSON text: each lifted piece is replaced by its number.
///
/// A value becomes the plain integer. The name of a member must be a string: it becomes
/// `"\u0001"` and the number, which no name that stays can begin with, since names with escapes are
/// lifted and raw control characters are refused.
@safe struct Skeleton {
    /// What a reference in a member's name begins with once jansson has read it.
    static let keyMark: UInt8 = 0x01

    let text: [UInt8]

    /// Puts numbers in the places of `lifted`, which lie in order inside `source`.
    init(of source: UnsafeRawBufferPointer, lifted: [Lifted]) {
        var size = source.count
        for (number, piece) in lifted.enumerated() {
            size += Self.width(number, piece) - piece.range.count
        }
        text = unsafe [UInt8](unsafeUninitializedCapacity: size) { text, count in
            var copied = 0
            for (number, piece) in lifted.enumerated() {
                unsafe Self.copy(source, copied..<Int(piece.start), to: text, &count)
                unsafe Self.write(number, piece, to: text, &count)
                copied = Int(piece.end)
            }
            unsafe Self.copy(source, copied..<source.count, to: text, &count)
        }
    }

    /// The lifted piece that a name of the skeleton stands for; `nil` for a name that is itself.
    static func number(in name: UnsafeRawBufferPointer) -> Int? {
        guard unsafe name.first == keyMark else { return nil }
        return unsafe name.dropFirst().reduce(0) { $0 * 10 + Int($1) - 0x30 }
    }

    /// Where in the source an offset in the skeleton lies; the beginning of a lifted piece for an
    /// offset in what stands for it or right behind it.
    static func sourceOffset(of offset: Int, lifted: [Lifted]) -> Int {
        var place = 0
        var copied = 0
        for (number, piece) in lifted.enumerated() {
            let start = place + Int(piece.start) - copied
            if offset <= start { break }
            place = start + width(number, piece)
            copied = Int(piece.end)
            if offset <= place { return Int(piece.start) }
        }
        return copied + offset - place
    }

    private static func width(_ number: Int, _ piece: Lifted) -> Int {
        var width = 1
        var limit = 10
        while number >= limit {
            width += 1
            limit *= 10
        }
        return piece.isKey ? width + 8 : width
    }

    private static func copy(
        _ source: UnsafeRawBufferPointer, _ range: Range<Int>,
        to text: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int
    ) {
        unsafe UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: text[count...]))
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
        count += range.count
    }

    private static func write(
        _ number: Int, _ piece: Lifted, to text: UnsafeMutableBufferPointer<UInt8>,
        _ count: inout Int
    ) {
        let end = count + width(number, piece)
        var place = end
        if piece.isKey {
            place -= 1
            unsafe text[place] = 0x22
        }
        var rest = number
        repeat {
            place -= 1
            unsafe text[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if piece.isKey {
            let mark: StaticString = #""\u0001"#
            for offset in 0..<mark.utf8CodeUnitCount {
                unsafe text[count + offset] = unsafe mark.utf8Start[offset]
            }
        }
        count = end
    }
}
