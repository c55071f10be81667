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
    static let noMemory = JSONError.syntax(reason: "no memory for this text", offset: 0)

    /// For a person.
    package var message: String {
        switch self {
        case .syntax(let reason, let offset): "\(reason) at byte \(offset)"
        case .tooDeep(let offset):
            "nested deeper than \(JSONDocument.depthMax) levels at byte \(offset)"
        }
    }
}

/// A JSON text, parsed once: structure in jansson's tree, payload as slices of the source.
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
    /// Which names some object has; see `NameFilter`.
    let names: NameFilter
    private let top: UnsafeMutablePointer<json_t>
    /// Holds every node of the tree, which is never freed but with it.
    private let nodes: TreeArena

    /// Parses one JSON value with nothing but white space around it.
    package init(parsing source: [UInt8], opaqueKeys: OpaqueKeys = .none) throws(JSONError) {
        guard source.count < Int(Int32.max) else {
            throw .syntax(reason: "the text is too long", offset: source.count)
        }
        var nodes = TreeArena()
        let (tree, builder) = try unsafe nodes.use { () throws(JSONError) in
            try unsafe source.span.withUnsafeBytes {
                bytes throws(JSONError) -> (UnsafeMutablePointer<json_t>, TreeBuilder) in
                var builder = unsafe TreeBuilder(over: bytes, opaqueKeys: opaqueKeys)
                return try unsafe (builder.build(), builder)
            }
        }
        unsafe top = unsafe tree
        self.nodes = nodes
        self.source = source
        lifted = builder.lifted
        hasLiftedKeys = builder.hasLiftedKeys
        names = builder.names
    }

    /// The outermost value.
    package var root: JSONValue { unsafe JSONValue(document: self, node: top) }
}
