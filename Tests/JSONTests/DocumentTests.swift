// What is parsed, refused and written back.
import Testing

@testable import JSON

private func document(
    _ text: String, opaque: [StaticString] = ["input_schema", "input"]
) throws -> JSONDocument {
    try JSONDocument(parsing: Array(text.utf8), opaqueKeys: OpaqueKeys(opaque))
}

private func rewritten(_ text: String) throws -> String {
    var writer = JSONWriter()
    writer.value(try document(text).root)
    return String(decoding: writer.finish().contiguous(), as: UTF8.self)
}

private let long = String(repeating: "long enough to be lifted ", count: 100)

@Suite struct DocumentTests {
    @Test(arguments: [
        "{}", "[]", "0", "-1", "true", "false", "null", #""""#, #"{"a":[1,2,{"b":null}]}"#,
        "0.7", "1e400", "-0", "12345678901234567890", "1E+2", "[0.10,1.10,-0.0]",
        #""~0""#, #"["~","~12","\u0000","\ud83d\ude00","\/"]"#, #"{"k\u0065y":1,"~k":2}"#,
        #"{"input":{ "z" : [1.50, {"a":"\u0000"}] ,"a":[]},"x":"é日本😀"}"#,
        #"{"input_schema":{},"a":{"input":"text"},"b":{"input":null}}"#,
        "\"\(long)\"", "{\"text\":\"\(long)\",\"n\":1}",
    ])
    func whatIsNotTouchedLeavesAsItCame(text: String) throws {
        #expect(try rewritten(text) == text)
    }

