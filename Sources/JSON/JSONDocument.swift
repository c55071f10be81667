// A parsed JSON text whose payload stays in the bytes it came in.

/// Why a text is not the JSON we accept.
package enum JSONError: Error, Equatable {
    /// What is wrong, for a person, and where: an offset in bytes.
    case syntax(reason: String, offset: Int)
    /// Nested deeper than `JSONDocument.depthMax`.
    case tooDeep(offset: Int)
}

/// Names of members whose values nobody looks inside: the scanner lifts them whole.
package struct OpaqueKeys: Sendable {
    /// No key: only payload strings and exact numbers are lifted.
    package static let none = OpaqueKeys([])

    let keys: [StaticString]

    /// Values of members with one of these names, at any depth outside an opaque value.
    package init(_ keys: [StaticString]) { self.keys = keys }
}

/// A JSON text, parsed once: structure by jansson, payload as slices of the source.
package final class JSONDocument {
    /// Nesting that is still accepted.
    package static let depthMax = 512

    /// The bytes as they came.
    package let source: [UInt8]

    /// Parses one JSON value with nothing but white space around it.
    package init(parsing source: [UInt8], opaqueKeys: OpaqueKeys = .none) throws(JSONError) {
        self.source = source
    }

    /// The outermost value.
    package var root: JSONValue { JSONValue(document: self) }
}
