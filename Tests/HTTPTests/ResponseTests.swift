// The bytes of response heads and of chunks.

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
