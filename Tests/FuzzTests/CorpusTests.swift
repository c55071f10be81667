// The corpora of the fuzzer: each input once, then a fixed number of mutations of them.
import Foundation
import FuzzTargets
import Testing

@Suite struct CorpusTests {
    /// A debug build runs a few hundred of these a second.
    private static let mutations = 600

    private func corpus(_ target: FuzzTarget) throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fuzz/Corpus/\(target.rawValue)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
            Array(try Data(contentsOf: folder.appending(path: $0)))
        }
    }

    /// Whatever a target finds wrong ends the process with its sentence.
    @Test(arguments: FuzzTarget.allCases)
    func everyInputKeepsItsPromises(target: FuzzTarget) throws {
        let inputs = try corpus(target)
        #expect(inputs.count > 5)
        for input in inputs {
            target.run(input)
            // The first byte of a stream chooses what it is compared with: here with everything.
            guard target == .stream else { continue }
            for choice: UInt8 in [2, 4, 11] { target.run([choice] + input.dropFirst()) }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func mutatedInputsKeepTheirPromises(target: FuzzTarget) throws {
        let inputs = try corpus(target)
        var random = SplitMix(state: 20_261_125)
        for _ in 0..<Self.mutations {
            var input = inputs.randomElement(using: &random) ?? []
            let other = inputs.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mutate(&input, with: other, &random)
            }
            target.run(input)
        }
    }

    private func mutate(_ input: inout [UInt8], with other: [UInt8], _ random: inout SplitMix) {
        let place = Int.random(in: 0...input.count, using: &random)
        let end = min(input.count, place + Int.random(in: 0...8, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: input.removeSubrange(place..<end)
        case 1: input.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 2 where place < input.count:
            input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 3: input.insert(contentsOf: input[place..<end], at: place)
        case 4: input.removeLast(input.count - place)
        default:
            let start = Int.random(in: 0...other.count, using: &random)
            input.insert(contentsOf: other[start...].prefix(40), at: place)
        }
    }
}

/// A small generator, so that a failure repeats.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
