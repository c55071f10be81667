// Compressed bodies: what they say they are, or a refusal.
import Compression

enum GzipFuzz {
    static func run(_ bytes: [UInt8]) {
        do throws(Gzip.Refusal) {
            let body = try Gzip(bytes, bytesMax: 1 << 16)
            must(body.size <= 1 << 16, "more than allowed")
            let content = try body.decoded()
            must(content.count == body.size, "another size than it says")
        } catch {
            must(error != .bomb, "a small body is no bomb")
        }
    }
}
