// Strings, escaped and unescaped.
import Foundation
import Testing

@testable import JSON

private func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONEscape.append(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}

@Suite struct EscapeTests {
    @Test func escapedTextDecodesToItself() throws {
        var generator = SystemRandomNumberGenerator()
        let pool: [Unicode.Scalar] = [
            "a", "\"", "\\", "\n", "\u{0}", "\u{1f}", "é", "日", "😀", "\u{2028}", "/",
        ]
        for _ in 0..<300 {
            let scalars = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                pool.randomElement(using: &generator) ?? "a"
            }
            let text = String(String.UnicodeScalarView(scalars))
            let literal = "\"\(escaped(text))\""
            #expect(try JSONDocument(parsing: Array(literal.utf8)).root.text?.string == text)
            let oracle = try JSONSerialization.jsonObject(
                with: Data(literal.utf8), options: .fragmentsAllowed)
            #expect(oracle as? String == text)
        }
    }

    @Test func lineSeparatorsAreEscaped() {
        #expect(escaped("a\u{2028}b\u{2029}c") == #"a\u2028b\u2029c"#)
    }

    @Test(arguments: [
        ("plain", true), (#"a\n\u00e9\ud83d\ude00"#, true), ("日本語 😀", true), ("", true),
        (#"\ud83d"#, false), (#"\ude00"#, false), (#"\x"#, false), ("a\"b", false),
        ("tab\t", false), ("\u{2028}", false), (#"\"#, false), (#"\u12"#, false),
    ])
    func contentIsCleanOrNot(text: String, isClean: Bool) {
        let bytes = Array(text.utf8)
        #expect(bytes.withUnsafeBytes { JSONEscape.isCleanContent($0) } == isClean)
    }

    @Test func theEndOfAnObjectIsFoundAtEverySplit() {
        let text = Array(#"{"a":"}\"{","b":[{}],"c":{"d":1}}tail"#.utf8)
        for split in 0...text.count {
            var scanner = JSONObjectScanner()
            let first = scanner.feed(text[..<split])
            let second = scanner.feed(text[split...])
            #expect(first + second == text.count - 4)
            #expect(scanner.isComplete)
        }
    }

    @Test func jsonInsideAStringIsQuotedOnce() throws {
        let source = #"{"input":{"b":1,"a":1.10,"t":"x\n\"y\""}}"#
        let document = try JSONDocument(
            parsing: Array(source.utf8), opaqueKeys: OpaqueKeys(["input"]))
        let slice = try #require(document.root["input"]?.slice)
        var writer = JSONWriter()
        writer.beginString()
        writer.part(quoting: slice)
        writer.endString()
        let literal = writer.finish().contiguous()
        #expect(
            try JSONDocument(parsing: literal).root.text?.string
                == #"{"b":1,"a":1.10,"t":"x\n\"y\""}"#)
    }
}
