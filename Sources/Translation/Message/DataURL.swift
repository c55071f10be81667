// Pictures and documents inside a request: what they weigh in tokens (translation 6.1).
internal import Bytes
internal import Glibc

/// A `data:` URL in a JSON string.
enum DataURL {
    /// Tokens of a picture whose size cannot be read.
    private static let unknownImage = 1600
    private static let bytesOfPage = 30_000
    private static let tokensOfPage = 1500
    /// The size of a JPEG stands behind its thumbnails and profiles.
    private static let headBytes = 64 * 1024
    private static let mark = Array("data:".utf8)
    private static let comma = Array(";base64,".utf8)

    /// The tokens of the URL that begins at `place`, and where it ends; `nil` when none does.
    static func tokens(
        _ bytes: UnsafeRawBufferPointer, at place: Int
    ) -> (count: Int, end: Int)? {
        guard let base = bytes.baseAddress, bytes.count - place > mark.count,
            unsafe memcmp(base + place, mark, mark.count) == 0,
            let quote = unsafe memchr(base + place, 0x22, bytes.count - place)
        else { return nil }
        let end = unsafe UnsafeRawPointer(quote) - base
        let url = unsafe bytes[place..<end]
        let start = unsafe Array(url.prefix(100))
        guard let head = start.range(ofBytes: comma) else { return nil }
        if start.starts(with: "data:application/pdf".utf8) {
            let pages = 1 + (end - place) / 4 * 3 / bytesOfPage
            return (pages * tokensOfPage, end)
        }
        let picture =
            unsafe Base64.decoded(
                url.dropFirst(head.upperBound).prefix(headBytes), skipsOthers: true) ?? []
        guard let size = ImageSize(picture) else { return (unknownImage, end) }
        return (size.tokens, end)
    }
}

/// Width and height of a picture.
struct ImageSize: Equatable {
    var width: Int
    var height: Int

    /// Reads the size from the beginning of a PNG, JPEG or GIF.
    init?(_ bytes: [UInt8]) {
        func big(_ place: Int) -> Int { Int(bytes[place]) << 8 | Int(bytes[place + 1]) }
        func little(_ place: Int) -> Int { Int(bytes[place + 1]) << 8 | Int(bytes[place]) }
        if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]), bytes.count >= 24 {
            (width, height) = (big(16) << 16 | big(18), big(20) << 16 | big(22))
        } else if bytes.starts(with: "GIF8".utf8), bytes.count >= 10 {
            (width, height) = (little(6), little(8))
        } else if bytes.starts(with: [0xff, 0xd8]) {
            var place = 2
            // Segments, each with its length, up to the one that begins the frame.
            while place + 9 < bytes.count, bytes[place] == 0xff {
                let kind = bytes[place + 1]
                if (0xc0...0xcf).contains(kind), ![0xc4, 0xc8, 0xcc].contains(kind) {
                    (height, width) = (big(place + 5), big(place + 7))
                    return
                }
                place += 2 + max(2, big(place + 2))
            }
            return nil
        } else {
            return nil
        }
    }

    /// By tiles of 512 pixels, as OpenAI counts them; no picture is sent larger than 2048.
    var tokens: Int {
        func tiles(_ pixels: Int) -> Int { (min(max(pixels, 1), 2048) + 511) / 512 }
        return tiles(width) * tiles(height) * 170 + 85
    }
}
