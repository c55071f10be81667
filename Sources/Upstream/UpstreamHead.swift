// What an upstream's answer begins with, and how long that took.
internal import CCurl

/// Status and headers of an upstream's answer.
package struct UpstreamHead {
    /// The status of the answer.
    package let status: Int
    private let bytes: [UInt8]

    init(status: Int, bytes: [UInt8]) {
        self.status = status
        self.bytes = bytes
    }

    /// The value of the first header of that name (any case), without the white space around it.
    package func header(_ name: StaticString) -> String? {
        var found: String?
        forEachHeader { candidate, value in
            guard found == nil, candidate.count == name.utf8CodeUnitCount,
                unsafe zip(
                    candidate, UnsafeBufferPointer(start: name.utf8Start, count: candidate.count)
                )
                .allSatisfy({ $0 | 0x20 == $1 | 0x20 })
            else { return }
            found = String(decoding: value, as: UTF8.self)
        }
        return found
    }

    /// Names and values of all headers in order; one pass over the bytes.
    package func forEachHeader(_ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            let last = value.lastIndex { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }
            body(line[..<colon], last.map { value[...$0] } ?? value.prefix(0))
        }
    }
}

/// Where the time of a transfer went.
package struct TransferTimings {
    /// Until the connection stood, TLS included; zero when an old one was used again.
    package let connectMicroseconds: Int
    /// Whether an old connection was used again.
    package let isReused: Bool

    init(_ connection: PlainConnection) {
        isReused = connection.isReused
        connectMicroseconds = isReused ? 0 : connection.connectMicroseconds
    }

    init(_ easy: EasyHandle) {
        isReused = easy.info(CURLINFO_NUM_CONNECTS) == 0
        connectMicroseconds =
            isReused
            ? 0
            : max(
                easy.microseconds(CURLINFO_CONNECT_TIME_T),
                easy.microseconds(CURLINFO_APPCONNECT_TIME_T))
    }
}
