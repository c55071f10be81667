// The memory of what a chunk looks like around its one string.
internal import Glibc
internal import JSON

/// The bytes of a chunk around the string that it brings.
///
/// A streamed chunk mostly differs from the one before only in that string. When the next one has
/// the same frame, no parser needs to see it. Other values that change in every chunk and that
/// nobody reads here, or reads as text (`usage`), are holes of the frame too.
struct ChunkFrame: Sendable {
    /// What the string is.
    enum Target: Equatable, Sendable {
        case text, reasoning
        /// Arguments of the call at a place.
        case arguments(Int)
    }

    /// What stands behind a literal piece of the frame.
    enum Hole: Equatable, Sendable {
        /// The string that the chunk is for.
        case content
        /// The same string again, under another name.
        case repetition
        /// Any string.
        case string
        /// Digits of a count.
        case digits
        /// No hole, but where the `usage` object begins and ends.
        case usageStart, usageEnd
        /// Nothing: the frame ends here.
        case end
    }

    /// A literal piece, by its end in `literals`, and what follows it.
    struct Part: Equatable, Sendable {
        var end: Int
        var hole: Hole
    }

    /// What a chunk with this frame holds, by places in the bytes it was found in.
    struct Match: Equatable {
        var content: Range<Int>
        var usage: Range<Int>?
        /// Behind the chunk.
        var end: Int
    }

    let target: Target
    private let literals: [UInt8]
    private let parts: [Part]

    /// A frame of pieces; `ChunkFrame(_:content:target:usage:)` finds them in a chunk.
    init(target: Target, literals: [UInt8], parts: [Part]) {
        self.target = target
        self.literals = literals
        self.parts = parts
    }

    /// Looks whether an event with this frame begins at `start`.
    ///
    /// What is between the literals is checked: a chunk that matches is JSON.
    func match(_ bytes: Span<UInt8>, at start: Int) -> Match? {
        unsafe bytes.withUnsafeBytes { unsafe find($0, start, in: 0..<literals.count) }
    }

    /// Looks whether an event's data, without what stands around it, has this frame.
    func match(data: Span<UInt8>) -> Match? {
        let range = Self.eventStart.count..<literals.count - Self.eventEnd.count
        let match = unsafe data.withUnsafeBytes { unsafe find($0, 0, in: range) }
        return match?.end == data.count ? match : nil
    }

    private func find(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, in range: Range<Int>
    ) -> Match? {
        unsafe literals.withUnsafeBytes { unsafe find(bytes, start, $0, in: range) }
    }

    private func find(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ literals: UnsafeRawBufferPointer,
        in range: Range<Int>
    ) -> Match? {
        var place = start
        var literal = range.lowerBound
        var content = 0..<0
        var usage: Range<Int>?
        for part in parts {
            let count = min(part.end, range.upperBound) - literal
            guard bytes.count - place >= count,
                unsafe Self.areEqual(bytes, place, literals, literal, count)
            else { return nil }
            place += count
            literal = part.end
            switch part.hole {
            case .content:
                guard let end = unsafe Self.stringEnd(bytes, from: place) else { return nil }
                content = place..<end
                place = end
            case .repetition:
                guard bytes.count - place >= content.count,
                    unsafe Self.areEqual(bytes, place, bytes, content.lowerBound, content.count)
                else { return nil }
                place += content.count
            case .string:
                guard let end = unsafe Self.stringEnd(bytes, from: place) else { return nil }
                place = end
            case .digits:
                guard let end = unsafe Self.digitsEnd(bytes, from: place) else { return nil }
                place = end
            case .usageStart: usage = place..<place
            case .usageEnd: usage = (usage?.lowerBound ?? place)..<place
            case .end: break
            }
        }
        return content.isEmpty ? nil : Match(content: content, usage: usage, end: place)
    }

    @inline(__always)
    private static func areEqual(
        _ a: UnsafeRawBufferPointer, _ placeInA: Int, _ b: UnsafeRawBufferPointer, _ placeInB: Int,
        _ count: Int
    ) -> Bool {
        guard let a = a.baseAddress, let b = b.baseAddress else { return count == 0 }
        return unsafe memcmp(a + placeInA, b + placeInB, count) == 0
    }

    /// The quote that ends a string, when the string may go into another as it is.
    private static func stringEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        // Most strings are plain: one look finds their end and that nothing else is in them.
        let special = JSONEscape.firstSpecial(bytes, from: start)
        guard let base = bytes.baseAddress, special < bytes.count else { return nil }
        if unsafe bytes[special] == 0x22 { return special }
        var from = special
        while from < bytes.count {
            guard let found = unsafe memchr(base + from, 0x22, bytes.count - from) else {
                return nil
            }
            let quote = unsafe UnsafeRawPointer(found) - base
            var slashes = 0
            while quote - slashes > start, unsafe bytes[quote - slashes - 1] == 0x5c {
                slashes += 1
            }
            guard slashes % 2 == 0 else {
                from = quote + 1
                continue
            }
            let content = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<quote])
            return JSONEscape.isCleanContent(content) ? quote : nil
        }
        return nil
    }

    /// The end of a number without sign, fraction and needless zeros.
    private static func digitsEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var end = start
        while end < bytes.count, unsafe (0x30...0x39).contains(bytes[end]) { end += 1 }
        guard end > start else { return nil }
        return unsafe end - start > 1 && bytes[start] == 0x30 ? nil : end
    }
}
