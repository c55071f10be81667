// How much of a conversation's last request the next one begins with.
import Testing

@testable import Proxy

private func text(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 / 7 &* 31) ^ ($0 >> 5) ^ seed) }
}

private func blocks(_ bytes: [UInt8]) -> [UInt64] {
    PrefixDigest([bytes[...]], upTo: bytes.count).blocks
}

@Suite struct PrefixStabilityTests {
    @Test func piecesMakeNoDifference() {
        let bytes = text(10_000)
        let whole = blocks(bytes)
        #expect(whole.count == 4 && Set(whole).count == 4)
        for place in stride(from: 0, through: bytes.count, by: 37) {
            let pieces = [bytes[..<place], bytes[place...]]
            #expect(PrefixDigest(pieces, upTo: bytes.count).blocks == whole)
        }
        let crumbs = bytes.indices.map { bytes[$0...$0] }
        #expect(PrefixDigest(crumbs, upTo: 9000).blocks == whole)
        #expect(PrefixDigest(crumbs, upTo: 5000).blocks == Array(whole.prefix(2)))
    }

    @Test(arguments: [0, 63, 64, 2047, 2048, 4100, 6143])
    func everyByteCounts(place: Int) {
        let bytes = text(8192)
        var other = bytes
        other[place] ^= 1
        let differing = zip(blocks(bytes), blocks(other)).map { $0 != $1 }
        #expect(differing == (0..<4).map { $0 == place / 2048 })
    }

    @Test func anOrderCounts() {
        let bytes = text(2048)
        #expect(blocks(bytes) != blocks(Array(bytes[64...] + bytes[..<64])))
        #expect(blocks(bytes) != blocks(Array(bytes[1...] + bytes[..<1])))
    }

    @Test func aConversationThatGrowsIsStable() {
        let prefixes = PrefixStability()
        let long = text(40_960)
        #expect(prefixes.note(blocks(Array(long[..<8192])), of: "a", goesOn: false) == nil)
        #expect(prefixes.note(blocks(Array(long[..<20_480])), of: "a", goesOn: true) == 1)
        // Another one of the same session, with the same beginning, does not disturb it.
        let agent = long[..<4096] + text(8192, seed: 9)
        #expect(prefixes.note(blocks(Array(agent)), of: "a", goesOn: false) == nil)
        #expect(prefixes.note(blocks(Array(agent + long)), of: "a", goesOn: true) == 1)
        var changed = long
        changed[10_240] ^= 1
        #expect(prefixes.note(blocks(changed), of: "a", goesOn: true) == 0.5)
        #expect(prefixes.note(blocks(text(9000, seed: 5)), of: "a", goesOn: true) == 0)
        #expect(prefixes.note(blocks(changed), of: "b", goesOn: true) == nil)
    }

    @Test func whoWasNotSeenForLongIsForgotten() {
        let prefixes = PrefixStability()
        let history = blocks(text(8192))
        _ = prefixes.note(history, of: "first", goesOn: false)
        for number in 0..<63 { _ = prefixes.note(history, of: "\(number)", goesOn: false) }
        #expect(prefixes.note(history, of: "first", goesOn: true) == 1)
        _ = prefixes.note(history, of: "one more", goesOn: false)
        #expect(prefixes.note(history, of: "first", goesOn: true) == 1)
        #expect(prefixes.note(history, of: "0", goesOn: true) == nil)
    }

    @Test func shortRequestsTellNothing() {
        let prefixes = PrefixStability()
        #expect(blocks(text(2047)).isEmpty)
        #expect(prefixes.note([], of: "a", goesOn: true) == nil)
        #expect(blocks(text(4 << 20)).count == 1024)
    }
}
