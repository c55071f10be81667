// Server-sent events from bytes that come in any pieces.
internal import Glibc

/// Reads an event stream as the WHATWG specifies it, and a little more leniently: bare JSON lines
/// count as events, and so does an event whose empty line never came.
///
/// A line that lies whole in a piece is not copied: its event is a slice of the piece. Of a piece
/// that ends in the middle of a line only that tail is kept.
package struct EventStreamReader {
    /// A longer line, or more data in one event, is nobody's.
    package static let lineBytesMax = 16 << 20

    private static let lineFeed: UInt8 = 0x0a
    private static let carriageReturn: UInt8 = 0x0d
    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

    /// What is being read, and where; all of it was looked at when there is no event left.
    private var piece: [UInt8] = []
    private var position = 0
    /// The next line feed at or behind `position`, or the piece's end; behind it nothing is known.
    private var nextLineFeed = -1
    /// The beginning of a line whose end has not come.
    private var tail: [UInt8] = []
    /// Whether the last line ended in CR as the last byte of all: a line feed would belong to it.
    private var skipsLineFeed = false
    private var isAtStart = true
    private var isAtEnd = false

    /// The one data line of the event that is being read, or all of them when there are several.
    private var line: ArraySlice<UInt8> = []
    private var isLineKept = false
    private var lines: [UInt8] = []
    private var lineCount = 0
    private var isError = false

    /// Whether a line or an event was longer than `lineBytesMax`; nothing more is read.
    package private(set) var isOverlong = false

    /// The defaults.
    package init() {}

    /// Takes the next piece of the stream; ask `next` for events until there is none.
    package mutating func feed(_ piece: [UInt8]) {
        self.piece = piece
        position = 0
        nextLineFeed = -1
    }

    /// Says that the stream has ended: an event without its empty line counts.
    package mutating func end() { isAtEnd = true }

    /// The next whole event; `nil` when more bytes are needed.
    package mutating func next() -> ServerSentEvent? {
        while !isOverlong, let line = nextLine() {
            guard !line.isEmpty else {
                if let event = takeEvent() { return event }
                continue
            }
            if let event = field(line) { return event }
        }
        keepWhatIsNeeded()
        return isAtEnd && !isOverlong ? takeEvent() : nil
    }

    // MARK: - For a reader that knows what comes

    /// What is unread of the piece; empty unless a new event begins with it.
    package var unread: ArraySlice<UInt8> {
        let isBetweenEvents = tail.isEmpty && lineCount == 0 && !isError && !skipsLineFeed
        return isBetweenEvents && !isAtStart ? piece[position...] : []
    }

    /// Leaves out bytes of `unread`: whole events, with their empty lines.
    package mutating func skip(_ count: Int) { position += count }

    // MARK: - Events

    /// Handles one line; a bare JSON line is an event by itself.
    private mutating func field(_ line: ArraySlice<UInt8>) -> ServerSentEvent? {
        switch line[line.startIndex] {
        case UInt8(ascii: "d") where line.starts(with: "data".utf8):
            if let value = Self.value(line, after: 4) { add(value) }
        case UInt8(ascii: "e") where line.starts(with: "event".utf8):
            if let name = Self.value(line, after: 5) {
                isError = name.elementsEqual("error".utf8)
            }
        case UInt8(ascii: "{") where lineCount == 0:
            defer { isError = false }
            return ServerSentEvent(data: line, hasSeveralLines: false, isError: isError)
        default: break
        }
        return nil
    }

    /// The value of a field whose name has that length; `nil` for another field.
    private static func value(_ line: ArraySlice<UInt8>, after length: Int) -> ArraySlice<UInt8>? {
        let rest = line.dropFirst(length)
        guard let colon = rest.first else { return rest }
        guard colon == UInt8(ascii: ":") else { return nil }
        let value = rest.dropFirst()
        return value.first == 0x20 ? value.dropFirst() : value
    }

    private mutating func add(_ value: ArraySlice<UInt8>) {
        lineCount += 1
        guard lineCount > 1 else {
            line = value
            isLineKept = false
            return
        }
        if lineCount == 2 { lines += line }
        lines.append(Self.lineFeed)
        lines += value
        if lines.count > Self.lineBytesMax { isOverlong = true }
    }

    private mutating func takeEvent() -> ServerSentEvent? {
        defer {
            line = []
            lines = []
            lineCount = 0
            isError = false
        }
        guard lineCount > 0 else { return nil }
        return ServerSentEvent(
            data: lineCount > 1 ? lines[...] : line, hasSeveralLines: lineCount > 1,
            isError: isError)
    }

    // MARK: - Lines

    /// The next line without its end: LF, CRLF or CR.
    private mutating func nextLine() -> ArraySlice<UInt8>? {
        if skipsLineFeed, position < piece.count {
            if piece[position] == Self.lineFeed { position += 1 }
            skipsLineFeed = false
        }
        guard let end = lineEnd() else { return rest() }
        let line = takeLine(upTo: end)
        position = end + 1
        if piece[end] == Self.carriageReturn {
            if position == piece.count {
                skipsLineFeed = true
            } else if piece[position] == Self.lineFeed {
                position += 1
            }
        }
        return line
    }

    /// Where the line that begins at `position` ends.
    private mutating func lineEnd() -> Int? {
        if nextLineFeed < position {
            nextLineFeed = find(Self.lineFeed, in: position..<piece.count) ?? piece.count
        }
        if let end = find(Self.carriageReturn, in: position..<nextLineFeed) { return end }
        return nextLineFeed < piece.count ? nextLineFeed : nil
    }

    private func find(_ byte: UInt8, in range: Range<Int>) -> Int? {
        unsafe piece.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + range.lowerBound, CInt(byte), range.count)
            else { return nil }
            return unsafe found - UnsafeMutableRawPointer(mutating: base)
        }
    }

    /// A line without an end stays for the next piece; behind the last piece it is a line.
    private mutating func rest() -> ArraySlice<UInt8>? {
        if position < piece.count {
            tail += piece[position...]
            position = piece.count
            if tail.count > Self.lineBytesMax { isOverlong = true }
        }
        return isAtEnd && !tail.isEmpty ? takeLine(upTo: position) : nil
    }

    private mutating func takeLine(upTo end: Int) -> ArraySlice<UInt8> {
        var line = piece[position..<end]
        if !tail.isEmpty {
            tail += line
            line = tail[...]
            tail = []
        }
        guard isAtStart else { return line }
        isAtStart = false
        return line.starts(with: Self.byteOrderMark) ? line.dropFirst(3) : line
    }

    /// Lets go of a piece that was read, so that its owner can fill it again.
    private mutating func keepWhatIsNeeded() {
        if lineCount == 1, !isLineKept {
            line = Array(line)[...]
            isLineKept = true
        }
        piece = []
        position = 0
        nextLineFeed = -1
    }
}
