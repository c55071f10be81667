// Words in the midst of bytes.

extension ArraySlice<UInt8> {
    /// Where some bytes first stand; `nil` where they do not, and for none at all.
    ///
    /// The library's `firstRange(of:)` allocates with each byte that it compares.
    package func range(ofBytes words: [UInt8]) -> Range<Int>? {
        guard let first = words.first, words.count <= count else { return nil }
        let (text, rest) = (span, words.span)
        for place in 0...(text.count - rest.count) where text[place] == first {
            var length = 1
            while length < rest.count, text[place + length] == rest[length] { length += 1 }
            if length == rest.count {
                return startIndex + place..<startIndex + place + length
            }
        }
        return nil
    }
}

extension [UInt8] {
    /// Where some bytes first stand; `nil` where they do not, and for none at all.
    package func range(ofBytes words: [UInt8]) -> Range<Int>? { self[...].range(ofBytes: words) }
}
