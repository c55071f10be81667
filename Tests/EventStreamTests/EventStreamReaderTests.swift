// Event streams at every split and with every line end.
import Testing

@testable import EventStream

private func events(_ pieces: [ArraySlice<UInt8>]) -> [String] {
    var reader = EventStreamReader()
    var seen: [String] = []
    func note(_ event: ServerSentEvent) {
        seen.append(String(decoding: event.data, as: UTF8.self) + (event.isError ? "!" : ""))
    }
    for piece in pieces {
        reader.feed(Array(piece))
        while let event = reader.next() { note(event) }
    }
    reader.end()
    while let event = reader.next() { note(event) }
    return seen
}

@Suite struct EventStreamReaderTests {
    static let streams: [(String, [String])] = [
        ("data: a\n\ndata: b\n\n", ["a", "b"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        ("data: a\r\rdata: b\r\r", ["a", "b"]),
        ("data: a\n\r\ndata: b\r\n\n", ["a", "b"]),
        ("\u{feff}data:a\n\ndata:  b\n\n", ["a", " b"]),
        ("data: a\ndata: b\n\n", ["a\nb"]),
        (": comment\n\ndata: a\nid: 7\nretry: 5\n\n: x\n", ["a"]),
        ("event: error\ndata: a\n\ndata: b\n\n", ["a!", "b"]),
        ("data: a\n\ndata: last", ["a", "last"]),
        ("data: a\n\ndata: last\r", ["a", "last"]),
        ("{\"a\":1}\n{\"b\":2}\n", ["{\"a\":1}", "{\"b\":2}"]),
        ("data\n\ndata:\n\ndatax: no\n\n", ["", ""]),
        ("\n\n\r\n\r\rdata: é日😀\n\n", ["é日😀"]),
        ("", []),
    ]

    @Test(arguments: streams)
    func everySplitGivesTheSameEvents(text: String, expected: [String]) {
        let bytes = Array(text.utf8)
        #expect(events([bytes[...]]) == expected)
        #expect(events(bytes.indices.map { bytes[$0...$0] }) == expected)
        for split in bytes.indices {
            #expect(events([bytes[..<split], bytes[split...]]) == expected)
        }
        for first in bytes.indices {
            for second in first..<bytes.count {
                #expect(
                    events([bytes[..<first], bytes[first..<second], bytes[second...]]) == expected)
            }
        }
    }

    @Test func aPieceOfWholeEventsIsNotCopied() {
        var reader = EventStreamReader()
        let piece = Array("data: one\n\ndata: two\n\n".utf8)
        for _ in 0..<3 {
            reader.feed(piece)
            let event = reader.next()
            let address = unsafe piece.withUnsafeBytes {
                unsafe $0.baseAddress.map { Int(bitPattern: $0) }
            }
            let seen = unsafe event?.data.withUnsafeBytes {
                unsafe $0.baseAddress.map { Int(bitPattern: $0) }
            }
            #expect(seen == address.map { $0 + 6 })
            #expect(reader.next() != nil)
            #expect(reader.next() == nil)
        }
    }

    @Test func aLineThatNeverEndsIsNoticed() {
        var reader = EventStreamReader()
        let piece = Array(repeating: UInt8(ascii: "x"), count: 1 << 20)
        for _ in 0..<16 {
            reader.feed(piece)
            let hasEvent = reader.next() != nil
            #expect(!hasEvent)
        }
        let wasOverlong = reader.isOverlong
        reader.feed(piece)
        let hasEvent = reader.next() != nil
        let isOverlong = reader.isOverlong
        #expect(!wasOverlong && isOverlong && !hasEvent)
    }
}