    @Test func everyTruncationIsAnErrorAndNoCrash() throws {
        let text =
            #"{"a":[1.5e3,"x\u00e9\ud83d\ude00 \#(long.prefix(60))","#
            + #"{"input":{"b":[true,null]}}],"ü":-12}"#
        let bytes = Array(text.utf8)
        _ = try JSONDocument(parsing: bytes, opaqueKeys: OpaqueKeys(["input"]))
        for count in 0..<bytes.count {
            #expect(throws: JSONError.self, "\(count) bytes") {
                try JSONDocument(
                    parsing: Array(bytes[..<count]), opaqueKeys: OpaqueKeys(["input"]))
            }
        }
    }

    @Test(arguments: [
        "", " ", "{}x", "{}{}", "{a:1}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "01",
        "1.", ".5", "+1", "1e", "- 1", "tru", "nul", "'a'", "\"\u{1}\"", "\"\t\"", "\"\\x\"",
        "\"\\u12g4\"", "\"\\u12\"", "\u{feff}{}", "[1 2]", "{\"a\":1 \"b\":2}", "]", "}", "[}",
        "{]",
        #"{"input":{"a":01}}"#, #"{"input":{"a" 1}}"#, #"{"input":[1,]}"#, #"{"input":{,}}"#,
        #"{"input":}"#, #"{"input":tru}"#, #"{"input":{"a":1]}"#, #"{"input":"\q"}"#, "é", "NaN",
        "{}\0", "{}\0]]", "\0", "{\0}", "[1]\0,", "true\0x",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: JSONError.self) { try document(text) }
    }

    @Test(
        arguments: [
            [0x22, 0x80, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
            [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22], [0x22, 0xff, 0x22],
            [0x22, 0xf0, 0x8f, 0xbf, 0xbf, 0x22],
        ] as [[UInt8]])
    func invalidUTF8IsRefusedWhereverItStands(literal: [UInt8]) {
        let padding = Array(repeating: UInt8(ascii: "a"), count: 50)
        for count in 0..<17 {
            var text = literal
            text.insert(contentsOf: padding.prefix(count), at: 1)
            #expect(throws: JSONError.self) { try JSONDocument(parsing: text) }
        }
    }

    @Test func errorsNameAPlaceInTheSource() {
        let text = "{\"text\":\"\(long)\",\"a\":tru}"
        do {
            _ = try document(text)
            Issue.record("parsed")
        } catch let error as JSONError {
            guard case .syntax(_, let offset) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(abs(offset - (text.utf8.count - 1)) <= 5)
        } catch { Issue.record("\(error)") }
    }

    @Test func nestingHasALimit() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try document(nested(512))
        #expect(throws: JSONError.tooDeep(offset: 512)) { try document(nested(513)) }
        _ = try document(#"{"input":\#(nested(511))}"#)
        #expect(throws: JSONError.self) { try document(#"{"input":\#(nested(512))}"#) }
    }

    @Test func loneSurrogatesLeaveAsTheReplacementCharacter() throws {
        #expect(
            try rewritten(#"["\ud800x","\udc00","\ud83d\ude00"]"#)
                == #"["\#u{fffd}x","\#u{fffd}","\ud83d\ude00"]"#)
        #expect(try rewritten(#"{"input":{"a":"x\ud800"}}"#) == #"{"input":{"a":"x\#u{fffd}"}}"#)
        #expect(try document(#""\ud800\ud800\udc00""#).root.text?.string == "\u{fffd}\u{10000}")
    }

    @Test func valuesAreReadInTheirKinds() throws {
        let root = try document(
            #"{"t":"te\nxt","i":42,"f":2.5,"b":true,"n":null,"a":[1,"2"],"o":{"p":1},"big":1e3}"#
        ).root
        #expect(root["t"]?.text?.string == "te\nxt")
        #expect(root["i"]?.integer == 42)
        #expect(root["f"]?.double == 2.5)
        #expect(root["f"]?.integer == nil)
        #expect(root["b"]?.bool == true)
        #expect(root["n"]?.isNull == true)
        #expect(root["a"]?.elements.map(\.kind) == [.number, .string])
        #expect(root["o"]?["p"]?.integer == 1)
        #expect(root["missing"] == nil)
        #expect(root["big"]?.kind == .number)
        #expect(root.members.map { $0.key.string } == ["t", "i", "f", "b", "n", "a", "o", "big"])
    }

    @Test func escapedKeysAreFoundAndTheLastOfANameWins() throws {
        let root = try document(#"{"mod\u0065l":"x","a":1,"a":2}"#).root
        #expect(root["model"]?.text?.string == "x")
        #expect(root["a"]?.integer == 2)
    }

    @Test func opaqueValuesKeepTheirKindAndTheirBytes() throws {
        let root = try document(
            #"{"input":{"a": 1.0},"b":{"input":"s"},"c":{"input":[1]},"d":{"input":null}}"#
        ).root
        #expect(root["input"]?.kind == .object)
        #expect(root["b"]?["input"]?.text?.string == "s")
        #expect(root["c"]?["input"]?.kind == .array)
        #expect(root["d"]?["input"]?.isNull == true)
        let members = try #require(root["input"]?.slice?.members)
        #expect(members.count == 1)
        #expect(members[0].key.isString("a"))
        #expect(
            String(decoding: members[0].value.source[members[0].value.range], as: UTF8.self)
                == "1.0")
    }

    /// The scan looks at sixteen and thirty-two bytes at once: nothing may hide at their edges.
    @Test(arguments: [#"\n"#, #"\""#, #"\\"#, #"\/"#, #"\u00e9"#, "é", "日"])
    func anythingMayStandAnywhereInAString(what: String) throws {
        for place in 0..<100 {
            let (left, right) = (
                String(repeating: "l", count: place), String(repeating: "r", count: 100 - place)
            )
            let text = try #require(
                document("[\"\(left)\(what)\(right)\",1]").root.elements[0].text)
            #expect(text.hasEscape == what.hasPrefix(#"\"#))
            #expect(text.count == 100 + what.utf8.count)
            for bad in ["\u{1}", #"\x"#, #"""#] {
                #expect(throws: JSONError.self) { try document("[\"\(left)\(bad)\(right)\",1]") }
            }
        }
    }

    @Test func aThreeMegabyteStringIsNotCopied() throws {
        let text = "{\"a\":\"\(String(repeating: "x", count: 3_000_000))\"}"
        var writer = JSONWriter()
        writer.value(try document(text).root)
        let output = writer.finish()
        #expect(output.contiguous() == Array(text.utf8))
        #expect(output.pieces.map(\.count).max() == 3_000_002)
    }

    // MARK: - Names

    @Test func whatIsUnreadIsCheckedAndLeftOut() throws {
        let keys = OpaqueKeys(["input"], unread: ["created", "model"])
        func parsed(_ text: String) throws -> JSONValue {
            try JSONDocument(parsing: Array(text.utf8), opaqueKeys: keys).root
        }
        let root = try parsed(
            #"{"created":[1,{"a":2}],"a":{"model":"m","b":3},"model":null,"input":{"model":1}}"#)
        #expect(root["created"] == nil && root["model"] == nil && root["a"]?["model"] == nil)
        #expect(root["a"]?["b"]?.integer == 3)
        #expect(root["input"]?.slice?.range.count == #"{"model":1}"#.utf8.count)
        #expect(root.members.map(\.key.string) == ["a", "input"])
        for broken in [
            #"{"created":[1,}"#, #"{"created":tru}"#, #"{"created":"#, #"{"model":"\q"}"#,
            "{\"model\":\(String(repeating: "[", count: 600))",
        ] {
            #expect(throws: JSONError.self) { try parsed(broken) }
        }
    }

    /// The filter before the lookup forgets no name, however many share its places.
    @Test func everyNameIsFoundAndNoOther() throws {
        let names: [StaticString] = [
            "", "a", "b", "role", "rolf", "content", "context", "stop", "stub", "tool_calls",
            "tool_falls", "system", "metadata", "thinking", "max_tokens", "mix_tokens",
        ]
        for present in names {
            let root = try document("{\"\(present)\":1,\"\(present)x\":2}", opaque: []).root
            for name in names {
                #expect((root[name]?.integer == 1) == (name.description == present.description))
            }
        }
        let many = (0..<2000).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
        let root = try document("{\(many)}", opaque: []).root
        #expect(root["n0"]?.integer == 0 && root["n1999"]?.integer == 1999)
        #expect(root["n2000"] == nil && root["m7"] == nil)
    }

    // MARK: - Memory

    @Test func treesThatLiveTogetherDoNotShareMemory() throws {
        var documents: [JSONDocument?] = []
        for number in 0..<64 {
            let members = (0...number * 8).map { "\"k\($0)\":[\(number),{\"v\":\(number)}]" }
            documents.append(try document("{\(members.joined(separator: ","))}", opaque: []))
            _ = try? document("{\(members.joined(separator: ","))", opaque: [])
            if number % 3 == 0 { documents[number / 2] = nil }
        }
        for (number, document) in documents.enumerated() {
            guard let root = document?.root else { continue }
            #expect(root.members.count == number * 8 + 1)
            #expect(root.members.allSatisfy { $0.value.elements.last?["v"]?.integer == number })
        }
    }
}
