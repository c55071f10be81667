// Words in the midst of bytes: what the library finds, without what it costs.
import Bytes
import Testing

@Suite struct SearchTests {
    @Test func theSamePlacesAreFoundAsByTheLibrary() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            func bytes(_ most: Int) -> [UInt8] {
                (0..<Int.random(in: 0...most, using: &random)).map { _ in
                    UInt8.random(in: 0...1, using: &random)
                }
            }
            let (text, words) = (bytes(30), bytes(5))
            let part = text.dropFirst(2)
            let expected = words.isEmpty ? nil : text.firstRange(of: words)
            #expect(text.range(ofBytes: words) == expected, "\(words) in \(text)")
            let inPart = words.isEmpty ? nil : part.firstRange(of: words)
            #expect(part.range(ofBytes: words) == inPart, "\(words) in \(part)")
        }
    }
}
