// Counting tokens without a tokenizer (translation 6.1); `scripts/tokens` compares with real ones.
import Testing

@testable import Translation

private func estimate(_ text: String) -> Int {
    let bytes = Array(text.utf8)
    return TokenEstimator.estimate([bytes[...]]).tokens
}

/// The beginning of a picture, by the sizes that stand in it.
private func png(_ width: UInt8, _ height: UInt8) -> [UInt8] {
    [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
        + [0, 0, width, 0, 0, 0, height, 0]
}

@Suite struct TokenEstimatorTests {
    /// What o200k counts, give or take a quarter: short texts vary more than long ones.
    @Test(arguments: [
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("func parse(_ text: String) throws -> Document {", 11),
        ("人工智能正在改变软件开发的方式。", 10), ("Москва является столицей России.", 7),
        (#"{"name":"get_weather","city":"Paris"}"#, 11), ("2026-11-25T17:30:01.123Z", 14),
    ])
    func estimatesAreNear(text: String, tokens: Int) {
        let found = estimate(text)
        #expect(abs(found - tokens) <= max(2, tokens / 4), "\(text): \(found)")
    }

    @Test func thereIsAlwaysOne() {
        #expect(estimate("") == 1)
        #expect(TokenEstimator.estimate([]).tokens == 1)
    }

    @Test func piecesAddUp() {
        let bytes = Array("one camelCase word, and\n    12345 日本 😀 \"quoted\"".utf8)
        let whole = TokenEstimator.estimate([bytes[...]]).tokens
        for place in bytes.indices {
            let parts = TokenEstimator.estimate([bytes[..<place], bytes[place...]]).tokens
            #expect(abs(parts - whole) <= 1)
        }
    }

    /// An agent's arguments are JSON in a string: their escapes are no text.
    @Test func escapesStandForWhatTheyMean() {
        #expect(estimate(#"{\"a\":\"b\\nc\"}"#) == estimate("{\"a\":\"b\nc\"}"))
        #expect(estimate(#"a\nb\nc"#) == estimate("a\nb\nc"))
    }

    @Test func aPictureCountsByItsSize() {
        // 512 x 1024: two tiles.
        let text = "{\"url\":\"data:image/png;base64,\(base64(png(2, 4)))\(more)\"}"
        #expect(abs(estimate(text) - 425) < 8)
        let unknown = "{\"url\":\"data:image/webp;base64,\(more)\"}"
        #expect(abs(estimate(unknown) - 1600) < 8)
        let pdf = "{\"file_data\":\"data:application/pdf;base64,\(more)\"}"
        #expect(abs(estimate(pdf) - 1500 * 2) < 8)
    }

    private var more: String { String(repeating: "QUJD", count: 10_000) }

    private func base64(_ bytes: [UInt8]) -> String {
        Base64.encoded(bytes).map { $0 == "-" ? "+" : $0 == "_" ? "/" : String($0) }.joined()
    }

    @Test func sizesOfPicturesAreRead() {
        #expect(ImageSize(png(2, 4)).map { [$0.width, $0.height] } == [512, 1024])
        #expect(ImageSize(Array("GIF89a".utf8) + [1, 2, 3, 0]).map(\.height) == 3)
        let jpeg: [UInt8] =
            [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 1, 0xff, 0xc2, 0, 17, 8, 2, 0, 3, 0, 3, 1, 1, 1, 1]
        #expect(ImageSize(jpeg).map { [$0.width, $0.height] } == [768, 512])
        for count in jpeg.indices { _ = ImageSize(Array(jpeg[..<count])) }
        #expect(ImageSize([]) == nil)
    }
}
