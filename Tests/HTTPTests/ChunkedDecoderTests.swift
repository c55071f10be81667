// What the chunked decoder accepts and refuses, at every split.

import HTTP
import Testing

@Suite struct ChunkedDecoderTests {
    @Test(arguments: [
        ("0\r\n\r\n", "", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", "GET / HTTP/1.1\r\n"),
        ("5\r\nhello\r\n1\r\n \r\n5;a=\"b c\"\tx\r\nworld\r\n00\r\n\r\n", "hello world", "\r\n"),
        ("0000000000000002\r\n\r\n\r\n0\r\nA: b\r\nC-D:\te\r\n\r\n", "\r\n", "0\r\n\r\n"),
        ("a\r\n0123456789\r\nA;\r\n0123456789\r\n0;x\r\n\r\n", "01234567890123456789", "\0"),
    ])
    func aGoodBodyIsTheSameAtEverySplit(_ text: String, body: String, rest: String) {
        let expected = DecodedBody(
            body: Array(body.utf8), consumed: text.utf8.count, isFinished: true)
        #expect(decodings(Array((text + rest).utf8)).allSatisfy { $0 == expected })
    }

    @Test(arguments: [
        "\r\n", ";a\r\n", " 5\r\nhello\r\n", "\t5\r\n", "5 \r\nhello\r\n", "+5\r\nhello\r\n",
        "-5\r\nhello\r\n", "0x5\r\nhello\r\n", "g\r\n", "5_0\r\n", "5\nhello\r\n", "5\rhello\r\n",
        "5\r\r\nhello", "8000000000000000\r\n", "ffffffffffffffff\r\n", "00000000000000005\r\n",
        "5;a\nb\r\nhello\r\n", "5;a\rb\r\nhello\r\n", "5;\0\r\nhello", "5;\u{7F}\r\nhello",
        "5\r\nhelloX\r\n", "5\r\nhello\n", "5\r\nhello\rX", "5\r\nhello0\r\n\r\n",
        "3\r\nhello\r\n", "0\r\n\n", "0\r\n\rX", "0\r\nA\r\n", "0\r\n: b\r\n", "0\r\nA : b\r\n",
        "0\r\nA: b\nC: d\r\n", "0\r\nA: b\rC: d\r\n", "0\r\nA: b\r\n c\r\n", "0\r\nA: \0\r\n",
        "0\r\nA: b\r\n\n", "٥\r\nhello\r\n",
    ])
    func aHostileBodyIsRefusedAtEverySplit(_ text: String) {
        let all = decodings(Array(text.utf8))
        #expect(all[0].error?.status == 400)
        #expect(all.allSatisfy { $0 == all[0] })
    }

    @Test func theLargestSizeIsAccepted() throws {
        let result = decode([Array("7fffffffffffffff\r\nab".utf8)[...]])
        #expect(result == DecodedBody(body: Array("ab".utf8), consumed: 20))
    }

    @Test func extensionsAreLimitedInEachChunk() {
        let longest = ";" + String(repeating: "a", count: 255)
        let good = "1\(longest)\r\nx\r\n1\(longest)\r\ny\r\n0\(longest)\r\n\r\n"
        #expect(decodings(Array(good.utf8)).allSatisfy { $0.body == Array("xy".utf8) })
        let tooLong = decodings(Array("1\(longest)a\r\nx".utf8))
        #expect(tooLong.allSatisfy { $0.error?.status == 400 })
    }

    @Test func trailersAreLimitedInTotal() {
        let line = "A: " + String(repeating: "b", count: 1019) + "\r\n"
        let good = "0\r\n" + String(repeating: line, count: 8)
        for (end, isGood) in [("\r\n", true), ("A", false)] {
            let bytes = Array((good + end).utf8)
            for result in [decode([bytes[...]]), decode(bytes.indices.map { bytes[$0...$0] })] {
                #expect(result.isFinished == isGood)
                #expect(result.error?.status == (isGood ? nil : 431))
            }
        }
    }

    @Test func nothingIsConsumedAfterTheEnd() throws {
        var decoder = ChunkedDecoder()
        var body: [UInt8] = []
        let end = Array("0\r\n\r\n".utf8)
        #expect(try decoder.decode(end.span, into: &body) == 5)
        #expect(try decoder.decode(end.span, into: &body) == 0)
        #expect(decoder.isFinished && body.isEmpty)
    }
}
