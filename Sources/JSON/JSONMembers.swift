// What is in an object.
internal import CJansson

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
                unsafe Reference.number(ofName: name)
                .map { JSONText(document, content: document.lifted[$0]) }
                ?? JSONText(document, start, count)
            return (key, unsafe JSONValue(document: document, node: value))
        }
    }
}
