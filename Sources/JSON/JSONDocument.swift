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

/// A JSON text, parsed once: structure by jansson, payload as slices of the source.
@safe package final class JSONDocument {
    /// Nesting that is still accepted.
    package static let depthMax = 512
    /// How many values one text may hold, those inside opaque values not counted.
    ///
    /// A request of 32 MB holds a tenth of it; `[{},{},…]` would cost eighty times its own length.
    package static let valuesMax = 250_000

    /// The bytes as they came.
    package let source: [UInt8]
    let lifted: [Lifted]
    let hasLiftedKeys: Bool
    private let top: UnsafeMutablePointer<json_t>

    /// Parses one JSON value with nothing but white space around it.
    package init(parsing source: [UInt8], opaqueKeys: OpaqueKeys = .none) throws(JSONError) {
        _ = Self.isSeeded
        guard source.count < Int(Int32.max) else {
            throw .syntax(reason: "the text is too long", offset: source.count)
        }
        let (pass, skeleton) = unsafe try source.span.withUnsafeBytes {
            bytes throws(JSONError) -> (LiftingPass, Skeleton) in
            let pass = try unsafe LiftingPass(over: bytes, opaqueKeys: opaqueKeys)
            return unsafe (pass, Skeleton(of: bytes, lifted: pass.lifted))
        }
        unsafe top = try unsafe Self.parse(skeleton, lifted: pass.lifted)
        self.source = source
        lifted = pass.lifted
        hasLiftedKeys = pass.hasLiftedKeys
    }

    deinit { unsafe json_decref(top) }

    /// The outermost value.
    package var root: JSONValue { unsafe JSONValue(document: self, node: top) }

    /// The seed of jansson's hash tables is process-wide and must be set before two threads parse.
    private static let isSeeded: Bool = {
        json_object_seed(0)
        return true
    }()

    private static func parse(
        _ skeleton: Skeleton, lifted: [Lifted]
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        var error = json_error_t()
        let top = unsafe skeleton.text.withUnsafeBytes { text in
            unsafe cjansson_load(text.baseAddress, text.count, &error)
        }
        if let top = unsafe top { return unsafe top }
        throw unsafe .syntax(
            reason: String(cString: cjansson_error_text(&error)),
            offset: Skeleton.sourceOffset(of: Int(error.position), lifted: lifted))
    }
}
