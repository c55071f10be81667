// The bytes of response heads and of chunks.

import Bytes
import HTTP
import Testing

@Suite struct ResponseTests {
    private func text(_ head: ResponseHead) -> String {
        var bytes: [UInt8] = []
        head.append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aHeadIsWrittenInOrder() {
        var head = ResponseHead(status: 200)
        head.add("Content-Type", "application/json")
        head.add("Content-Length", 12)
        head.add("X-Fixed" as StaticString, "é")
        #expect(
            text(head) == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                + "Content-Length: 12\r\nX-Fixed: é\r\n\r\n")
    }

    @Test(arguments: [
        (404, "404 Not Found"), (529, "529 Overloaded"), (299, "299 "),
        (0, "500 Internal Server Error"), (1000, "500 Internal Server Error"),
    ])
    func aStatusHasItsReason(_ status: Int, line: String) {
        #expect(text(ResponseHead(status: status)) == "HTTP/1.1 \(line)\r\n\r\n")
    }

    @Test func noHeaderBreaksOutOfItsLine() {
        var head = ResponseHead(status: 204)
        head.add("A\r\nB", "c\r\nD: e\0f\tg\u{7F}h\n")
        #expect(text(head) == "HTTP/1.1 204 No Content\r\nA  B: c  D: e f g h \r\n\r\n")
    }

    @Test func aChunkHasItsSizeInEightDigits() {
        var buffer = Array("head".utf8)
        let start = ChunkFraming.open(in: &buffer)
        #expect(start == 4)
        buffer += [UInt8](repeating: UInt8(ascii: "x"), count: 0xAB)
        ChunkFraming.close(start, in: &buffer)
        #expect(buffer.starts(with: "head000000ab\r\nxx".utf8))
        #expect(buffer.suffix(3).elementsEqual("x\r\n".utf8))
    }

    @Test func anEmptyChunkLeavesNoTrace() {
        var buffer = Array("head".utf8)
        ChunkFraming.close(ChunkFraming.open(in: &buffer), in: &buffer)
        #expect(buffer == Array("head".utf8))
    }

    @Test func whatIsFramedIsDecodedAtEverySplit() {
        var buffer: [UInt8] = []
        var body: [UInt8] = []
        for size in [1, 0, 15, 16, 17, 0, 255, 300] {
            let start = ChunkFraming.open(in: &buffer)
            let data = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            buffer += data
            body += data
            ChunkFraming.close(start, in: &buffer)
        }
        ChunkFraming.end(in: &buffer)
        let expected = DecodedBody(body: body, consumed: buffer.count, isFinished: true)
        #expect(decodings(buffer).allSatisfy { $0 == expected })
    }
}

@Suite struct Dates {
    private func text(_ build: (inout [UInt8]) -> Void) -> String {
        var bytes: [UInt8] = []
        build(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func dateFieldHasTheFormOfTheRFC() {
        var head = ResponseHead(status: 204)
        head.addDate(unixSeconds: 784_111_777)
        let text = text { head.append(to: &$0) }
        #expect(
            text == "HTTP/1.1 204 No Content\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_827_696_789, "2000-02-29T12:34:56.789Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
    ])
    func momentsFollowTheGregorianCalendar(milliseconds: Int, expected: String) {
        #expect(text { $0.append(timestamp: milliseconds * 1_000_000) } == expected)
    }

    @Test func everyDayOfFourCenturiesFollowsTheOneBefore() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var before = CivilTime(unixSeconds: -86_400)
        for day in 0..<146_097 {
            let now = CivilTime(unixSeconds: day * 86_400)
            let isLeap =
                before.year % 4 == 0 && (before.year % 100 != 0 || before.year % 400 == 0)
            let length = before.month == 2 && isLeap ? 29 : lengths[before.month - 1]
            let isLast = before.day == length
            let isNext =
                now.day == (isLast ? 1 : before.day + 1)
                && now.month == (isLast ? before.month % 12 + 1 : before.month)
                && now.year == before.year + (isLast && before.month == 12 ? 1 : 0)
                && now.weekday == (before.weekday + 1) % 7
            if !isNext { Issue.record("\(now) does not follow \(before)") }
            before = now
        }
    }
}
