// The limits of a head, exactly at them and one beyond.

import HTTP
import Testing

@Suite struct HTTPLimitsTests {
    private var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.requestLineBytesMax = 20
        limits.headBytesMax = 60
        limits.headersMax = 3
        return limits
    }

    private func statuses(_ text: String) -> Set<Int> {
        Set(
            outcomes(Array(text.utf8), limits: limits).map {
                switch $0 {
                case .head: 200
                case .incomplete: 0
                case .refused(let error): error.status
                }
            })
    }

    @Test func aRequestLineMayReachItsLimit() {
        #expect(statuses("GET /2345678 HTTP/1.1\r\nHost: a\r\n\r\n") == [414])
        #expect(statuses("GET /234567 HTTP/1.1\r\nHost: a\r\n\r\n") == [200])
        #expect(statuses("\r\n\r\nGET /234567 HTTP/1.1\r\nHost: a\r\n\r\n") == [200])
    }

    @Test func anIncompleteRequestLineIsLimited() {
        #expect(statuses("GET /" + String(repeating: "a", count: 16)) == [0])
        #expect(statuses("GET /" + String(repeating: "a", count: 17)) == [414])
    }

    @Test func aHeadMayReachItsLimit() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        #expect(statuses(start + String(repeating: "b", count: 28) + "\r\n\r\n") == [200])
        #expect(statuses(start + String(repeating: "b", count: 29) + "\r\n\r\n") == [431])
        #expect(statuses(start + String(repeating: "b", count: 28) + "\r\n\rX") == [400])
        #expect(statuses(start + String(repeating: "b", count: 29) + "\r\n\rX") == [431])
    }

    @Test func anIncompleteHeadIsLimited() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        #expect(statuses(start + String(repeating: "b", count: 31)) == [0])
        #expect(statuses(start + String(repeating: "b", count: 32)) == [431])
    }

    @Test func theHeaderCountIsLimited() {
        #expect(statuses("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n") == [200])
        #expect(statuses("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\nE: f\r\n") == [431])
    }

    @Test func aHeadSmallerThanItsRequestLineIsRefused() {
        var limits = HTTPLimits()
        limits.headBytesMax = 4
        let all = outcomes(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), limits: limits)
        #expect(all.allSatisfy { $0 == all[0] })
    }

    @Test func aLargeHeadFedByteByByteIsReadOnce() throws {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "b", count: 65_000)
        var parser = RequestHeadParser(limits: HTTPLimits())
        var buffer: [UInt8] = []
        var heads = 0
        let time = try ContinuousClock().measure {
            for byte in (text + "\r\n\r\n").utf8 {
                buffer.append(byte)
                if try parser.parse(&buffer) != nil { heads += 1 }
            }
        }
        #expect(heads == 1)
        #expect(time < .seconds(2), "A search from the start takes far longer.")
    }
}
