// Which answer of an upstream an error was: what the upstream's owner will ask for.
import Testing

@testable import Translation

@Suite struct ErrorOriginTests {
    private func message(_ status: Int, _ text: String, _ headers: [String: String]) -> String {
        UpstreamError.translate(
            status: status, header: { headers["\($0)"] },
            body: Array(#"{"error":{"message":"\#(text)"}}"#.utf8),
            ErrorContext(
                secrets: ["sk-secret-key"], ownsKey: true, model: "m", path: "/v1/chat")
        ).message
    }

    @Test(arguments: [
        (503, "busy", "busy (upstream status 503, request up-1)"),
        (429, "slow down", "slow down (upstream status 429, request up-1)"),
        (500, "no sk-secret-key", "no *** (upstream status 500, request up-1)"),
    ])
    func whatIsTheUpstreamsIsTold(status: Int, text: String, told: String) {
        #expect(message(status, text, ["x-request-id": "up-1"]) == told)
        #expect(message(status, text, ["request-id": "up-1"]) == told)
    }

    @Test(arguments: [(400, "no such field"), (404, "model m"), (413, "too large")])
    func wordsForTheClientStayAsTheyAre(status: Int, text: String) {
        #expect(message(status, text, ["x-request-id": "up-1"]) == text)
    }

    @Test func aRequestThatIsNoNameIsNotTold() {
        let long = String(repeating: "x", count: 129)
        for id in ["", long] {
            #expect(message(503, "busy", ["x-request-id": id]) == "busy (upstream status 503)")
        }
        #expect(!message(503, "busy", ["x-request-id": "sk-secret-key"]).contains("secret"))
    }
}
