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
        case JSON_TRUE, JSON_FALSE: .bool
        case JSON_NULL: .null
        default: lifted.map { document.kind(of: $0) } ?? .null
        }
    }

    /// Whether this is `null`.
    package var isNull: Bool { kind == .null }

    /// A member of an object, the last one of that name.
    ///
    /// `nil` when absent, when this is no object, and when this is opaque.
    package subscript(_ key: StaticString) -> JSONValue? {
        guard unsafe node.pointee.type == JSON_OBJECT else { return nil }
        if document.hasLiftedKeys { return members.last { $0.key == key }?.value }
        guard document.names.mayHave(key) else { return nil }
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
        guard let lifted, document.kind(of: lifted) == .string else { return nil }
        return JSONText(document, content: lifted)
    }

    /// A number without fraction or exponent that fits; `nil` for anything else.
    package var integer: Int? { unsafe number { unsafe Self.integer($0) } }

    /// The nearest double of any number; `nil` for anything else.
    package var double: Double? {
        unsafe number { unsafe Double(String(decoding: $0, as: UTF8.self)) }
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

    /// The exact bytes of a lifted value: a string, a number, whatever is opaque.
    ///
    /// `nil` when jansson holds the value itself.
    package var slice: JSONSlice? { lifted.map { JSONSlice(document.source, $0) } }

    /// What this node stands for.
    var lifted: Lifted? { unsafe Reference.number(node).map { document.lifted[$0] } }

    private func number<Result>(_ read: (UnsafeRawBufferPointer) -> Result?) -> Result? {
        guard let lifted, document.kind(of: lifted) == .number else { return nil }
        return unsafe document.source.withUnsafeBytes {
            unsafe read(UnsafeRawBufferPointer(rebasing: $0[lifted.range]))
        }
    }

    private static func integer(_ text: UnsafeRawBufferPointer) -> Int? {
        let isNegative = unsafe text.first == UInt8(ascii: "-")
        var value = 0
        for index in (isNegative ? 1 : 0)..<text.count {
            let byte = unsafe text[index]
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (product, isTooBig) = value.multipliedReportingOverflow(by: 10)
            let digit = Int(byte) - 0x30
            let (sum, isBeyond) = product.addingReportingOverflow(isNegative ? -digit : digit)
            guard !isTooBig, !isBeyond else { return nil }
            value = sum
        }
        return value
    }
}

extension JSONDocument {
    /// What a lifted value is.
    func kind(of lifted: Lifted) -> JSONValue.Kind {
        JSONValue.Kind(ofFirst: source[lifted.range.lowerBound])
    }
}

extension JSONValue.Kind {
    /// Told by a value's first byte.
    init(ofFirst byte: UInt8) {
        switch byte {
        case UInt8(ascii: "{"): self = .object
        case UInt8(ascii: "["): self = .array
        case UInt8(ascii: "\""): self = .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): self = .bool
        case UInt8(ascii: "n"): self = .null
        default: self = .number
        }
    }
}
