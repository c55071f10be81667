// SHA-256, for names and ids that must be short, stable and tell nothing.
internal import CCrypto

/// Digests in the forms that names and ids need.
enum Digest {
    /// The digest of a text.
    static func sha256(_ text: String) -> [UInt8] {
        let input = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe input.withUnsafeBytes { bytes in
            unsafe digest.withUnsafeMutableBytes { output in
                guard let target = output.baseAddress else { return }
                unsafe ccrypto_sha256(bytes.baseAddress, bytes.count, target)
            }
        }
        return digest
    }

    /// The first characters of the digest in hexadecimal.
    static func hexadecimal(_ text: String, count: Int) -> String {
        let digits = Array("0123456789abcdef")
        return String(
            sha256(text).prefix((count + 1) / 2).flatMap {
                [digits[Int($0 >> 4)], digits[Int($0 & 15)]]
            }.prefix(count))
    }

    /// Characters of base 62 that follow from the text.
    static func base62(_ text: String, count: Int) -> String {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        return String(sha256(text).prefix(count).map { digits[Int($0) % 62] })
    }
}
