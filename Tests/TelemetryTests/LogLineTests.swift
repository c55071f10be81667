// One line of the log is one line, whatever is in it.

import Foundation
import Testing

@testable import Telemetry

private func line(
    isJSON: Bool = true, message: String = "request", _ build: (inout LogLine) -> Void = { _ in }
) -> String {
    var line = LogLine(
        isJSON: isJSON, nanoseconds: 1_763_989_740_123_456_789, level: "info", message: message)
    build(&line)
    return String(decoding: line.finish(), as: UTF8.self)
}

private func object(_ line: String) throws -> [String: Any] {
    let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(parsed as? [String: Any])
}

@Suite struct LogLines {
    @Test func fieldsStandInTheirOrder() {
        let text = line {
            $0.add("route", "messages")
            $0.add("status", 200)
            $0.add("stream", true)
            $0.add("ttft_ms", milliseconds: 12_034_567)
            $0.add("empty", "")
            $0.add("nothing", nil as Int?)
            $0.add("later", milliseconds: nil)
        }
        #expect(
            text == #"{"ts":"2025-11-24T13:09:00.123Z","level":"info","msg":"request","#
                + #""route":"messages","status":200,"stream":true,"ttft_ms":12.034}"# + "\n")
    }

    @Test func textIsForAPerson() {
        let text = line(isJSON: false, message: "listening on\n0.0.0.0") {
            $0.add("model", "gpt 5\" x=1\n")
            $0.add("status", 200)
            $0.add("route", "messages")
        }
        #expect(
            text == "2025-11-24T13:09:00.123Z info listening on 0.0.0.0 "
                + #"model="gpt 5\" x=1 " status=200 route=messages"# + "\n")
    }

    @Test(arguments: [
        "plain", "\"}\n{\"level\":\"error\"", "\\", "\\\"", "tab\tnul\0esc\u{1B}del\u{7F}",
        "naïve 漢字 🧵", "\u{2028}\u{FEFF}", "\r\n\r\n",
    ])
    func namesOfModelsCannotBreakTheLine(model: String) throws {
        let text = line { $0.add("model", model) }
        #expect(text.utf8.filter { $0 == 0x0a }.count == 1)
        let expected = String(
            decoding: model.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }, as: UTF8.self)
        #expect(try object(text)["model"] as? String == expected)
        let plain = line(isJSON: false) { $0.add("model", model) }
        #expect(plain.utf8.filter { $0 < 0x20 }.count == 1)
    }

    @Test(arguments: ["x", "é", "漢", "🧵"])
    func longTextsAreCutBetweenCharacters(character: String) throws {
        for shift in 0..<4 {
            let prefix = String(repeating: "-", count: shift)
            let long = prefix + String(repeating: character, count: 2000)
            let value = try #require(
                try object(line { $0.add("model", long) })["model"] as? String)
            #expect(value.utf8.count <= 1024)
            #expect(value.utf8.count > 1020)
            #expect(long.hasPrefix(value))
        }
    }

    @Test func millisecondsHaveThreeDecimals() {
        let text = line {
            $0.add("a", milliseconds: 0)
            $0.add("b", milliseconds: 1_002_999)
            $0.add("c", milliseconds: 99_000)
        }
        #expect(text.hasSuffix(#""a":0.000,"b":1.002,"c":0.099}"# + "\n"))
    }
}
