// Ids that we hand out: messages, tool calls, requests.

/// Makes ids like `msg_` and 24 characters of base 62; deterministic from its seed, so that this
/// module draws no random numbers of its own.
package struct IdentifierMint: Sendable {
    private var state: (UInt64, UInt64)

    /// A mint whose ids follow from the seed; two seeds never meet in practice.
    package init(seed: (UInt64, UInt64)) { state = seed.0 | seed.1 == 0 ? (1, 1) : seed }

    /// A fresh id: prefix, underscore, 24 characters.
    package mutating func next(_ prefix: StaticString) -> String {
        unsafe String(unsafeUninitializedCapacity: prefix.utf8CodeUnitCount + 25) { buffer in
            var count = 0
            for index in 0..<prefix.utf8CodeUnitCount {
                unsafe buffer[count] = unsafe prefix.utf8Start[index]
                count += 1
            }
            unsafe buffer[count] = UInt8(ascii: "_")
            count += 1
            var random: UInt64 = 0
            for index in 0..<24 {
                if index % 10 == 0 { random = word() }
                // A word is a fraction of one, and its next digit what is whole of 62 times that.
                let digit = random.multipliedFullWidth(by: 62)
                random = digit.low
                unsafe buffer[count] = unsafe Self.digits.utf8Start[Int(digit.high)]
                count += 1
            }
            return count
        }
    }

    /// A mint of its own, for what goes on beside this one.
    package mutating func forked() -> IdentifierMint { IdentifierMint(seed: (word(), word())) }

    private static let digits: StaticString =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    /// xoroshiro128+ (Blackman and Vigna): enough to keep ids apart, no secret.
    private mutating func word() -> UInt64 {
        var (a, b) = state
        let result = a &+ b
        b ^= a
        a = (a << 24 | a >> 40) ^ b ^ (b << 16)
        b = b << 37 | b >> 27
        state = (a, b)
        return result
    }
}
