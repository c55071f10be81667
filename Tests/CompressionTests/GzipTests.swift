// What is decoded, and what is refused.
import Testing

@testable import Compression

/// `hello`, as gzip writes it.
private let hello: [UInt8] = [
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36,
    5, 0, 0, 0,
]

private func decode(_ bytes: [UInt8], bytesMax: Int = 100) throws(Gzip.Refusal) -> [UInt8] {
    try Gzip(bytes, bytesMax: bytesMax).decoded()
}

@Suite struct GzipTests {
    @Test func whatWasCompressedComesBack() throws {
        #expect(try decode(hello) == Array("hello".utf8))
        #expect(try decode(hello, bytesMax: 5) == Array("hello".utf8))
    }

    @Test(arguments: [0, 1, 300, 100_000]) func whatIsEncodedComesBack(count: Int) throws {
        let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let gzip = try #require(Gzip.encoded(text))
        #expect(try decode(gzip, bytesMax: count) == text)
        // The head, the code of the bytes and the checksum outweigh what little text saves.
        #expect(count < 1000 || gzip.count < count)
    }

    @Test func nothingMayBeCompressedToo() throws {
        let empty: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(try decode(empty).isEmpty)
    }

    @Test func everyCutIsRefused() {
        for count in 0..<hello.count {
            #expect(throws: Gzip.Refusal.self) { try decode(Array(hello[..<count])) }
        }
    }

    @Test func everyDamagedByteOfTheContentIsRefused() {
        // Time and system in the head (bytes 4 to 9) are nobody's concern.
        for place in hello.indices where !(3...9).contains(place) {
            var bytes = hello
            bytes[place] ^= 0x55
            #expect(throws: Gzip.Refusal.self, "byte \(place)") {
                try decode(bytes, bytesMax: 1000)
            }
        }
    }

    @Test func moreThanOneBodyIsRefused() {
        #expect(throws: Gzip.Refusal.damaged) { try decode(hello + hello) }
        #expect(throws: Gzip.Refusal.self) { try decode(hello + [0]) }
    }

    @Test func whatSaysThatItIsTooLargeIsNotDecoded() {
        #expect(throws: Gzip.Refusal.tooLarge) { try decode(hello, bytesMax: 4) }
    }

    @Test func whatIsSmallerThanItIsIsRefused() {
        var bytes = hello
        bytes[21] = 4
        #expect(throws: Gzip.Refusal.damaged) { try decode(bytes) }
        bytes[21] = 6
        #expect(throws: Gzip.Refusal.damaged) { try decode(bytes) }
    }

    @Test func aBombIsSeenByItsSize() {
        var bytes = hello
        bytes.replaceSubrange(21..., with: [0, 0, 0, 1])
        #expect(throws: Gzip.Refusal.bomb) { try decode(bytes, bytesMax: 1 << 30) }
    }
}
