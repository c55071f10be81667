// Which traces go on, and as what.
import Testing

@testable import Proxy

private let trace = "0af7651916cd43dd8448eb211c80319c"
private let valid = "00-\(trace)-b7ad6b7169203331-01"
/// With its type, as the argument of a macro its own is more than Swift 6.2 can find in time.
private let invalid: [[String]] = [
    [], [valid, valid], [""], ["ff" + valid.dropFirst(2)], [valid + "-00"], [valid + "-"],
    [valid.uppercased()], [" " + valid], ["0" + valid], [String(valid.dropLast())],
    [valid + "0"], ["00-\(String(repeating: "0", count: 32))-b7ad6b7169203331-01"],
    ["00-\(trace)-0000000000000000-01"], ["00-\(trace)-b7ad6b716920333g-01"],
    ["00-\(trace)-b7ad6b7169203331-0g"], ["00-\(trace)-b7ad6b7169203331"],
    ["00-\(trace)b7ad6b7169203331-01-"], ["0x-\(trace)-b7ad6b7169203331-01"],
    ["00_\(trace)_b7ad6b7169203331_01"],
]

@Suite struct TraceContextTests {
    @Test func aValidParentIsFollowedByUs() {
        let context = TraceContext(parents: [valid], states: ["a=1,b=2"])
        #expect(context?.traceID == trace)
        #expect(
            context?.lines(spanID: 0xabc) == [
                "traceparent: 00-\(trace)-0000000000000abc-01", "tracestate: a=1,b=2",
            ])
    }

    @Test func aSpanIsNeverAllZero() {
        let lines = TraceContext(parents: [valid], states: [])?.lines(spanID: 0)
        #expect(lines == ["traceparent: 00-\(trace)-0000000000000001-01"])
    }

    @Test(arguments: ["00", "01", "03", "ff"])
    func flagsOfOurVersionStay(flags: String) {
        let context = TraceContext(parents: [valid.dropLast(2) + flags], states: [])
        #expect(context?.lines(spanID: .max).first?.hasSuffix("-ffffffffffffffff-\(flags)") == true)
    }

    @Test(arguments: [("03", "01"), ("02", "00")])
    func ofALaterVersionOnlyTheSampledFlagIsKnown(flags: String, expected: String) {
        let parent = "cc-\(trace)-b7ad6b7169203331-\(flags)"
        for rest in ["", "-", "-What the future brings"] {
            let lines = TraceContext(parents: [parent + rest], states: [])?.lines(spanID: 1)
            #expect(lines == ["traceparent: 00-\(trace)-0000000000000001-\(expected)"])
        }
        #expect(TraceContext(parents: [parent + ".x"], states: []) == nil)
    }

    @Test func severalStatesAreOneList() {
        let context = TraceContext(parents: [valid], states: ["a=1", "b=2"])
        #expect(context?.lines(spanID: 1).last == "tracestate: a=1,b=2")
    }

    @Test(arguments: invalid)
    func anythingElseIsNoTrace(parents: [String]) {
        #expect(TraceContext(parents: parents, states: ["a=1"]) == nil)
    }
}
