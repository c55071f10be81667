// The memory of one tree, and the makers of its nodes.
internal import CArena
internal import CJansson

/// Owns every node of a tree: jansson's nodes are made while an arena is in use, lie in its blocks,
/// and go with it.
///
/// Nobody owns a node alone, so none is given back: whoever holds a bare pointer only looks.
@safe struct TreeArena: ~Copyable {
    private var blocks = unsafe carena()

    /// An arena without a block.
    init() { _ = Self.isSetUp }

    deinit {
        var blocks = unsafe blocks
        unsafe carena_clear(&blocks)
    }

    /// Lets jansson allocate here while `body` runs, on this thread.
    mutating func use<Result>(
        _ body: () throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        try unsafe withUnsafeMutablePointer(to: &blocks) { arena throws(JSONError) in
            let before = unsafe carena_use(arena)
            defer { _ = unsafe carena_use(before) }
            return try body()
        }
    }

    static func object() throws(JSONError) -> UnsafeMutablePointer<json_t> {
        try unsafe made(json_object())
    }

    static func array() throws(JSONError) -> UnsafeMutablePointer<json_t> {
        try unsafe made(json_array())
    }

    /// An integer that stands for something that is not in the tree.
    @inline(__always)
    static func reference(_ number: Int) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        try unsafe made(json_integer(json_int_t(number)))
    }

    @inline(__always)
    private static func made(
        _ node: UnsafeMutablePointer<json_t>?
    ) throws(JSONError) -> UnsafeMutablePointer<json_t> {
        guard let node = unsafe node else { throw .noMemory }
        return unsafe node
    }

    /// What jansson allocates goes through the arena in use.
    ///
    /// That and the seed of its hash tables are process-wide: set before two threads parse.
    private static let isSetUp: Bool = {
        unsafe json_set_alloc_funcs(carena_allocate, carena_release)
        json_object_seed(0)
        return true
    }()
}
