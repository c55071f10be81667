// How a frame is learned from a chunk.

extension ChunkFrame {
    /// What stands around a data line's content where servers send events as they all do.
    static let eventStart = Array("data: ".utf8)
    static let eventEnd = Array("\n\n".utf8)

    /// Values that change from chunk to chunk and that nobody reads: what OpenAI and Mistral fill
    /// with noise of varying length.
    private static let noiseKeys = ["obfuscation", "p"].map { Array($0.utf8) }
    /// Other names under which some servers send the same string once more.
    private static let aliasKeys = ["reasoning", "reasoning_content", "text"].map {
        Array($0.utf8)
    }
    private static let usageKey = Array("usage".utf8)

    /// Remembers an event whose data is `chunk`; the chunk's string lies at `content`, quotes not
    /// included.
    ///
    /// `readsUsage` says that the chunk has a `usage` object of its own.
    init(_ chunk: [UInt8], content: Range<Int>, target: Target, readsUsage: Bool) {
        var learner = Learner(chunk: chunk, content: content, readsUsage: readsUsage)
        learner.literals = Self.eventStart + chunk[..<content.lowerBound]
        learner.add(.content)
        learner.learn()
        learner.literals += Self.eventEnd
        learner.add(.end)
        self.init(target: target, literals: learner.literals, parts: learner.parts)
    }

    /// Walks through what stands behind the content and looks for values that vary.
    private struct Learner {
        let chunk: [UInt8]
        let content: Range<Int>
        let readsUsage: Bool
        var literals: [UInt8] = []
        var parts: [Part] = []
        /// Everything before it is in the frame.
        private var copied: Int

        init(chunk: [UInt8], content: Range<Int>, readsUsage: Bool) {
            self.chunk = chunk
            self.content = content
            self.readsUsage = readsUsage
            copied = content.upperBound
        }

        mutating func add(_ hole: Hole) { parts.append(Part(end: literals.count, hole: hole)) }

        /// Ends the literal piece before `start` and goes on behind the hole.
        private mutating func cut(_ hole: Hole, at range: Range<Int>) {
            literals += chunk[copied..<range.lowerBound]
            add(hole)
            copied = range.upperBound
        }

        mutating func learn() {
            var depth = 0
            var place = 0
            while place < chunk.count {
                switch chunk[place] {
                case 0x7b, 0x5b: depth += 1
                case 0x7d, 0x5d: depth -= 1
                case 0x22:
                    let string = place + 1..<end(ofString: place + 1)
                    place = string.upperBound
                    if string.lowerBound > content.upperBound {
                        member(chunk[string], isOutermost: depth == 1, &place)
                    }
                default: break
                }
                place += 1
            }
            literals += chunk[copied...]
        }

        /// Looks at what may be a member's name; leaves `place` at the last byte it has dealt with.
        private mutating func member(
            _ key: ArraySlice<UInt8>, isOutermost: Bool, _ place: inout Int
        ) {
            guard let value = value(behind: key.endIndex + 1) else { return }
            if chunk[value] == 0x7b {
                guard readsUsage, isOutermost, key.elementsEqual(ChunkFrame.usageKey) else {
                    return
                }
                return counts(value, &place)
            }
            guard chunk[value] == 0x22 else { return }
            let string = value + 1..<end(ofString: value + 1)
            place = string.upperBound
            if ChunkFrame.noiseKeys.contains(where: key.elementsEqual) {
                cut(.string, at: string)
            } else if ChunkFrame.aliasKeys.contains(where: key.elementsEqual),
                chunk[string] == chunk[content]
            {
                cut(.repetition, at: string)
            }
        }

        /// The numbers of a `usage` object may be others in the next chunk, its names may not.
        private mutating func counts(_ start: Int, _ place: inout Int) {
            cut(.usageStart, at: start..<start)
            var depth = 0
            place = start
            repeat {
                switch chunk[place] {
                case 0x7b: depth += 1
                case 0x7d: depth -= 1
                case 0x22: place = end(ofString: place + 1)
                case 0x30...0x39:
                    let digits = chunk[place...].prefix { (0x30...0x39).contains($0) }
                    cut(.digits, at: place..<digits.endIndex)
                    place = digits.endIndex - 1
                default: break
                }
                place += 1
            } while depth > 0 && place < chunk.count
            cut(.usageEnd, at: place..<place)
            place -= 1
        }

        /// The quote that ends a string; the chunk is JSON.
        private func end(ofString start: Int) -> Int {
            var place = start
            while place < chunk.count, chunk[place] != 0x22 {
                place += chunk[place] == 0x5c ? 2 : 1
            }
            return min(place, chunk.count)
        }

        /// Where the value begins, when a colon follows; `nil` when what ended was no name.
        private func value(behind end: Int) -> Int? {
            var rest = chunk[end...].drop { $0 == 0x20 }
            guard rest.popFirst() == 0x3a else { return nil }
            rest = rest.drop { $0 == 0x20 }
            return rest.isEmpty ? nil : rest.startIndex
        }
    }
}
