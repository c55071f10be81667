// Tool names as the upstream accepts them, and back (translation 2.7).

/// The tool names of one request: what each is called upstream and what the client calls it.
package struct ToolNames: Sendable {
    private var originals: [String: String] = [:]
    /// Names offered to the model, in the client's spelling.
    package private(set) var offered: Set<String> = []
    /// Names that mean something else upstream.
    private let reserved: Set<String>

    /// No tools; a name that is reserved upstream will have another there.
    package init(reserved: Set<String> = []) { self.reserved = reserved }

    /// Notes that a tool is offered; the name to offer it by.
    package mutating func offer(_ original: String) -> String {
        offered.insert(original)
        let upstream = upstreamName(of: original)
        if original != upstream { originals[upstream] = original }
        return upstream
    }

    /// Notes that a tool is defined anew.
    mutating func withdraw(_ original: String) { offered.remove(original) }

    /// A name that servers accept: letters, digits, `_` and `-`, at most 64 of them.
    ///
    /// A pure function of the client's name, so that history, tools and choice agree.
    package func upstreamName(of original: String) -> String {
        if original.utf8.count <= 64, !original.isEmpty, original.utf8.allSatisfy(Self.isAllowed),
            reserved.isEmpty || !reserved.contains(original)
        {
            return original
        }
        let plain = original.utf8.prefix(55).map { Self.isAllowed($0) ? $0 : UInt8(ascii: "_") }
        return String(decoding: plain, as: UTF8.self) + "_" + Digest.hexadecimal(original, count: 8)
    }

    /// The client's name of a tool that the model called; unknown names come back unchanged, but
    /// for prefixes that some models put before a name they were given.
    package func original(of upstream: String) -> String {
        if let known = known(upstream) { return known }
        for prefix in ["functions.", "default_api.", "tools."] where upstream.hasPrefix(prefix) {
            if let known = known(String(upstream.dropFirst(prefix.utf8.count))) { return known }
        }
        let spelling = upstream.lowercased()
        let same = offered.filter { upstreamName(of: $0).lowercased() == spelling }
        return same.count == 1 ? same.first ?? upstream : upstream
    }

    private func known(_ upstream: String) -> String? {
        originals[upstream] ?? (offered.contains(upstream) ? upstream : nil)
    }

    /// Whether a name was made by us for a longer or odder one.
    func isAlias(_ upstream: String) -> Bool { originals[upstream] != nil }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2d: true
        default: false
        }
    }
}
