// The memory of what a chunk looks like around its one string.
internal import Glibc
internal import JSON

/// The bytes of a chunk before and after the string that it brings.
///
/// A streamed chunk mostly differs from the one before only in that string. When the next one has
/// the same frame, the string goes over as it is and no parser runs. `obfuscation`, which OpenAI
/// fills with noise of varying length, is a second hole.
struct ChunkFrame: Sendable {
    let kind: DeltaKind
    private let before: [UInt8]
    private let after: [UInt8]
    /// What stands behind the noise; `nil` without noise.
    private let behindNoise: [UInt8]?

    /// Remembers a chunk whose string content lies at `content`, quotes not included.
    init(_ chunk: [UInt8], content: Range<Int>, kind: DeltaKind) {
        self.kind = kind
        before = Array(chunk[..<content.lowerBound])
        let rest = chunk[content.upperBound...]
        let marker = Array(#""obfuscation":""#.utf8)
        guard let noise = rest.firstRange(of: marker)?.upperBound,
            let end = rest[noise...].firstIndex(of: UInt8(ascii: "\""))
        else {
            after = Array(rest)
            behindNoise = nil
            return
        }
        after = Array(rest[..<noise])
        behindNoise = Array(rest[end...])
    }

    /// Where the string lies in a chunk with this frame, when it can go over as it is.
    func content(in chunk: ArraySlice<UInt8>) -> Range<Int>? {
        unsafe chunk.withUnsafeBytes { bytes in
            let minimum = before.count + after.count + (behindNoise?.count ?? 0)
            guard bytes.count > minimum, unsafe Self.matches(bytes, at: 0, before) else {
                return nil
            }
            let end: Int
            if let behindNoise {
                guard let place = unsafe endBeforeNoise(bytes, behindNoise) else { return nil }
                end = place
            } else {
                end = bytes.count - after.count
                guard unsafe Self.matches(bytes, at: end, after) else { return nil }
            }
            let content = unsafe UnsafeRawBufferPointer(rebasing: bytes[before.count..<end])
            guard unsafe !content.isEmpty, JSONEscape.isCleanContent(content) else { return nil }
            return chunk.startIndex + before.count..<chunk.startIndex + end
        }
    }

    /// The end of the string in a chunk that ends in noise: whatever comes between the known bytes
    /// holds no quote, so it is the inside of one string.
    private func endBeforeNoise(_ bytes: UnsafeRawBufferPointer, _ behind: [UInt8]) -> Int? {
        let noiseEnd = bytes.count - behind.count
        guard unsafe Self.matches(bytes, at: noiseEnd, behind) else { return nil }
        var noise = noiseEnd
        while noise > before.count, unsafe bytes[noise - 1] != 0x22 {
            guard unsafe bytes[noise - 1] != 0x5c else { return nil }
            noise -= 1
        }
        let end = noise - after.count
        guard end > before.count, unsafe Self.matches(bytes, at: end, after) else { return nil }
        return end
    }

    private static func matches(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, _ expected: [UInt8]
    ) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        return unsafe expected.withUnsafeBytes { expected in
            guard let other = expected.baseAddress else { return true }
            return unsafe memcmp(base + offset, other, expected.count) == 0
        }
    }
}
