// One value inside a document.

/// A value of a parsed document; keeps its document alive.
package struct JSONValue {
    let document: JSONDocument

    /// What a value is.
    package enum Kind: Equatable { case object, array, string, number, bool, null }

    /// What this value is; known for opaque values too.
    package var kind: Kind { .null }

    /// Whether this is `null`.
    package var isNull: Bool { kind == .null }

    /// A member of an object, the last one of that name; `nil` when absent, when this is no
    /// object, and when this is opaque.
    package subscript(_ key: StaticString) -> JSONValue? { nil }

    /// The elements of an array; empty for anything else.
    package var elements: [JSONValue] { [] }

    /// The members of an object in the order they came; empty for anything else.
    package var members: [(key: JSONText, value: JSONValue)] { [] }

    /// The text of a string; `nil` for anything else.
    package var text: JSONText? { nil }

    /// A number without fraction or exponent that fits; `nil` for anything else.
    package var integer: Int? { nil }

    /// The nearest double of any number; `nil` for anything else.
    package var double: Double? { nil }

    /// A truth value; `nil` for anything else.
    package var bool: Bool? { nil }

    /// The exact bytes of a lifted value (opaque, a payload string, an exact number); `nil` when
    /// jansson holds the value itself.
    package var slice: JSONSlice? { nil }
}
