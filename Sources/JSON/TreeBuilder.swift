// From bytes to jansson's tree, in one pass: structure goes in, payload stays where it is.
internal import CJansson

/// Builds the tree of one JSON text.
///
/// Lifted are all values that are strings or numbers, names of members that hold escapes, and
/// containers under an opaque name: an integer, their number, stands for them. jansson keeps
/// objects, arrays, plain names and the three words. Its own parser reads a byte in a hundred
/// instructions and would see nothing else, so it is not asked: the nodes are made here, from a
/// grammar that is checked here.
@safe struct TreeBuilder {
    private(set) var lifted: [Lifted] = []
    /// Whether a member's name was lifted.
    private(set) var hasLiftedKeys = false
    /// The names of all members that are not lifted.
    private(set) var names = NameFilter()

    private let bytes: UnsafeRawBufferPointer
    private let opaqueKeys: OpaqueKeys
    private var containers = 0

    /// A builder for one text; `bytes` must stay where they are while it is used.
    init(over bytes: UnsafeRawBufferPointer, opaqueKeys: OpaqueKeys) {
        unsafe self.bytes = unsafe bytes
        self.opaqueKeys = opaqueKeys
        lifted.reserveCapacity(min(64, 2 + bytes.count / 32))
    }

    /// Reads the whole text: one value with nothing but white space around it.
    ///
    /// The nodes are in the arena that is in use, also those of a text that is refused.
    mutating func build() throws(JSONError) -> UnsafeMutablePointer<json_t> {
        var index = unsafe JSONGrammar.skipSpace(bytes, from: 0)
        let top = try unsafe value(&index, depth: 0)
        index = unsafe JSONGrammar.skipSpace(bytes, from: index)
        guard unsafe index == bytes.count else { throw unexpected(index) }
        return unsafe top
    }

    // MARK: - Values

    /// Reads the value at `index` and leaves `index` behind it.
    private mutating func value(
        _ index: inout Int, depth: Int
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        guard unsafe index < bytes.count else { throw unexpected(index) }
        let start = index
        switch unsafe bytes[start] {
        case 0x22:
            let string = try unsafe StringScan(bytes, from: start + 1)
            index = string.end
            return try unsafe lift(Lifted(start..<index, string))
        case 0x2d, 0x30...0x39:
            index = try unsafe JSONGrammar.number(bytes, at: start)
            return try unsafe lift(Lifted(start..<index))
        case 0x7b: return try unsafe object(&index, depth: depth + 1)
        case 0x5b: return try unsafe array(&index, depth: depth + 1)
        case 0x74: return try unsafe word("true", json_true(), &index)
        case 0x66: return try unsafe word("false", json_false(), &index)
        case 0x6e: return try unsafe word("null", json_null(), &index)
        default: throw unexpected(start)
        }
    }

    private func word(
        _ word: StaticString, _ node: UnsafeMutablePointer<json_t>?, _ index: inout Int
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        index = try unsafe JSONGrammar(bytes).word(word, at: index)
        guard let node = unsafe node else { throw .noMemory }
        return unsafe node
    }

    private mutating func object(
        _ index: inout Int, depth: Int
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        let object = try unsafe opened(TreeArena.object(), at: index, depth)
        if isEmpty(&index, closing: 0x7d) { return unsafe object }
        repeat {
            try unsafe member(of: object, &index, depth: depth)
        } while try goesOn(&index, closing: 0x7d)
        return unsafe object
    }

    private mutating func array(
        _ index: inout Int, depth: Int
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        let array = try unsafe opened(TreeArena.array(), at: index, depth)
        if isEmpty(&index, closing: 0x5d) { return unsafe array }
        repeat {
            let element = try unsafe value(&index, depth: depth)
            guard unsafe json_array_append_new(array, element) == 0 else { throw .noMemory }
        } while try goesOn(&index, closing: 0x5d)
        return unsafe array
    }

