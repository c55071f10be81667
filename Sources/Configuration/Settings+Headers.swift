// Headers that a user adds to every upstream request.

extension Settings {
    /// Fields that decide where a message ends or who reads it; libcurl sets them.
    private static let reservedHeaders: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// Reads `CUSTOM_HEADER_<NAME>`, or those of one upstream; the values may be keys and are never
    /// shown.
    static func headers(
        _ prefix: String, _ reader: inout EnvironmentReader
    ) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for key in reader.names(beginningWith: prefix) {
            let value = reader.text(named: key)
            let name = String(key.dropFirst(prefix.count).map { $0 == "_" ? "-" : $0 })
            if !isToken(name) {
                reader.mistake("\(key.shown): expected a header name behind \(prefix)")
            } else if !value.isPrintable {
                reader.mistake("\(key.shown): expected a header value without control characters")
            } else if reservedHeaders.contains(name.lowercased()) {
                reader.mistake("\(key.shown): expected another header; this one frames the message")
            } else if headers.contains(where: { $0.name.lowercased() == name.lowercased() }) {
                reader.mistake("\(key.shown): expected each header once")
            } else {
                headers.append((name, value))
            }
        }
        return headers
    }

    /// Whether a text may be the name of a header (RFC 9110, 5.6.2).
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
