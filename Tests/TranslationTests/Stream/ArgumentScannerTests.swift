// Following the arguments of a call.
import JSON
import Testing

@testable import Translation

@Suite struct ArgumentScannerTests {
    private static let arguments =
        #"{"a" : "b\"\\\u00e9\n", "c":[1.5e-3,-2,true, {"d":null,"e":false},"f",[]] , "#
        + #""g":{"h":{}},"i":"","j":10}"#

    @Test func everyCutIsClosedAndMarked() throws {
        let whole = Array(Self.arguments.utf8)
        for count in 1..<whole.count {
            var scanner = ArgumentScanner()
            let part = Array(whole[..<count])
            let step = scanner.feed(part.span)
            #expect(step.count == count && !scanner.isComplete)
            let closed = whole[..<count] + scanner.closing
            let text = String(decoding: closed, as: UTF8.self)
            guard let document = try? JSONDocument(parsing: Array(closed)) else {
                Issue.record("\(text)")
                continue
            }
            #expect(document.root["_invalid_arguments"]?.bool == true, "\(text)")
        }
        var scanner = ArgumentScanner()
        let more = whole + [0x7d]
        let step = scanner.feed(more.span)
        #expect(step.count == whole.count && scanner.isComplete)
    }
}
