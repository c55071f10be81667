// Counting tokens without a tokenizer (translation 6.1).
internal import Glibc

/// Estimates tokens from classes of bytes; allocates nothing, looks at each byte about once.
///
/// The weights are fitted to the counts of o200k and DeepSeek's tokenizer over prose, code, JSON,
/// Chinese and agents' requests; `scripts/tokens` shows how far they are off.
package enum TokenEstimator {
    /// Tokens of an upstream's request body: what stands in its strings, its tools and, lightly,
    /// its framing.
    package static func estimate(_ pieces: [ArraySlice<UInt8>]) -> Int {
        var counter = TokenCounter()
        for piece in pieces {
            unsafe piece.withUnsafeBytes { unsafe counter.add($0) }
        }
        return counter.tokens
    }
}

/// Counts in sixteenths of a token.
@safe private struct TokenCounter {
    private enum Weight {
        static let word = 17
        /// Of a letter behind the seventh of a word.
        static let letter = 6
        /// Of a capital inside a word: `camelCase` is two.
        static let hump = 16
        static let threeDigits = 16
        static let punctuation = 16
        static let lines = 8
        static let spaces = 2
        /// Of a letter of two bytes: Cyrillic, Greek and the like.
        ///
        /// Accents of Latin cost nothing: they split a word, and its parts count.
        static let twoBytes = 4
        static let threeBytes = 10
        static let fourBytes = 34
    }

    private enum Run { case none, letters, digits, punctuation, space, lines }

    private static let lettersOfWord = 7

    private var sixteenths = 0
    private var run = Run.none
    private var length = 0
    private var isUpper = false
    private var imageTokens = 0

    var tokens: Int { max(1, imageTokens + (sixteenths + 8) / 16) }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var place = 0
        while place < bytes.count {
            let byte = unsafe bytes[place]
            place += 1
            switch byte {
            case 0x61...0x7a:
                // Most bytes are small letters: those of a word are counted at once.
                var end = place
                while end < bytes.count, unsafe bytes[end] &- 0x61 < 26 { end += 1 }
                letters(1 + end - place)
                place = end
            case 0x41...0x5a: capital()
            case 0x20: space()
            case 0x30...0x39: digit()
            case 0x5c: unsafe escape(bytes, &place)
            case 0x22:
                punctuation()
                if let (count, end) = unsafe DataURL.tokens(bytes, at: place) {
                    imageTokens += count
                    place = end
                }
            case 0x21...0x7e: punctuation()
            case 0x80...0xbf: break
            case 0xc2...0xc9: run = .none
            case 0xca...0xdf: other(Weight.twoBytes)
            case 0xe0...0xef: other(Weight.threeBytes)
            case 0xf0...0xff: other(Weight.fourBytes)
            default: lines()
            }
        }
    }

    private mutating func capital() {
        if run == .letters, !isUpper {
            sixteenths += Weight.hump
            length = 0
        }
        letters(1)
        isUpper = true
    }

    @inline(__always)
    private mutating func letters(_ count: Int) {
        if run != .letters {
            sixteenths += Weight.word
            run = .letters
            length = 0
        }
        let known = max(length, Self.lettersOfWord)
        length += count
        sixteenths += Weight.letter * max(0, length - known)
        isUpper = false
    }

    @inline(__always)
    private mutating func digit() {
        if run != .digits {
            run = .digits
            length = 0
        }
        if length % 3 == 0 { sixteenths += Weight.threeDigits }
        length += 1
    }

    @inline(__always)
    private mutating func punctuation() {
        if run != .punctuation { sixteenths += Weight.punctuation }
        run = .punctuation
    }

    /// One space belongs to the word behind it.
    private mutating func space() {
        if run == .space {
            if length == 1 { sixteenths += Weight.spaces }
            length += 1
        } else if run != .lines {
            run = .space
            length = 1
        }
    }

    private mutating func lines() {
        if run != .lines { sixteenths += Weight.lines }
        run = .lines
    }

    private mutating func other(_ weight: Int) {
        sixteenths += weight
        run = .none
    }

    /// What an escape stands for, also in JSON that was quoted once more.
    private mutating func escape(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) {
        while place < bytes.count, unsafe bytes[place] == 0x5c { place += 1 }
        guard place < bytes.count else { return punctuation() }
        switch unsafe bytes[place] {
        case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            lines()
            place += 1
        case UInt8(ascii: "u"):
            other(Weight.threeBytes)
            place = min(place + 5, bytes.count)
        case UInt8(ascii: "\""), UInt8(ascii: "/"):
            punctuation()
            place += 1
        default: punctuation()
        }
    }
}
