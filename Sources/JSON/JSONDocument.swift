// A parsed JSON text whose payload stays in the bytes it came in.
internal import CJansson

/// Why a text is not the JSON we accept.
package enum JSONError: Error, Equatable {
    /// What is wrong, for a person, and where: an offset in bytes.
    case syntax(reason: String, offset: Int)
    /// Nested deeper than `JSONDocument.depthMax`.
    case tooDeep(offset: Int)
}

extension JSONError {
    /// For a person.
    package var message: String {
        switch self {
        case .syntax(let reason, let offset): "\(reason) at byte \(offset)"
        case .tooDeep(let offset):
            "nested deeper than \(JSONDocument.depthMax) levels at byte \(offset)"
        }
    }
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
@safe package final class JSONDocument {
    /// Nesting that is still accepted.
    package static let depthMax = 512

    /// The bytes as they came.
    package let source: [UInt8]
    let lifted: [Lifted]
    let hasEscapedKeys: Bool
    private let top: UnsafeMutablePointer<json_t>

    /// Parses one JSON value with nothing but white space around it.
    package init(parsing source: [UInt8], opaqueKeys: OpaqueKeys = .none) throws(JSONError) {
        _ = Self.isSeeded
        let skeleton = try Self.skeleton(of: source, opaqueKeys)
        var error = json_error_t()
        let top = unsafe skeleton.text.withUnsafeBytes { text in
            unsafe cjansson_load(text.baseAddress, text.count, &error)
        }
        guard let top = unsafe top else {
            throw unsafe .syntax(
                reason: String(cString: cjansson_error_text(&error)),
                offset: skeleton.sourceOffset(of: Int(error.position)))
        }
        unsafe self.top = unsafe top
        self.source = source
        lifted = skeleton.lifted
        hasEscapedKeys = skeleton.hasEscapedKeys
    }

    deinit { unsafe json_decref(top) }

    /// The outermost value.
    package var root: JSONValue { unsafe JSONValue(document: self, node: top) }

    /// The seed of jansson's hash tables is process-wide and must be set before two threads parse.
    private static let isSeeded: Bool = {
        json_object_seed(0)
        return true
    }()

    private static func skeleton(
        of source: [UInt8], _ opaqueKeys: OpaqueKeys
    ) throws(JSONError) -> Skeleton {
        guard source.count < Int(Int32.max) else {
            throw .syntax(reason: "the text is too long", offset: source.count)
        }
        return unsafe try source.span.withUnsafeBytes { bytes throws(JSONError) in
            try unsafe Skeleton(of: bytes, opaqueKeys: opaqueKeys)
        }
    }
}
