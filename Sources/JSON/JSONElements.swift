// What is in an array.
internal import CJansson

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
