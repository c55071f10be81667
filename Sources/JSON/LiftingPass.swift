// The pass before jansson: it finds the payload of a text, which jansson need not see.

/// Finds what is lifted out of one JSON text.
///
/// Lifted are all values that are strings or numbers, names of members that hold escapes, and
/// containers under an opaque name. What stays are brackets, plain names and the three words:
/// jansson copies, decodes and rounds nothing that matters, and whatever else is wrong with the
/// text is wrong with that too.
@safe struct LiftingPass {
    private(set) var lifted: [Lifted] = []
    /// Whether a member's name was lifted.
    private(set) var hasLiftedKeys = false

    private let bytes: UnsafeRawBufferPointer
    private let opaqueKeys: OpaqueKeys
    private var depth = 0
    private var containers = 0

    /// Scans the whole text; `bytes` must stay where they are until `init` returns.
    init(over bytes: UnsafeRawBufferPointer, opaqueKeys: OpaqueKeys) throws(JSONError) {
        unsafe self.bytes = unsafe bytes
        self.opaqueKeys = opaqueKeys
        lifted.reserveCapacity(16)
        var index = 0
        while index < bytes.count {
            switch unsafe bytes[index] {
            case 0x22: index = try string(at: index)
            case 0x2d, 0x30...0x39: index = try number(at: index)
            case 0x7b, 0x5b:
                try open(at: index)
                index += 1
            case 0x7d, 0x5d:
                depth -= 1
                index += 1
            // A byte of 0 is the end of everything for jansson.
            case 0, 0x80...:
                throw .syntax(reason: "a character that is not JSON", offset: index)
            default: index += 1
            }
        }
    }

    private mutating func open(at index: Int) throws(JSONError) {
        depth += 1
        guard depth <= JSONDocument.depthMax else { throw .tooDeep(offset: index) }
        containers += 1
        try checkSize(at: index)
    }

    /// Memory for the tree is many times that of a text of tiny values: there is an end to it.
    private func checkSize(at index: Int) throws(JSONError) {
        guard containers + lifted.count <= JSONDocument.valuesMax else {
            throw .syntax(
                reason: "more than \(JSONDocument.valuesMax) values in one text", offset: index)
        }
    }

    /// Reads a string, and an opaque value behind its name; the offset of what comes next.
    private mutating func string(at start: Int) throws(JSONError) -> Int {
        let string = try unsafe StringScan(bytes, from: start + 1)
        let next = unsafe JSONGrammar.skipSpace(bytes, from: string.end)
        guard unsafe next < bytes.count, unsafe bytes[next] == 0x3a else {
            return try lift(Lifted(start..<string.end, string), next: next)
        }
        if string.hasEscape {
            hasLiftedKeys = true
            var key = Lifted(start..<string.end, string)
            key.isKey = true
            lifted.append(key)
            try checkSize(at: start)
        } else if unsafe opaqueKeys.contain(bytes, start + 1..<string.end - 1) {
            return try opaque(after: next + 1)
        }
        return next + 1
    }

    /// Lifts what stands behind an opaque name, unless it is lifted anyway.
    private mutating func opaque(after colon: Int) throws(JSONError) -> Int {
        let start = unsafe JSONGrammar.skipSpace(bytes, from: colon)
        guard unsafe start < bytes.count, unsafe bytes[start] > 0x39 else { return start }
        var grammar = unsafe JSONGrammar(bytes)
        let end = try grammar.value(at: start, depth: depth)
        var value = Lifted(start..<end)
        value.hasLoneSurrogate = grammar.hasLoneSurrogate
        return try lift(value, next: unsafe JSONGrammar.skipSpace(bytes, from: end))
    }

    private mutating func number(at start: Int) throws(JSONError) -> Int {
        let end = try unsafe JSONGrammar.number(bytes, at: start)
        return try lift(Lifted(start..<end), next: unsafe JSONGrammar.skipSpace(bytes, from: end))
    }

    /// Lifts a value that is followed by `next`.
    ///
    /// Two values in a row, each replaced by a number, could look like one: what may follow is
    /// checked here.
    private mutating func lift(_ value: Lifted, next: Int) throws(JSONError) -> Int {
        if unsafe next < bytes.count {
            let byte = unsafe bytes[next]
            guard byte == 0x2c || byte == 0x7d || byte == 0x5d else {
                throw .syntax(reason: "a comma or a closing bracket expected", offset: next)
            }
        }
        lifted.append(value)
        try checkSize(at: next)
        return next
    }
}
