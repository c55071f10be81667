// Tool names as the upstream accepts them, and back (translation 2.7).

/// The tool names of one request: what each is called upstream and what the client calls it.
package struct ToolNames: Sendable {
    private var originals: [String: String] = [:]
    /// Names offered to the model, in the client's spelling.
    package private(set) var offered: Set<String> = []

    /// No tools.
    package init() {}

    /// Notes that a tool is offered upstream under a name.
    package mutating func offer(_ original: String, as upstream: String) {
        offered.insert(original)
        if original != upstream { originals[upstream] = original }
    }

    /// The client's name of a tool that the model called; unknown names come back unchanged.
    package func original(of upstream: String) -> String { originals[upstream] ?? upstream }
}
