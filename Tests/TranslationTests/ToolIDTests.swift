// Ids of tool calls, of histories in which they repeat (translation 2.6).
import Testing

@testable import Translation

@Suite struct ToolIDTests {
    private func ids(_ ids: [String]) -> [String] {
        var toolIDs = ToolIDs(.atMost40)
        return ids.map { toolIDs.next($0, name: "tool") }
    }

    @Test func anIdThatRepeatsIsNumbered() {
        #expect(ids(["a", "a", "b", "a"]) == ["a", "a_2", "b", "a_3"])
    }

    @Test func aNumberThatIsTakenIsPassedOver() {
        #expect(ids(["a_2", "a", "a", "a_2", "a"]) == ["a_2", "a", "a_3", "a_2_2", "a_4"])
    }

    /// A history of 32 MB may say one id a hundred thousand times: time grows with their number,
    /// not with its square.
    @Test(.timeLimit(.minutes(1))) func oneIdEverywhereIsCheap() {
        let given = ids(Array(repeating: "toolu_1", count: 100_000))
        #expect(given.last == "toolu_1_100000")
        #expect(Set(given).count == given.count)
    }
}
