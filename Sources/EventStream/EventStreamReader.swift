// Server-sent events from bytes that come in any pieces.
internal import Glibc

/// One event: its data, and whether the server called it an error.
package struct ServerSentEvent {
    /// The data lines, joined by line feeds.
    package let data: ArraySlice<UInt8>
    /// Whether there was more than one data line; some servers forget the empty line in between.
    package let hasSeveralLines: Bool
    /// Whether the event is named `error`.
    package let isError: Bool
}

/// Reads an event stream as the WHATWG specifies it, and a little more leniently: bare JSON lines
/// count as events.
///
/// On the steady path, where a piece holds whole events, nothing is copied: events are slices of
/// the piece.
package struct EventStreamReader {
    /// A longer line is nobody's event.
    package static let lineBytesMax = 16 << 20

    private var buffer: [UInt8] = []
    private var position = 0
    private var searched = 0
    private var isAtStart = true
    private var isAtEnd = false
    private var data: ArraySlice<UInt8>?
    private var lineCount = 0
    private var isError = false
    /// Whether a line was longer than `lineBytesMax`; what it held is dropped.
    package private(set) var isOverlong = false

    /// The defaults.
    package init() {}

    /// Takes the next piece of the stream; ask `next` for events until there is none.
    package mutating func feed(_ piece: [UInt8]) {
        if let kept = data { data = Array(kept)[...] }
        if position == buffer.count {
            buffer = piece
        } else {
            buffer.removeFirst(position)
            buffer.append(contentsOf: piece)
        }
        searched -= position
        position = 0
        searched = max(0, min(searched, buffer.count))
        if buffer.count > Self.lineBytesMax { isOverlong = true }
    }

    /// Says that the stream has ended: an event without its empty line counts.
    package mutating func end() { isAtEnd = true }

    /// The next whole event.
    package mutating func next() -> ServerSentEvent? {
        while let line = nextLine() {
            guard !line.isEmpty else {
                if let event = takeEvent() { return event }
                continue
            }
            if let event = field(line) { return event }
        }
        return isAtEnd ? takeEvent() : nil
    }

    /// Handles one line; a bare JSON line is an event by itself.
    private mutating func field(_ line: ArraySlice<UInt8>) -> ServerSentEvent? {
        let start = line.startIndex
        switch line[start] {
        case UInt8(ascii: "d") where line.starts(with: "data".utf8):
            add(Self.value(line, after: 4))
        case UInt8(ascii: "e") where line.starts(with: "event".utf8):
            isError = Self.value(line, after: 5)?.elementsEqual("error".utf8) ?? isError
        case UInt8(ascii: "{") where data == nil:
            return ServerSentEvent(data: line, hasSeveralLines: false, isError: isError)
        default: break
        }
        return nil
    }

    private mutating func add(_ value: ArraySlice<UInt8>?) {
        guard let value else { return }
        lineCount += 1
        guard let before = data else {
            data = value
            return
        }
        data = (Array(before) + [0x0a] + value)[...]
    }

    /// The value of a field whose name has that length; `nil` for another field.
    private static func value(_ line: ArraySlice<UInt8>, after length: Int) -> ArraySlice<UInt8>? {
        let rest = line.dropFirst(length)
        guard let colon = rest.first else { return rest }
        guard colon == UInt8(ascii: ":") else { return nil }
        let value = rest.dropFirst()
        return value.first == 0x20 ? value.dropFirst() : value
    }

    private mutating func takeEvent() -> ServerSentEvent? {
        defer {
            data = nil
            lineCount = 0
            isError = false
        }
        guard let data else { return nil }
        return ServerSentEvent(data: data, hasSeveralLines: lineCount > 1, isError: isError)
    }

    /// The next line without its end: LF, CRLF or CR.
    ///
    /// A CR that is the last byte so far may be the first half of CRLF.
    private mutating func nextLine() -> ArraySlice<UInt8>? {
        skipByteOrderMark()
        guard position < buffer.count else { return nil }
        let lineFeed = find(0x0a, upTo: buffer.count)
        let limit = lineFeed ?? buffer.count
        if let carriageReturn = find(0x0d, upTo: limit) {
            let after = carriageReturn + 1
            guard after < buffer.count || isAtEnd else { return nil }
            let isPair = after < buffer.count && buffer[after] == 0x0a
            return take(upTo: carriageReturn, next: isPair ? after + 1 : after)
        }
        if let lineFeed { return take(upTo: lineFeed, next: lineFeed + 1) }
        searched = buffer.count
        return isAtEnd ? take(upTo: buffer.count, next: buffer.count) : nil
    }

    private mutating func take(upTo end: Int, next: Int) -> ArraySlice<UInt8> {
        let line = buffer[position..<end]
        position = next
        searched = next
        return line
    }

    private mutating func skipByteOrderMark() {
        guard isAtStart else { return }
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let head = buffer.prefix(3)
        if head.elementsEqual(mark) {
            position = 3
            searched = 3
        } else if head.count < 3, mark.starts(with: head), !isAtEnd {
            return
        }
        isAtStart = false
    }

    /// The first place of a byte in what has not been searched yet.
    private func find(_ byte: UInt8, upTo end: Int) -> Int? {
        let start = max(position, searched)
        guard start < end else { return nil }
        return unsafe buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + start, CInt(byte), end - start)
            else { return nil }
            return unsafe found - UnsafeMutableRawPointer(mutating: base)
        }
    }
}
