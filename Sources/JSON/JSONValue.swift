// One value inside a document.
internal import CJansson

/// A value of a parsed document; keeps its document alive.
///
/// The node belongs to the document's tree, which never changes: valid as long as the document.
@safe package struct JSONValue {
    let document: JSONDocument
    let node: UnsafeMutablePointer<json_t>

    /// What a value is.
    package enum Kind: Equatable { case object, array, string, number, bool, null }

    /// What this value is; known for opaque values too.
    package var kind: Kind {
        switch unsafe node.pointee.type {
        case JSON_OBJECT: .object
        case JSON_ARRAY: .array
        case JSON_INTEGER, JSON_REAL: .number
        case JSON_TRUE, JSON_FALSE: .bool
        case JSON_NULL: .null
        default: lifted.map { Self.kind(ofFirst: document.source[$0.range.lowerBound]) } ?? .string
        }
    }

    static func kind(ofFirst byte: UInt8) -> Kind {
        switch byte {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// Whether this is `null`.
    package var isNull: Bool { kind == .null }

    /// A member of an object, the last one of that name.
    ///
    /// `nil` when absent, when this is no object, and when this is opaque.
    package subscript(_ key: StaticString) -> JSONValue? {
        guard unsafe node.pointee.type == JSON_OBJECT else { return nil }
        if document.hasEscapedKeys { return members.last { $0.key == key }?.value }
        return unsafe cjansson_member(node, key.utf8Start, key.utf8CodeUnitCount).map {
            unsafe JSONValue(document: document, node: $0)
        }
    }

    /// The elements of an array; empty for anything else.
    package var elements: JSONElements { JSONElements(array: self) }

    /// The members of an object in the order they came; empty for anything else.
    package var members: JSONMembers { JSONMembers(object: self) }

    /// The text of a string; `nil` for anything else.
    package var text: JSONText? {
        guard unsafe node.pointee.type == JSON_STRING else { return nil }
        guard let lifted else {
            return unsafe JSONText(
                document, UnsafeRawPointer(json_string_value(node)), json_string_length(node))
        }
        guard document.source[lifted.range.lowerBound] == UInt8(ascii: "\"") else { return nil }
        return JSONText(document, content: lifted)
    }

    /// A number without fraction or exponent that fits; `nil` for anything else.
    package var integer: Int? {
        if unsafe node.pointee.type == JSON_INTEGER { return unsafe Int(json_integer_value(node)) }
        return numberText.flatMap { Int($0) }
    }

    /// The nearest double of any number; `nil` for anything else.
    package var double: Double? {
        if unsafe node.pointee.type == JSON_INTEGER {
            return unsafe Double(json_integer_value(node))
        }
        return numberText.flatMap { Double($0) }
    }

    /// A truth value; `nil` for anything else.
    package var bool: Bool? {
        switch unsafe node.pointee.type {
        case JSON_TRUE: return true
        case JSON_FALSE: return false
        default: break
        }
        guard let slice, slice.kind == .bool else { return nil }
        return slice.source[slice.range.lowerBound] == UInt8(ascii: "t")
    }

    /// The exact bytes of a lifted value (opaque, a payload string, an exact number).
    ///
    /// `nil` when jansson holds the value itself.
    package var slice: JSONSlice? { lifted.map { JSONSlice(document.source, $0) } }

    private var numberText: String? {
        guard let lifted, kind == .number else { return nil }
        return String(decoding: document.source[lifted.range], as: UTF8.self)
    }

    /// What this node stands for when it is a reference.
    var lifted: Lifted? {
        guard unsafe node.pointee.type == JSON_STRING else { return nil }
        return unsafe document.lifted(
            UnsafeRawBufferPointer(start: json_string_value(node), count: json_string_length(node)))
    }
}

extension JSONDocument {
    /// The lifted piece that a string of the skeleton refers to; `nil` for a string that is itself.
    func lifted(_ name: UnsafeRawBufferPointer) -> Lifted? {
        guard name.count >= 2, unsafe name[0] == 0x7e else { return nil }
        var number = 0
        for place in 1..<name.count { number = number * 10 + Int(unsafe name[place]) - 0x30 }
        return lifted[number]
    }
}

/// The elements of an array value.
package struct JSONElements: RandomAccessCollection {
    let array: JSONValue

    /// The first index.
    package var startIndex: Int { 0 }
    /// The index behind the last element.
    package var endIndex: Int {
        unsafe array.node.pointee.type == JSON_ARRAY ? json_array_size(array.node) : 0
    }

    /// The element at an index.
    package subscript(position: Int) -> JSONValue {
        guard let node = unsafe json_array_get(array.node, position) else {
            preconditionFailure("index \(position) is behind the end of a JSON array")
        }
        return unsafe JSONValue(document: array.document, node: node)
    }
}

/// The members of an object value, in order.
package struct JSONMembers: Sequence {
    let object: JSONValue

    /// Walks the members in order.
    package func makeIterator() -> Iterator { Iterator(object) }

    /// Whether there is no member.
    package var isEmpty: Bool { count == 0 }
    /// How many members there are.
    package var count: Int {
        unsafe object.node.pointee.type == JSON_OBJECT ? json_object_size(object.node) : 0
    }

    /// The last member that fulfils a condition.
    func last(
        where condition: ((key: JSONText, value: JSONValue)) -> Bool
    ) -> (key: JSONText, value: JSONValue)? {
        var found: (key: JSONText, value: JSONValue)?
        for member in self where condition(member) { found = member }
        return found
    }

    /// Walks jansson's own order, which is the order of the text.
    @safe package struct Iterator: IteratorProtocol {
        private let object: JSONValue
        private var place: UnsafeMutableRawPointer?

        init(_ object: JSONValue) {
            self.object = object
            unsafe place =
                unsafe object.node.pointee.type == JSON_OBJECT
                ? json_object_iter(object.node) : nil
        }

        /// The next member.
        package mutating func next() -> (key: JSONText, value: JSONValue)? {
            guard let current = unsafe place, let value = unsafe json_object_iter_value(current)
            else { return nil }
            let start = unsafe UnsafeRawPointer(json_object_iter_key(current))
            let count = unsafe json_object_iter_key_len(current)
            unsafe place = unsafe json_object_iter_next(object.node, current)
            let name = unsafe UnsafeRawBufferPointer(start: start, count: count)
            let document = object.document
            let key =
                unsafe document.lifted(name).map { JSONText(document, content: $0) }
                ?? JSONText(document, start, count)
            return (key, unsafe JSONValue(document: document, node: value))
        }
    }
}
