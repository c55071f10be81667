// What the parser accepts, refuses, and leaves in the buffer.

import HTTP
import Testing

@Suite struct RequestHeadParserTests {
    @Test(arguments: HostileHead.all)
    func aHostileHeadIsRefusedAtEverySplit(_ hostile: HostileHead) throws {
        let all = outcomes(hostile.bytes)
        guard case .refused(let error) = all[0] else {
            Issue.record("The head was not refused: \(all[0])")
            return
        }
        #expect(error.status == hostile.status)
        #expect(all.allSatisfy { $0 == all[0] })
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("POST /v1?beta HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 3\r\n\r\n", "abc"),
        ("POST / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:\tChunked \r\nX:\r\n\r\n", "0\r\n"),
        ("GET http://a:80?x HTTP/1.0\r\nA: b\tc\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"),
        ("GET / HTTP/1.1\r\nhost:\r\nX: caf\u{E9}\r\n\r\n", "\r\n\u{0}"),
    ])
    func aGoodHeadIsTheSameAtEverySplit(_ text: String, rest: String) {
        let all = outcomes(Array((text + rest).utf8))
        guard case .head(_, let left) = all[0] else {
            Issue.record("The head was not accepted: \(all[0])")
            return
        }
        #expect(all.allSatisfy { $0 == all[0] })
        #expect(left == Array(rest.utf8))
    }

    @Test func everyPartOfAHeadIsRead() throws {
        let head = try head(
            "POST /v1/messages?a=1?b HTTP/1.1\r\nHost: x\r\nX-Api-Key:  k \t\r\nx-api-key: l\r\n"
                + "Expect: 100-Continue\r\nContent-Length: 007\r\n\r\n")
        #expect(head.method == "POST")
        #expect(head.target == "/v1/messages?a=1?b")
        #expect(head.path == "/v1/messages")
        #expect(head.query == "a=1?b")
        #expect(head.version == .http11)
        #expect(head.framing == .length(7))
        #expect(head.isKeepAlive)
        #expect(head.expectsContinue)
        #expect(head.header("X-API-key") == "k")
        #expect(head.header("accept") == nil)
        #expect(
            head.headers.map(\.name) == [
                "Host", "X-Api-Key", "x-api-key", "Expect", "Content-Length",
            ])
        #expect(head.headers.map(\.value) == ["x", "k", "l", "100-Continue", "007"])
    }

    /// The characters of a name are those of RFC 9110, 5.6.2, and no others of the 256.
    @Test func aNameIsMadeOfTokenCharactersOnly() {
        let signs = Set("!#$%&'*+-.^_`|~".utf8)
        let letters = Set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ":") {
            let head = Array("GET / HTTP/1.1\r\nHost: h\r\nA".utf8) + [byte]
            let outcome = feed([(head + Array("B: c\r\n\r\n".utf8))[...]])
            var isTaken = false
            if case .head = outcome { isTaken = true }
            #expect(isTaken == (signs.contains(byte) || letters.contains(byte)), "\(byte)")
        }
    }

    @Test func headerNamesFoldOnlyLetters() throws {
        let head = try head("GET / HTTP/1.1\r\nHost: x\r\nA^: 1\r\nA~: 2\r\n\r\n")
        #expect(head.header("a~") == "2")
    }

    @Test(
        arguments: [
            ("GET /", "/", nil), ("GET /?", "/", ""), ("GET /a?b", "/a", "b"),
            ("GET http://h", "/", nil), ("GET HTTPS://h:1/a/b?c=/d", "/a/b", "c=/d"),
            ("GET http://h?x", "/", "x"), ("OPTIONS *", "*", nil), ("GET //a", "//a", nil),
            ("GET /a://b", "/a://b", nil),
        ] as [(String, String, String?)])
    func aTargetIsReducedToPathAndQuery(_ start: String, path: String, query: String?) throws {
        let head = try head("\(start) HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(head.path == path)
        #expect(head.query == query)
    }

    @Test(arguments: [
        ("1.1", "A: b", true), ("1.0", "A: b", false), ("1.1", "Connection: Close", false),
        ("1.1", "connection: x ,\tCLOSE,, y", false), ("1.0", "Connection: x, Keep-Alive", true),
        ("1.0", "Connection: x\r\nConnection: keep-alive", true),
        ("1.0", "Connection: keep-alive\r\nConnection: close", false),
        ("1.1", "Connection: x\r\nConnection: close", false),
        ("1.1", "Connection: closed, not-close", true), ("1.1", "Connection:", true),
    ])
    func theConnectionHeaderDecidesAboutTheConnection(
        _ version: String, lines: String, isKeepAlive: Bool
    ) throws {
        let head = try head("GET / HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n\r\n")
        #expect(head.isKeepAlive == isKeepAlive)
    }

    @Test func http10NeedsNoHostAndExpectsNoContinue() throws {
        let head = try head("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")
        #expect(head.version == .http10)
        #expect(!head.expectsContinue)
        #expect(head.framing == .none)
    }

    @Test func theLargestLengthIsAccepted() throws {
        let head = try head(
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n")
        #expect(head.framing == .length(.max))
    }

    @Test func bytesBeyondASCIIAreAllowedInValues() throws {
        var parser = RequestHeadParser(limits: HTTPLimits())
        var buffer = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8) + [0xFF, 0x80, 13, 10, 13, 10]
        let head = try #require(try parser.parse(&buffer))
        #expect(head.header("x") == "\u{FFFD}\u{FFFD}")
    }

    @Test func pipelinedHeadsAreReadOneByOne() throws {
        var parser = RequestHeadParser(limits: HTTPLimits())
        let one = "GET /1 HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n"
        var buffer = Array("\(one)\r\n\(one)\(one)GET".utf8)
        for _ in 0..<3 {
            let head = try #require(try parser.parse(&buffer))
            #expect(head.path == "/1")
            #expect(head.headers.map(\.name) == ["Host", "A"])
        }
        #expect(try parser.parse(&buffer) == nil)
        #expect(buffer == Array("GET".utf8))
    }

    @Test func arbitraryBytesAreTheSameAtEverySplit() {
        var random = SplitMix(state: 7)
        let words = [
            "GET", " ", "/", "HTTP/1.1", "\r\n", "\r", "\n", "Host: a", "A", ":", "\0", "\t", "é",
            "Content-Length: 1", "*", "\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n",
        ]
        for _ in 0..<1000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...9, using: &random) {
                bytes += words.randomElement(using: &random).map { Array($0.utf8) } ?? []
            }
            let all = outcomes(bytes)
            #expect(all.allSatisfy { $0 == all[0] }, "\(bytes)")
        }
    }
}

/// A small generator, so that a failure repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
