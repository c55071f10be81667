// Counting tokens without a tokenizer (translation 6.1).

/// Estimates tokens from classes of bytes; allocates nothing, reads each byte once.
package enum TokenEstimator {
    /// Tokens of a request body: everything in it but images and the framing of JSON counts.
    package static func estimate(_ body: [UInt8]) -> Int {
        var counter = Counter()
        for byte in body { counter.add(byte) }
        counter.endWord()
        return max(1, counter.quarters / 4)
    }

    /// Counts in quarters of a token, so that halves stay whole numbers.
    private struct Counter {
        var quarters = 0
        private var wordBytes = 0

        mutating func add(_ byte: UInt8) {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: wordBytes += 1
            case 0x80...0xbf: break  // counted with the byte that leads
            case 0xc0...0xdf: addOther(3)
            case 0xe0...0xef: addOther(4)
            case 0xf0...0xff: addOther(8)
            case 0x20, 0x0a, 0x09, 0x0d: endWord()
            default: addOther(1)
            }
        }

        private mutating func addOther(_ count: Int) {
            endWord()
            quarters += count
        }

        /// A run of letters and digits is a token for each five bytes.
        ///
        /// Runs that no word has are data: images weigh little for their bytes.
        mutating func endWord() {
            guard wordBytes > 0 else { return }
            quarters += wordBytes > 2000 ? 6400 : 4 * ((wordBytes + 4) / 5)
            wordBytes = 0
        }
    }
}
