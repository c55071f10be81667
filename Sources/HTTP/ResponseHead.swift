// The status line and the header fields of a response, written as they are added.

internal import Bytes

/// The head of a response; no header can break out of its line.
package struct ResponseHead {
    private var bytes: [UInt8] = []

    /// Starts the head of an HTTP/1.1 response; a status without three digits becomes 500.
    package init(status: Int) {
        let status = (100...999).contains(status) ? status : 500
        bytes.reserveCapacity(256)
        bytes.append("HTTP/1.1 " as StaticString)
        bytes.append(decimal: status)
        bytes.append(.space)
        bytes.append(Self.reason(status))
        bytes.append("\r\n" as StaticString)
    }

    /// Adds a field; control characters in its value become spaces.
    package mutating func add(_ name: StaticString, _ value: String) {
        bytes.append(name)
        endField(value)
    }

    /// Adds a field; control characters in its name and value become spaces.
    package mutating func add(_ name: String, _ value: String) {
        let start = bytes.count
        bytes.append(name)
        clean(from: start)
        endField(value)
    }

    /// Adds a field with a decimal value.
    package mutating func add(_ name: StaticString, _ value: Int) {
        bytes.append(name)
        bytes.append(": " as StaticString)
        bytes.append(decimal: value)
        bytes.append("\r\n" as StaticString)
    }

    private mutating func endField(_ value: String) {
        bytes.append(": " as StaticString)
        let start = bytes.count
        bytes.append(value)
        clean(from: start)
        bytes.append("\r\n" as StaticString)
    }

    private mutating func clean(from start: Int) {
        var span = bytes.mutableSpan
        for index in start..<span.count where span[index] < 0x20 || span[index] == 0x7F {
            span[index] = .space
        }
    }

    /// Adds the Date field (RFC 9110, 6.6.1); the caller tells the time.
    package mutating func addDate(unixSeconds: Int) {
        bytes.append("date: " as StaticString)
        bytes.append(httpDate: CivilTime(unixSeconds: unixSeconds))
        bytes.append("\r\n" as StaticString)
    }

    /// Appends the head and the empty line that ends it.
    package func append(to buffer: inout [UInt8]) {
        buffer.append(contentsOf: bytes)
        buffer.append("\r\n" as StaticString)
    }

    /// The reason phrase of a status, empty for an unknown one.
    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 529: "Overloaded"
        default: ""
        }
    }
}
