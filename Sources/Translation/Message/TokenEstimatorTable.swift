// What a byte costs in tokens, by what stands before it: a table, so that no byte is a branch.

/// What the estimator tells apart.
enum TokenByte: UInt8, CaseIterable {
    case letter, capital, digit, punctuation, backslash, space, line
    /// `n`, `r` and `t`: letters that name a line's end or a tab behind a backslash.
    case lineLetter
    /// `u`: a letter that announces four digits behind a backslash.
    case unicodeLetter
    /// A byte inside a character of several.
    case continuation
    /// The first byte of a Latin letter with an accent.
    case accent
    case twoBytes, threeBytes, fourBytes
    /// No byte: the end of a piece.
    case end

    init(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"): self = .lineLetter
        case UInt8(ascii: "u"): self = .unicodeLetter
        case 0x61...0x7a: self = .letter
        case 0x41...0x5a: self = .capital
        case 0x30...0x39: self = .digit
        case 0x20: self = .space
        case 0x5c: self = .backslash
        case 0x21...0x7e: self = .punctuation
        case 0x80...0xbf: self = .continuation
        case 0xc2...0xc9: self = .accent
        case 0xca...0xdf: self = .twoBytes
        case 0xe0...0xef: self = .threeBytes
        case 0xf0...0xff: self = .fourBytes
        default: self = .line
        }
    }
}

/// What bytes cost, in sixteenths of a token: words and signs, digits and other scripts apart, in
/// one number, so that a byte is still one addition.
enum TokenCost {
    static let digits = 1 << 21
    static let others = 1 << 42
    private static let mask = digits - 1

    /// The parts of many costs.
    struct Sum {
        var words = 0
        var digits = 0
        var others = 0

        mutating func add(_ cost: Int) {
            words += cost & mask
            digits += cost >> 21 & mask
            others += cost >> 42
        }

        var all: Int { words + digits + others }
    }
}

/// The run of bytes of one kind that the estimator is in.
struct TokenRun: Hashable {
    private enum Kind { case none, letters, digits, punctuation, space, lines }

    private enum Weight {
        static let word = 17
        /// Of a letter behind the seventh of a word.
        static let letter = 6
        /// Of a capital inside a word: `camelCase` is two.
        static let hump = 16
        static let threeDigits = 16 * TokenCost.digits
        static let punctuation = 16
        static let lines = 8
        static let spaces = 2
        /// Of a letter of two bytes: Cyrillic, Greek and the like.
        ///
        /// Accents of Latin cost nothing: they split a word, and its parts count.
        static let twoBytes = 4 * TokenCost.others
        static let threeBytes = 10 * TokenCost.others
        static let fourBytes = 34 * TokenCost.others
    }

    private static let lettersOfWord = 7

    private var kind = Kind.none
    /// Of letters up to those of a word, of digits modulo three, of spaces up to two.
    private var length = 0
    private var isUpper = false
    /// Whether a backslash was the last byte.
    private var isEscape = false
    /// Digits of `\u` that are still to come.
    private var hexadecimals = 0

    /// Whether the next byte stands for itself.
    var isLiteral: Bool { !isEscape && hexadecimals == 0 }

    /// Goes over a byte; what it costs.
    mutating func take(_ byte: TokenByte) -> Int {
        if hexadecimals > 0 {
            hexadecimals = byte == .end ? 0 : hexadecimals - 1
            return 0
        }
        return isEscape ? escaped(byte) : plain(byte)
    }

    /// What an escape stands for, also in JSON that was quoted once more.
    private mutating func escaped(_ byte: TokenByte) -> Int {
        guard byte != .backslash else { return 0 }
        isEscape = false
        switch byte {
        case .lineLetter: return enter(.lines, Weight.lines)
        case .unicodeLetter:
            hexadecimals = 4
            return other(Weight.threeBytes)
        default: return enter(.punctuation, Weight.punctuation) + plain(byte)
        }
    }

    private mutating func plain(_ byte: TokenByte) -> Int {
        switch byte {
        case .letter, .lineLetter, .unicodeLetter: return letter()
        case .capital: return capital()
        case .digit: return digit()
        case .punctuation: return enter(.punctuation, Weight.punctuation)
        case .space: return space()
        case .line: return enter(.lines, Weight.lines)
        case .accent: return other(0)
        case .twoBytes: return other(Weight.twoBytes)
        case .threeBytes: return other(Weight.threeBytes)
        case .fourBytes: return other(Weight.fourBytes)
        case .backslash: isEscape = true
        case .continuation, .end: break
        }
        return 0
    }

    /// Costs where the run begins.
    private mutating func enter(_ kind: Kind, _ weight: Int) -> Int {
        guard self.kind != kind else { return 0 }
        self = TokenRun()
        self.kind = kind
        return weight
    }

    private mutating func letter() -> Int {
        var cost = enter(.letters, Weight.word)
        if length == Self.lettersOfWord { cost += Weight.letter }
        length = min(length + 1, Self.lettersOfWord)
        isUpper = false
        return cost
    }

    private mutating func capital() -> Int {
        let isHump = kind == .letters && !isUpper
        if isHump { length = 0 }
        let cost = letter() + (isHump ? Weight.hump : 0)
        isUpper = true
        return cost
    }

    private mutating func digit() -> Int {
        _ = enter(.digits, 0)
        defer { length = (length + 1) % 3 }
        return length == 0 ? Weight.threeDigits : 0
    }

    /// One space belongs to the word behind it, all behind a line's end to that.
    private mutating func space() -> Int {
        guard kind != .lines else { return 0 }
        _ = enter(.space, 0)
        defer { length = min(length + 1, 2) }
        return length == 1 ? Weight.spaces : 0
    }

    private mutating func other(_ weight: Int) -> Int {
        let hexadecimals = hexadecimals
        self = TokenRun()
        self.hexadecimals = hexadecimals
        return weight
    }
}

/// `TokenRun` as a table: one row for each run there is, one column for each `TokenByte`.
struct TokenTable: Sendable {
    /// Columns of a row; a power of two.
    static let width = 16
    static let shared = TokenTable()

    /// The column of each byte.
    let columns: [UInt8]
    /// By the sum of a row's begin and a column: the begin of the next row.
    private(set) var next: [UInt16] = []
    /// The same for what the byte costs.
    private(set) var costs: [Int] = []
    private(set) var runs = [TokenRun()]

    private init() {
        columns = (0...UInt8.max).map { TokenByte($0).rawValue }
        var rows = [TokenRun(): 0]
        var row = 0
        while row < runs.count {
            for column in 0..<UInt8(Self.width) {
                var run = runs[row]
                costs.append(TokenByte(rawValue: column).map { run.take($0) } ?? 0)
                if rows[run] == nil {
                    rows[run] = runs.count
                    runs.append(run)
                }
                next.append(UInt16((rows[run] ?? 0) * Self.width))
            }
            row += 1
        }
    }
}
