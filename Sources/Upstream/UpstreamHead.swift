// What an upstream's answer begins with, and how long that took.
internal import CCurl

/// Status and headers of an upstream's answer.
package struct UpstreamHead {
    /// The status of the answer.
    package let status: Int
    private let bytes: [UInt8]
    private let fields: [Field]

    /// Where a header's name and value stand.
    private struct Field {
        let name: Range<Int>
        let value: Range<Int>
    }

    init(status: Int, bytes: [UInt8]) {
        self.status = status
        self.bytes = bytes
        fields = Self.fields(of: bytes)
    }

    /// The value of the first header of that name (any case), without the white space around it.
    package func header(_ name: StaticString) -> String? {
        for field in fields where field.name.count == name.utf8CodeUnitCount {
            var place = 0
            while place < field.name.count,
                unsafe bytes[field.name.lowerBound + place] | 0x20 == name.utf8Start[place] | 0x20
            { place += 1 }
            if place == field.name.count {
                return String(decoding: bytes[field.value], as: UTF8.self)
            }
        }
        return nil
    }

    /// Names and values of all headers in order.
    package func forEachHeader(_ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
        for field in fields { body(bytes[field.name], bytes[field.value]) }
    }

    private static func fields(of bytes: [UInt8]) -> [Field] {
        var fields: [Field] = []
        fields.reserveCapacity(8)
        var (start, colon) = (0, -1)
        for (place, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: ":"), colon < 0 { colon = place }
            guard byte == 0x0a else { continue }
            if colon >= 0 {
                var value = (colon + 1)..<place
                while !value.isEmpty, isSpace(bytes[value.upperBound - 1]) {
                    value = value.lowerBound..<(value.upperBound - 1)
                }
                while !value.isEmpty, isSpace(bytes[value.lowerBound]) {
                    value = (value.lowerBound + 1)..<value.upperBound
                }
                fields.append(Field(name: start..<colon, value: value))
            }
            (start, colon) = (place + 1, -1)
        }
        return fields
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0d
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
