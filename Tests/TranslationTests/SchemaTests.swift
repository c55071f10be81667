// Schemas of tools: references, and what a hostile one may cost (translation 2.8).
import Foundation
import JSON
import Testing

@testable import Translation

/// The `parameters` that a tool with a schema goes upstream with.
private func parameters(_ schema: String, _ dialect: Dialect = .gemini) throws -> String {
    let body = request(
        #"{"role":"user","content":"x"}"#,
        #","tools":[{"name":"f","input_schema":\#(schema)}]"#)
    let chat = try translate(body, dialect: dialect).chat
    let start = try #require(chat.range(of: #""parameters":"#)).upperBound
    let end = try #require(chat.range(of: #"}}],"max_tokens""#)).lowerBound
    return String(chat[start..<end])
}

@Suite struct SchemaTests {
    @Test func aReferenceIsWrittenOut() throws {
        let schema =
            ##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"$ref":"#/$defs/A"},"##
            + ##""c":{"$ref":"#/elsewhere"}},"$defs":{"A":{"type":"string"}}}"##
        #expect(
            try parameters(schema) == #"{"type":"object","properties":{"a":{"type":"string"},"#
                + #""b":{"type":"string"},"c":{}}}"#)
    }

    @Test func aRecursionEndsWhereItBegins() throws {
        let schema =
            ##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"##
            + ##""type":"object","properties":{"x":{"$ref":"#/$defs/A"},"##
            + ##""y":{"$ref":"#/$defs/A"}}}}}"##
        #expect(
            try parameters(schema) == #"{"type":"object","properties":{"a":{"type":"object","#
                + #""properties":{"x":{},"y":{}}}}}"#)
    }

    /// Each of a few definitions has many references to the next.
    @Test func fewBytesDoNotBecomeMany() throws {
        let definitions = (0..<8).map { level in
            let properties = (0..<20).map { ##""p\##($0)":{"$ref":"#/$defs/D\##(level + 1)"}"## }
            return
                #""D\#(level)":{"type":"object","properties":{"#
                + properties.joined(separator: ",") + "}}"
        }
        let schema =
            ##"{"type":"object","properties":{"a":{"$ref":"#/$defs/D0"}},"$defs":{"##
            + definitions.joined(separator: ",") + #","D8":{"type":"string"}}}"#
        let written = try parameters(schema)
        #expect(written.utf8.count < 3 << 20)
        #expect(throws: Never.self) {
            try JSONSerialization.jsonObject(with: Data(written.utf8))
        }
    }

    @Test func referencesOfAllToolsShareTheirRoom() throws {
        let definition = #"{"type":"string","enum":["\#(String(repeating: "x", count: 1000))"]}"#
        let properties = (0..<100).map { ##""p\##($0)":{"$ref":"#/$defs/A"}"## }
        let tools = (0..<20).map { tool in
            #"{"name":"f\#(tool)","input_schema":{"type":"object","properties":{"#
                + properties.joined(separator: ",") + #"},"$defs":{"A":\#(definition)}}}"#
        }
        let body = request(
            #"{"role":"user","content":"x"}"#, #","tools":[\#(tools.joined(separator: ","))]"#)
        #expect(try translate(body, dialect: .gemini).chat.utf8.count < 3 << 20)
    }

    @Test(arguments: ["definitions", "$defs"])
    func aRootThatIsAReferenceIsWhatItMeans(group: String) throws {
        let schema =
            ##"{"$schema":"x","$ref":"#/\##(group)/X","\##(group)":{"X":{"type":"object","##
            + #""properties":{"a":{"type":"integer"}},"required":["a"]}}}"#
        #expect(
            try parameters(schema)
                == #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#)
    }

    @Test(arguments: [
        ##"{"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/A"}}}"##, ##"{"$ref":"#/$defs/A"}"##,
    ])
    func aRootThatMeansNothingIsAnObject(schema: String) throws {
        #expect(try parameters(schema) == #"{"type":"object","properties":{}}"#)
    }

    @Test func manyBranchesAreJoinedInTime() throws {
        let branches = (0..<2000).map {
            #"{"type":"object","properties":{"p\#($0)":{}},"required":["p\#($0)"]}"#
        }
        let schema = #"{"allOf":[\#(branches.joined(separator: ","))]}"#
        let time = try ContinuousClock().measure { _ = try parameters(schema, .vllm) }
        #expect(time < .seconds(20))
    }

    @Test func aDialectOfSchemasIsNamedNowhere() throws {
        let schema =
            #"{"$schema":"s","$id":"i","$comment":"c","type":"object","properties":{"a":{"#
            + #""$schema":"s","$id":"i","$comment":"c","type":"string"},"$id":{"type":"string"}}}"#
        #expect(
            try parameters(schema, .groq)
                == #"{"type":"object","properties":{"a":{"type":"string"},"#
                + #""$id":{"type":"string"}}}"#
        )
        #expect(
            try parameters(schema, .vllm)
                == #"{"$id":"i","$comment":"c","type":"object","properties":{"a":{"$id":"i","#
                + #""$comment":"c","type":"string"},"$id":{"type":"string"}}}"#)
    }
}
