// The vocabulary of HTTP/1.1 heads: limits, errors, versions, framing.

/// What a head may weigh.
package struct HTTPLimits: Sendable {
    package var requestLineBytesMax = 8 * 1024
    package var headBytesMax = 64 * 1024
    package var headersMax = 100

    package init() {}
}

/// Why a request cannot be read, and the status that RFC 9110 has for it.
package struct HTTPError: Error, Equatable, Sendable {
    package let status: Int
    /// For a person; never holds bytes of the request.
    package let message: String

    package init(status: Int, message: String) {
        self.status = status
        self.message = message
    }

    static func bad(_ message: String) -> HTTPError { HTTPError(status: 400, message: message) }
}

/// The versions that are served.
package enum HTTPVersion: Sendable {
    case http10, http11
}

/// How the end of a request's body is found.
package enum BodyFraming: Equatable, Sendable {
    case none
    case length(Int)
    case chunked
}

/// Classes of bytes in heads (RFC 9110, section 5.6.2).
enum HTTPByte {
    /// Whether a byte may stand in a token: methods and header names.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e, 0x5f, 0x60, 0x7c, 0x7e: true
        default: false
        }
    }

    /// Whether a byte may stand in a header's value.
    static func isValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7f || byte == 0x09
    }

    /// Whether two byte sequences are equal but for the case of ASCII letters.
    static func equal(_ a: ArraySlice<UInt8>, _ b: StaticString) -> Bool {
        guard a.count == b.utf8CodeUnitCount else { return false }
        return unsafe zip(a, UnsafeBufferPointer(start: b.utf8Start, count: a.count))
            .allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
    }
}
