// The keys of clients, compared so that the time it takes tells nothing of them.

/// Keys that clients may present.
struct ClientKeys: Sendable {
    private struct Key: Sendable {
        let bytes: [UInt8]
        let count: Int
    }

    private let keys: [Key]
    /// Every comparison looks at so many bytes, however long the two keys are.
    private let width: Int

    /// Keys that differ from each other or not; none accepts nobody.
    init(_ texts: [String]) {
        let width = max(64, texts.map(\.utf8.count).max() ?? 0)
        self.width = width
        keys = texts.map { Key(bytes: Self.padded($0.utf8, to: width), count: $0.utf8.count) }
    }

    /// Whether a text is one of the keys.
    ///
    /// Each key is compared, and each to its end: neither which one fits, nor how much of one, nor
    /// how long they are can be heard from the time. Only the presented text's own length can.
    func contains(_ text: String) -> Bool {
        let presented = Self.padded(text.utf8, to: width)
        let count = text.utf8.count
        var matches = 0
        for key in keys {
            var difference = key.count ^ count
            for index in 0..<width { difference |= Int(key.bytes[index] ^ presented[index]) }
            matches |= difference == 0 ? 1 : 0
        }
        return matches != 0
    }

    private static func padded(_ text: String.UTF8View, to width: Int) -> [UInt8] {
        var bytes = Array(text.prefix(width))
        bytes.append(contentsOf: repeatElement(0, count: width - bytes.count))
        return bytes
    }
}
