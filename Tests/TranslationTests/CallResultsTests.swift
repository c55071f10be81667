// Results that are dealt out to the calls they answer (translation 2.5).
import JSON
import Testing

@testable import Translation

@Suite struct CallResultsTests {
    /// Few calls are compared, many are looked up: both must deal alike.
    @Test(arguments: [0, 30])
    func resultsOfOneIDAreDealtOutInOrder(others: Int) throws {
        let ids = ["a", "b", "a", "c"] + (0..<others).map { "other\($0)" }
        let calls = ids.map { ToolUse(id: $0, upstreamID: $0, name: "f", input: nil) }
        let values = try JSONDocument(parsing: Array("[0,1,2,3,4,5]".utf8)).root.elements
        var results = CallResults(calls)
        for (value, id) in zip(values, ["a", "b", "a", "a", "b", "stray"]) {
            results.deal(value, to: id)
        }
        let dealt = results.values.map { $0.map(\.integer) }
        #expect(dealt[..<4] == [[0], [1, 4], [2, 3], []])
        #expect(dealt[4...].allSatisfy { $0.isEmpty })
        #expect(results.hasCall("c") && !results.hasCall("stray"))
    }
}
