// What a server may answer, at every split of its bytes.

import HTTP
import Testing

/// What came of an answer.
private struct Reading: Equatable {
    var status: Int?
    var body: [UInt8] = []
    var consumed = 0
    var isFinished = false
    var isKeepAlive: Bool?
    var error: HTTPError?
}

private func read(_ pieces: [ArraySlice<UInt8>], ends: Bool) -> Reading {
    var reader = AnswerReader()
    var result = Reading()
    for piece in pieces where !reader.isFinished {
        do throws(HTTPError) {
            result.consumed += try reader.read(piece.span, into: &result.body)
        } catch {
            return Reading(error: error)
        }
    }
    if ends { reader.connectionEnded() }
    result.status = reader.head?.status
    result.isKeepAlive = reader.head?.isKeepAlive
    result.isFinished = reader.isFinished
    return result
}

/// In one piece, in every two pieces, and byte by byte.
private func readings(_ text: String, ends: Bool = false) -> [Reading] {
    let bytes = Array(text.utf8)
    let splits = bytes.indices.map { [bytes[..<$0], bytes[$0...]] }
    return ([[bytes[...]], bytes.indices.map { bytes[$0...$0] }] + splits).map {
        read($0, ends: ends)
    }
}

@Suite struct AnswerReaderTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true),
        ("HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", 200, "hello", true),
        ("HTTP/1.1 200 \nCONTENT-LENGTH: 5\n\nhello", 200, "hello", true),
        ("HTTP/1.1 404 Not Found\r\nX: a:b\r\nContent-Length: 0\r\n\r\n", 404, "", true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", 204, "", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5, 5\r\n\r\nhello", 200,
            "hello", true
        ),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", 200, "x", false),
        ("HTTP/1.1 200 OK\r\nConnection: a, Close\r\nContent-Length: 1\r\n\r\nx", 200, "x", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200, "x", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n",
            200, "hello", true
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\n"
                + "5\r\nhello\r\n0\r\n\r\n",
            200, "hello", false
        ),
        // A version that has no chunks, from a server that has: the framing is faulty.
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n0\r\n\r\n",
            200, "hello", false
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi", 200,
            "hi", true
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            200, "hi", true
        ),
    ])
    func anAnswerIsTheSameAtEverySplit(
        _ text: String, status: Int, body: String, isKeepAlive: Bool
    ) {
        let expected = Reading(
            status: status, body: Array(body.utf8), consumed: text.utf8.count, isFinished: true,
            isKeepAlive: isKeepAlive)
        #expect(readings(text).allSatisfy { $0 == expected })
        // What comes behind it is not taken for a part of it.
        var (reader, rest) = (AnswerReader(), [UInt8]())
        let count = try? reader.read(Array((text + "HTTP/1.1 200").utf8).span, into: &rest)
        #expect(count == text.utf8.count && rest == expected.body)
    }

    @Test(arguments: ["", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n"])
    func anAnswerWithoutALengthEndsWithTheConnection(_ head: String) {
        let text = (head.isEmpty ? "HTTP/1.1 200 OK\r\n" : head) + "\r\nall that comes"
        #expect(readings(text).allSatisfy { !$0.isFinished })
        #expect(
            readings(text, ends: true).allSatisfy {
                $0.isFinished && $0.body == Array("all that comes".utf8)
            })
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTT",
    ])
    func aCutAnswerIsNeverWhole(_ text: String) {
        #expect(readings(text, ends: true).allSatisfy { !$0.isFinished && $0.error == nil })
    }

    @Test(arguments: [
        "\r\n", "<html>", "HTTQ", "HTTP/2 200 OK\r\n", "http/1.1 200 OK\r\n", "ICY 200 OK\r\n",
        "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 abc\r\n",
        "HTTP/1.1 099 No\r\n", "HTTP/1.x 200 OK\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", "HTTP/1.1 200 OK\r\n: b\r\n",
        "HTTP/1.1 200 OK\r\nA: \0\r\n", "HTTP/1.1 200 OK\r\nA: b\rc\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func whatNobodyCanReadIsRefusedAtEverySplit(_ text: String) {
        let all = readings(text)
        #expect(all[0].error != nil)
        #expect(all.allSatisfy { $0 == all[0] })
    }

    @Test func headsHaveALimitTogether() {
        let interim =
            "HTTP/1.1 103 Early Hints\r\nA: \(String(repeating: "b", count: 1000))\r\n\r\n"
        let long = String(repeating: interim, count: 70)
        let endless = "HTTP/1.1 200 OK\r\nA: \(String(repeating: "b", count: 70_000))"
        for text in [long, endless] {
            let bytes = Array(text.utf8)
            #expect(read([bytes[...]], ends: false).error?.status == 502)
            #expect(read(bytes.indices.map { bytes[$0...$0] }, ends: false).error?.status == 502)
        }
    }
}
