// What a user writes as the upstream's address.

/// A checked base URL; what is posted to is built from it elsewhere.
struct UpstreamAddress: Sendable {
    let url: String
    let host: String
    let path: String
    let isEncrypted: Bool
    /// Whether the user named no scheme and one was assumed.
    let hasAssumedScheme: Bool
    /// A socket of this machine that stands for the host.
    private(set) var unixPath: String?

    /// Reads `https://host:443/v1?x=y`, the same without a scheme, or `unix:/run/model.sock:/v1`;
    /// nil for anything else.
    init?(_ text: String) {
        if text.hasPrefix("unix:/") {
            self.init(unix: text.dropFirst(5))
        } else {
            self.init(url: text)
        }
    }

    /// A path of a socket, then perhaps a colon and the path that is asked for.
    private init?(unix text: Substring) {
        let socket = text.prefix { $0 != ":" }
        let path = text[socket.endIndex...].dropFirst()
        // The kernel's limit for a socket's path is 108 bytes with the NUL at its end.
        guard socket.utf8.count <= 107, socket.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }),
            path.isEmpty || path.hasPrefix("/")
        else { return nil }
        self.init(url: "http://localhost" + path)
        unixPath = String(socket)
    }

    private init?(url text: String) {
        let schemeEnd = text.utf8.firstIndex(of: UInt8(ascii: ":")).flatMap { colon in
            text[colon...].hasPrefix("://") ? text.index(colon, offsetBy: 3) : nil
        }
        let rest = schemeEnd.map { text[$0...] } ?? text[...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let isClean = text.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "\\")
        }
        // A password in a URL would end up in logs; there is a setting for keys.
        guard isClean, !authority.contains("@"), let host = Self.host(authority) else { return nil }
        self.host = host
        path = String(rest[authority.endIndex...].prefix { $0 != "?" })
        guard let schemeEnd else {
            isEncrypted = !Self.isNearby(host)
            hasAssumedScheme = true
            url = (isEncrypted ? "https://" : "http://") + text
            return
        }
        let scheme = text[..<schemeEnd].lowercased()
        guard scheme == "https://" || scheme == "http://" else { return nil }
        isEncrypted = scheme == "https://"
        hasAssumedScheme = false
        url = scheme + rest
    }

    /// The host of `host:port`, if both are well-formed.
    static func host(_ authority: Substring) -> String? {
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            let port = EnvironmentReader.number(String(authority[authority.index(after: colon)...]))
            guard let port, (1...65_535).contains(port) else { return nil }
            host = authority[..<colon]
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        guard let name = EnvironmentReader.host(String(host)), isBracketed == name.contains(":")
        else { return nil }
        return name
    }

    /// Whether traffic to a host stays on this machine or in its cluster, as far as a name tells.
    static func isNearby(_ host: String) -> Bool {
        let numbers = host.split(separator: ".").compactMap { UInt8($0) }
        if numbers.count == 4 {
            return numbers[0] == 127 || numbers[0] == 10 || (numbers[0], numbers[1]) == (192, 168)
                || numbers[0] == 172 && (16...31).contains(numbers[1])
        }
        if host.contains(":") {
            return host == "::1"
                || ["fc", "fd", "fe80"].contains { host.lowercased().hasPrefix($0) }
        }
        return !host.contains(".")
            || [".svc", ".local", ".internal", ".localhost"].contains { host.hasSuffix($0) }
    }
}
