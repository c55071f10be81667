// What a fuzz target reads its choices from, and how it says what is wrong.
import Glibc

/// Bytes of an input, taken from the front for choices; what is left is the payload.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next byte; 0 when there is none.
    mutating func byte() -> Int { Int(rest.popFirst() ?? 0) }

    /// One of some values.
    mutating func pick<Value>(_ values: [Value]) -> Value { values[byte() % values.count] }

    /// Whether the next byte is odd.
    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// The payload.
    var payload: [UInt8] { Array(rest) }

    /// The payload in pieces whose sizes follow from a seed; none is empty.
    func pieces(seed: Int) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var left = rest
        var state = UInt32(truncatingIfNeeded: seed &* 2_654_435_761 | 1)
        while !left.isEmpty {
            state = state &* 1_664_525 &+ 1_013_904_223
            let size = Int(state >> 24) % (seed % 3 == 0 ? 3 : 40) + 1
            pieces.append(left.prefix(size))
            left = left.dropFirst(size)
        }
        return pieces
    }
}

/// Ends the process with a sentence when something that must hold does not.
func must(_ condition: Bool, _ sentence: @autoclosure () -> String) {
    guard !condition else { return }
    broken(sentence())
}

/// Ends the process with a sentence, in optimised builds too.
func broken(_ sentence: String) -> Never {
    print("broken: " + sentence)
    fflush(nil)
    abort()
}
