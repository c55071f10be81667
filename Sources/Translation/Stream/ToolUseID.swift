// Ids of tool use blocks.

/// Ids as Anthropic's API takes them back.
enum ToolUseID {
    /// Whether an id matches `^[a-zA-Z0-9_-]{1,64}$`.
    static func isUsable(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2d: true
                default: false
                }
            }
    }
}
