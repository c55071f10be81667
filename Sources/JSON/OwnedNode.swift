// A node of jansson's tree that belongs to somebody.
internal import CJansson

/// Owns a node and all below it, until it is given to a tree or to a document.
///
/// Nodes are made, and let go of, here and nowhere else; whoever holds a bare pointer only looks.
@safe struct OwnedNode: ~Copyable {
    /// The node, to look at.
    let raw: UnsafeMutablePointer<json_t>

    /// Takes over what jansson has made; no node is no memory.
    init(_ made: UnsafeMutablePointer<json_t>?) throws(JSONError) {
        guard let made = unsafe made else { throw .noMemory }
        unsafe raw = unsafe made
    }

    deinit { unsafe json_decref(raw) }

    /// Gives the node away: to a function of jansson that takes it over, or to another owner.
    consuming func give() -> UnsafeMutablePointer<json_t> {
        let given = unsafe raw
        discard self
        return unsafe given
    }

    static func object() throws(JSONError) -> OwnedNode { try unsafe OwnedNode(json_object()) }

    static func array() throws(JSONError) -> OwnedNode { try unsafe OwnedNode(json_array()) }

    /// An integer that stands for something that is not in the tree.
    @inline(__always)
    static func reference(_ number: Int) throws(JSONError) -> OwnedNode {
        try unsafe OwnedNode(cjansson_reference(number))
    }
}
