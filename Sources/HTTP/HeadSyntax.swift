// The classes of bytes that RFC 9110 and RFC 9112 speak of, and searches for them.

extension UInt8 {
    static var carriageReturn: UInt8 { 0x0D }
    static var lineFeed: UInt8 { 0x0A }
    static var space: UInt8 { 0x20 }
    static var tab: UInt8 { 0x09 }

    var isDigit: Bool { UInt8(ascii: "0") <= self && self <= UInt8(ascii: "9") }

    var isLetter: Bool { UInt8(ascii: "a") <= self | 0x20 && self | 0x20 <= UInt8(ascii: "z") }

    /// A control character that may not stand in a field value; a tab may.
    var isForbiddenControl: Bool { (self < 0x20 && self != .tab) || self == 0x7F }

    /// Optional white space around a field value.
    var isWhitespace: Bool { self == .space || self == .tab }

    /// A character of a method or of a field name (RFC 9110, 5.6.2).
    var isToken: Bool {
        if isLetter || isDigit { return true }
        return switch self {
        case UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"),
            UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^")...UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// A character of a request target: visible, ASCII, and no start of a fragment.
    var isTarget: Bool { 0x21 <= self && self <= 0x7E && self != UInt8(ascii: "#") }

    /// A character of a host with a port (RFC 3986, 3.2.2), so no user information.
    var isHost: Bool {
        if isLetter || isDigit { return true }
        return switch self {
        case UInt8(ascii: "!"), UInt8(ascii: "$")...UInt8(ascii: "."), UInt8(ascii: ":"),
            UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// The small letter of a capital one, every other byte as it is.
    var lowercased: UInt8 {
        UInt8(ascii: "A") <= self && self <= UInt8(ascii: "Z") ? self | 0x20 : self
    }
}

extension [UInt8] {
    /// Whether the bytes of a range are a literal, in any case.
    func matches(_ range: Range<Int>, _ literal: StaticString) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count {
            let expected = unsafe literal.utf8Start[offset]
            if self[range.lowerBound + offset].lowercased != expected.lowercased { return false }
        }
        return true
    }

    /// A range without the white space at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start].isWhitespace { start += 1 }
        while start < end, self[end - 1].isWhitespace { end -= 1 }
        return start..<end
    }

    /// Calls with each member of a list that commas separate, without the white space around it.
    func forEachOption(of range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            let comma =
                self[start..<range.upperBound].firstIndex(of: UInt8(ascii: ","))
                ?? range.upperBound
            body(trimmed(start..<comma))
            start = comma + 1
        }
    }

    /// The number that the bytes of a range are; nil unless they are digits, and few enough.
    func decimal(_ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        var number = 0
        for byte in self[range] {
            let (shifted, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, hasOverflow) = shifted.addingReportingOverflow(Int(byte & 0x0F))
            guard byte.isDigit, !isTooLarge, !hasOverflow else { return nil }
            number = sum
        }
        return number
    }

    /// The bytes of a range as text; what is not UTF-8 is replaced.
    func text(_ range: Range<Int>) -> String {
        String(decoding: self[range], as: UTF8.self)
    }
}

extension Span<UInt8> {
    /// The place of the next line feed, or the end.
    func firstLineFeed(from start: Int) -> Int {
        var index = start
        while index < count, self[index] != .lineFeed { index += 1 }
        return index
    }

    /// The first forbidden control character in `start..<end`, or `end`; eight bytes at a time.
    func firstForbiddenControl(from start: Int, to end: Int) -> Int {
        precondition(0 <= start && end <= count, "The search must stay within the bytes.")
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = start
        while index < end {
            if index + 8 <= end {
                // Within the bytes: checked by the precondition and the line above.
                let word = unsafe self.bytes.unsafeLoadUnaligned(
                    fromByteOffset: index, as: UInt64.self)
                let delete = word ^ (ones &* 0x7F)
                let low = (word &- ones &* 0x20) & ~word | (delete &- ones) & ~delete
                if low & (ones &* 0x80) == 0 {
                    index += 8
                    continue
                }
            }
            if self[index].isForbiddenControl { return index }
            index += 1
        }
        return index
    }
}
