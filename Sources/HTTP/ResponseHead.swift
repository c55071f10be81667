// Writing the head of an answer.
internal import Bytes

/// The status line and headers of an answer.
package struct ResponseHead {
    private var bytes: [UInt8] = []

    /// A head with its status line.
    package init(status: Int) {
        bytes.reserveCapacity(256)
        bytes.append("HTTP/1.1 ")
        bytes.append(decimal: status)
        bytes.append(UInt8(ascii: " "))
        bytes.append(Self.reason(status))
        bytes.append("\r\n")
    }

    /// Adds a header; control characters in it become spaces, so that no value can end its line.
    package mutating func add(_ name: String, _ value: String) {
        append(name)
        bytes.append(": ")
        append(value)
        bytes.append("\r\n")
    }

    /// Adds a header with a number.
    package mutating func add(_ name: String, _ value: Int) {
        append(name)
        bytes.append(": ")
        bytes.append(decimal: value)
        bytes.append("\r\n")
    }

    /// Appends the whole head with the empty line that ends it.
    package func append(to buffer: inout [UInt8]) {
        buffer.append(contentsOf: bytes)
        buffer.append("\r\n")
    }

    private mutating func append(_ text: String) {
        for byte in text.utf8 { bytes.append(byte >= 0x20 && byte != 0x7f ? byte : 0x20) }
    }

    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 529: "Overloaded"
        default: "Status"
        }
    }
}
