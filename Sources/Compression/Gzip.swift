// Decodes gzip, and refuses bombs before they go off.
internal import CZlib

/// A body compressed with gzip (RFC 1952).
///
/// Its last four bytes tell the size of what is in it: that much room is made and not more, and a
/// size that is too large is refused before anything is decoded.
@safe package struct Gzip: Sendable {
    /// Why a body is not decoded.
    package enum Refusal: Error, Equatable {
        /// It is no gzip, is damaged, is cut, or holds something else than its end says.
        case damaged
        /// What is in it is larger than allowed.
        case tooLarge
        /// It is compressed as no text is.
        case bomb
    }

    /// Prose and JSON shrink to a tenth; JSON of one line repeated to a hundredth.
    private static let ratioMax = 200
    /// A body that is small is no bomb, however it was compressed.
    private static let harmlessBytes = 1 << 20
    /// Header, an empty block, and the end.
    private static let bytesMin = 20

    private let bytes: [UInt8]
    /// The size of what is in it, as it says itself.
    package let size: Int

    /// Looks at the ends of a body.
    package init(_ bytes: [UInt8], bytesMax: Int) throws(Refusal) {
        guard bytes.count >= Self.bytesMin, bytes.starts(with: [0x1f, 0x8b, 8]) else {
            throw .damaged
        }
        size = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard size <= bytesMax else { throw .tooLarge }
        guard size <= Self.harmlessBytes || size / bytes.count <= Self.ratioMax else {
            throw .bomb
        }
        self.bytes = bytes
    }

    /// What is in it.
    package func decoded() throws(Refusal) -> [UInt8] {
        var isWhole = false
        let content = unsafe [UInt8](unsafeUninitializedCapacity: size + 1) { room, count in
            guard let start = room.baseAddress else { return }
            isWhole = unsafe bytes.withUnsafeBytes { input in
                guard let first = input.baseAddress else { return false }
                return unsafe czlib_gunzip(first, input.count, start, size) == 0
            }
            if isWhole { count = size }
        }
        guard isWhole else { throw .damaged }
        return content
    }
}
