// Numbers in the sentences that servers complain with.
internal import Bytes

/// A sentence with places for numbers: `{L}` stands for one, `…` for any words in between.
///
/// Cheaper to read than a regular expression, and enough for error messages. Case does not matter.
struct TextPattern: Sendable {
    private enum Piece: Sendable {
        case literal([UInt8])
        case number(UInt8)
        case gap
    }

    /// Words in between are few.
    private static let gapBytesMax = 160

    private let pieces: [Piece]

    /// Reads a pattern, which is written in lower case and begins with words.
    init(_ text: String) {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        func close() {
            if !literal.isEmpty { pieces.append(.literal(literal)) }
            literal = []
        }
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "{"), let name = rest.first {
                close()
                pieces.append(.number(name))
                rest = rest.dropFirst(2)
            } else if byte == 0xe2, rest.starts(with: [0x80, 0xa6]) {
                close()
                pieces.append(.gap)
                rest = rest.dropFirst(2)
            } else {
                literal.append(byte)
            }
        }
        close()
        self.pieces = pieces
    }

    /// The numbers by their letters, when the pattern stands somewhere in a text of lower case.
    func match(_ text: [UInt8]) -> [UInt8: Int]? {
        guard case .literal(let first)? = pieces.first else { return nil }
        var start = text[...]
        while let range = start.range(ofBytes: first) {
            if let numbers = match(text[range.upperBound...]) { return numbers }
            start = text[range.upperBound...]
        }
        return nil
    }

    private func match(_ text: ArraySlice<UInt8>) -> [UInt8: Int]? {
        var numbers: [UInt8: Int] = [:]
        var rest = text
        var hasGap = false
        for piece in pieces.dropFirst() {
            switch piece {
            case .gap: hasGap = true
            case .literal(let literal):
                let reach = rest.prefix(hasGap ? Self.gapBytesMax + literal.count : literal.count)
                guard let range = reach.range(ofBytes: literal) else { return nil }
                rest = rest[range.upperBound...]
                hasGap = false
            case .number(let name):
                guard let number = Self.takeNumber(&rest) else { return nil }
                numbers[name] = number
            }
        }
        return numbers
    }

    /// `131,072` is a number too; the comma behind a number is none of it.
    private static func takeNumber(_ text: inout ArraySlice<UInt8>) -> Int? {
        var digits: [UInt8] = []
        while let byte = text.first {
            let isSeparator = byte == 0x2c && text.dropFirst().first.map(isDigit) == true
            guard isDigit(byte) || isSeparator else { break }
            if !isSeparator { digits.append(byte) }
            text = text.dropFirst()
        }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
