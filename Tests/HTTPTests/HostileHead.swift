// Heads that must be refused, each with the status that refuses it.

import Testing

/// A head that must be refused, named after what is wrong with it.
struct HostileHead: CustomTestStringConvertible {
    let testDescription: String
    let status: Int
    let bytes: [UInt8]

    init(_ name: String, _ status: Int, _ text: String) {
        self.init(name, status, Array(text.utf8))
    }

    init(_ name: String, _ status: Int, _ bytes: [UInt8]) {
        testDescription = name
        self.status = status
        self.bytes = bytes
    }

    /// A head with a good request line, a Host, and these header lines.
    static func lines(_ name: String, _ status: Int, _ lines: String) -> HostileHead {
        HostileHead(name, status, "POST /v1 HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n")
    }

    /// A head with this request line.
    static func start(_ name: String, _ status: Int, _ line: String) -> HostileHead {
        HostileHead(name, status, "\(line)\r\nHost: a\r\n\r\n")
    }

    static let all = requestLines + framings + fieldLines + lineEnds
}

extension HostileHead {
    static let requestLines: [HostileHead] = [
        .start("HTTP/0.9 without a version", 400, "GET /"),
        .start("a method alone", 400, "GET"),
        .start("no method", 400, " / HTTP/1.1"),
        .start("two spaces before the target", 400, "GET  / HTTP/1.1"),
        .start("two spaces before the version", 400, "GET /  HTTP/1.1"),
        .start("a space at the end of the request line", 400, "GET / HTTP/1.1 "),
        .start("a space before the method", 400, " GET / HTTP/1.1"),
        .start("a tab for a space", 400, "GET\t/ HTTP/1.1"),
        .start("a method that is no token", 400, "G(T / HTTP/1.1"),
        .start("a method beyond ASCII", 400, "GÉT / HTTP/1.1"),
        .start("a space in the target", 400, "GET /a b HTTP/1.1"),
        .start("a tab in the target", 400, "GET /a\tb HTTP/1.1"),
        .start("a fragment in the target", 400, "GET /a#b HTTP/1.1"),
        .start("NUL in the target", 400, "GET /a\0b HTTP/1.1"),
        .start("DEL in the target", 400, "GET /a\u{7F}b HTTP/1.1"),
        .start("a target beyond ASCII", 400, "GET /é HTTP/1.1"),
        .start("a relative target", 400, "GET a HTTP/1.1"),
        .start("a query for a target", 400, "GET ?a HTTP/1.1"),
        .start("the authority form", 400, "GET a:443 HTTP/1.1"),
        .start("CONNECT", 501, "CONNECT a:443 HTTP/1.1"),
        .start("an asterisk without OPTIONS", 400, "GET * HTTP/1.1"),
        .start("more than an asterisk", 400, "OPTIONS *a HTTP/1.1"),
        .start("another scheme", 400, "GET ftp://a/ HTTP/1.1"),
        .start("an absolute target without a host", 400, "GET http:///a HTTP/1.1"),
        .start("user information in the target", 400, "GET http://u:p@a/ HTTP/1.1"),
        .start("the version in small letters", 400, "GET / http/1.1"),
        .start("a version without a minor", 400, "GET / HTTP/1"),
        .start("a version with two minor digits", 400, "GET / HTTP/1.10"),
        .start("a version with a sign", 400, "GET / HTTP/+.1"),
        .start("HTTP/0.9 by name", 505, "GET / HTTP/0.9"),
        .start("HTTP/1.2", 505, "GET / HTTP/1.2"),
        .start("HTTP/3.0", 505, "GET / HTTP/3.0"),
        HostileHead("the preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        HostileHead("three empty lines first", 400, "\r\n\r\n\r\nGET / HTTP/1.1\r\n"),
        HostileHead("a TLS greeting", 400, [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3]),
    ]

    static let framings: [HostileHead] = [
        .lines("both framings", 400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        .lines("both framings, reversed", 400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        .lines("an unknown coding and a length", 400, "Transfer-Encoding: x\r\nContent-Length: 5"),
        .lines("a repeated length", 400, "Content-Length: 5\r\nContent-Length: 5"),
        .lines("two lengths", 400, "Content-Length: 5\r\ncontent-length: 6"),
        .lines("a list of lengths", 400, "Content-Length: 5, 5"),
        .lines("an empty length", 400, "Content-Length:"),
        .lines("a negative length", 400, "Content-Length: -1"),
        .lines("a length with a plus", 400, "Content-Length: +1"),
        .lines("a hexadecimal length", 400, "Content-Length: 0x10"),
        .lines("a length with a space", 400, "Content-Length: 1 0"),
        .lines("a length with a fraction", 400, "Content-Length: 1.0"),
        .lines("a length of Int.max plus one", 400, "Content-Length: 9223372036854775808"),
        .lines("a length of thirty digits", 400, "Content-Length: 123456789012345678901234567890"),
        .lines("a length in other digits", 400, "Content-Length: ١"),
        .lines("another coding", 501, "Transfer-Encoding: gzip"),
        .lines("identity", 501, "Transfer-Encoding: identity"),
        .lines("stacked codings", 501, "Transfer-Encoding: gzip, chunked"),
        .lines("chunked twice", 501, "Transfer-Encoding: chunked, chunked"),
        .lines(
            "chunked twice in two", 501,
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        .lines("chunked, then more", 501, "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip"),
        .lines("more, then chunked", 501, "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
        .lines("a coding with parameters", 501, "Transfer-Encoding: chunked;a=b"),
        .lines("a quoted coding", 501, "Transfer-Encoding: \"chunked\""),
        .lines("an empty coding", 501, "Transfer-Encoding:"),
        .lines("another expectation", 417, "Expect: 200-ok"),
        .lines("an expectation with more", 417, "Expect: 100-continue, x"),
        HostileHead(
            "a coding in HTTP/1.0", 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        HostileHead("no Host", 400, "GET / HTTP/1.1\r\nA: b\r\n\r\n"),
        HostileHead("no headers at all", 400, "GET / HTTP/1.1\r\n\r\n"),
        .lines("Host twice", 400, "host: a"),
        HostileHead("Host twice in 1.0", 400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        HostileHead("two hosts", 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        HostileHead("a Host with a path", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        HostileHead("a Host with a user", 400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    ]

    static let fieldLines: [HostileHead] = [
        .lines("a space before the colon", 400, "Content-Length : 5"),
        .lines("a tab before the colon", 400, "Content-Length\t: 5"),
        .lines("a space in a name", 400, "Content Length: 5"),
        .lines("a name that is no token", 400, "A(b): c"),
        .lines("a name beyond ASCII", 400, "É: c"),
        .lines("a slash in a name", 400, "A/B: c"),
        .lines("a bracket in a name", 400, "[A]: c"),
        .lines("an empty name", 400, ": c"),
        .lines("no colon", 400, "Abc"),
        .lines("a folded line", 400, "A: b\r\n c"),
        .lines("a line folded with a tab", 400, "A: b\r\n\tTransfer-Encoding: chunked"),
        .lines("a line of spaces", 400, "  "),
        HostileHead("a folded first line", 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        .lines("NUL in a value", 400, "A: b\0c"),
        .lines("NUL in a name", 400, "A\0: c"),
        .lines("an escape in a value", 400, "A: \u{1B}[0m"),
        .lines("a vertical tab around a value", 400, "Transfer-Encoding: \u{B}chunked"),
        .lines("a form feed in a value", 400, "A: b\u{C}"),
        .lines("DEL in a value", 400, "A: b\u{7F}c, and more than eight bytes"),
    ]

    static let lineEnds: [HostileHead] = [
        .lines("CR within a value", 400, "A: b\rC: d"),
        .lines("CR at the end of a value", 400, "A: b\r"),
        .lines("LF within a value", 400, "A: b\nC: d"),
        .lines("CR in a name", 400, "A\rB: c"),
        .lines("CR before a colon", 400, "A\r: c"),
        .start("LF in the request line", 400, "GET / HTTP/1.1\nA: b"),
        .start("CR in the request line", 400, "GET /\r HTTP/1.1"),
        HostileHead("lines that end with LF", 400, "GET / HTTP/1.1\nHost: a\n\n"),
        HostileHead("lines that end with CR", 400, "GET / HTTP/1.1\rHost: a\r\r"),
        HostileHead("a head that ends with LF", 400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        HostileHead("a head that ends with CR CR", 400, "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"),
        HostileHead("LF first", 400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        HostileHead("CR first", 400, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]
}
