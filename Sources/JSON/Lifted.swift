// One piece of the source that jansson does not see.

/// A piece of the source for which a number stands in the skeleton.
struct Lifted {
    let start: Int32
    let end: Int32
    /// Whether it is the name of a member, quotes included.
    var isKey = false
    /// Whether it is a string literal with an escape in it.
    var hasEscape = false
    /// Whether a string in it names half a surrogate pair, which must leave as U+FFFD.
    var hasLoneSurrogate = false

    init(_ range: Range<Int>) {
        start = Int32(truncatingIfNeeded: range.lowerBound)
        end = Int32(truncatingIfNeeded: range.upperBound)
    }

    init(_ range: Range<Int>, _ string: StringScan) {
        self.init(range)
        hasEscape = string.hasEscape
        hasLoneSurrogate = string.hasLoneSurrogate
    }

    var range: Range<Int> { unsafe Range(uncheckedBounds: (Int(start), Int(end))) }
}