    /// A name, a colon and a value; of two members with one name the last counts.
    private mutating func member(
        of object: UnsafeMutablePointer<json_t>, _ index: inout Int, depth: Int
    ) throws(JSONError) {
        let start = index
        guard unsafe start < bytes.count, unsafe bytes[start] == 0x22 else {
            throw unexpected(start)
        }
        let name = try unsafe StringScan(bytes, from: start + 1)
        let colon = unsafe JSONGrammar.skipSpace(bytes, from: name.end)
        guard unsafe colon < bytes.count, unsafe bytes[colon] == 0x3a else {
            throw unexpected(colon)
        }
        index = unsafe JSONGrammar.skipSpace(bytes, from: colon + 1)
        let content = start + 1..<name.end - 1
        if name.hasEscape {
            hasLiftedKeys = true
            let mark = try reference(to: Lifted(start..<name.end, name))
            let node = try unsafe value(&index, depth: depth)
            let status = unsafe mark.withUnsafeBytes {
                unsafe cjansson_set(object, $0.baseAddress, $0.count, node)
            }
            guard status == 0 else { throw .noMemory }
            return
        }
        if unsafe opaqueKeys.unread.contain(bytes, content) {
            var grammar = unsafe JSONGrammar(bytes)
            index = try grammar.value(at: index, depth: depth)
            return
        }
        unsafe names.add(bytes, content)
        let node =
            try unsafe opaqueKeys.opaque.contain(bytes, content)
            ? opaque(&index, depth: depth) : value(&index, depth: depth)
        let status = unsafe cjansson_set(
            object, bytes.baseAddress.map { unsafe $0 + content.lowerBound }, content.count, node)
        guard status == 0 else { throw .noMemory }
    }

    /// Lifts what stands behind an opaque name, unless it is a word or lifted anyway.
    private mutating func opaque(
        _ index: inout Int, depth: Int
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        let start = index
        guard unsafe start < bytes.count, unsafe bytes[start] == 0x7b || bytes[start] == 0x5b else {
            return try unsafe value(&index, depth: depth)
        }
        var grammar = unsafe JSONGrammar(bytes)
        index = try grammar.value(at: start, depth: depth)
        var piece = Lifted(start..<index)
        piece.hasLoneSurrogate = grammar.hasLoneSurrogate
        return try unsafe lift(piece)
    }

    // MARK: - Pieces

    /// An integer that stands for a lifted piece.
    private mutating func lift(
        _ piece: Lifted
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        lifted.append(piece)
        try checkSize(at: Int(piece.start))
        return try unsafe TreeArena.reference(lifted.count - 1)
    }

    /// The name that stands for a lifted one.
    private mutating func reference(to name: Lifted) throws(JSONError) -> [UInt8] {
        lifted.append(name)
        try checkSize(at: Int(name.start))
        return Reference.name(lifted.count - 1)
    }

    private mutating func opened(
        _ node: UnsafeMutablePointer<json_t>, at index: Int, _ depth: Int
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        containers += 1
        guard depth <= JSONDocument.depthMax else { throw .tooDeep(offset: index) }
        try checkSize(at: index)
        return unsafe node
    }

    /// Memory for the tree is many times that of a text of tiny values: there is an end to it.
    private func checkSize(at index: Int) throws(JSONError) {
        guard containers + lifted.count <= JSONDocument.valuesMax else {
            throw .syntax(
                reason: "more than \(JSONDocument.valuesMax) values in one text", offset: index)
        }
    }

    /// Whether the container that opens at `index` closes at once; goes on to what is in it.
    private func isEmpty(_ index: inout Int, closing: UInt8) -> Bool {
        index = unsafe JSONGrammar.skipSpace(bytes, from: index + 1)
        guard unsafe index < bytes.count, unsafe bytes[index] == closing else { return false }
        index += 1
        return true
    }

    /// Goes over what follows a value: `true` behind a comma, `false` behind the bracket.
    private func goesOn(_ index: inout Int, closing: UInt8) throws(JSONError) -> Bool {
        index = unsafe JSONGrammar.skipSpace(bytes, from: index)
        guard unsafe index < bytes.count else { throw unexpected(index) }
        let byte = unsafe bytes[index]
        guard byte == 0x2c || byte == closing else { throw unexpected(index) }
        index += 1
        guard byte == 0x2c else { return false }
        index = unsafe JSONGrammar.skipSpace(bytes, from: index)
        return true
    }

    private func unexpected(_ index: Int) -> JSONError {
        unsafe JSONGrammar(bytes).unexpected(index)
    }
}
