// A request's line and header fields, kept as the bytes that arrived.

/// The head of a request that was found well-formed; one object for all who look at it, since each
/// copy of so many fields would be counted field by field.
package final class RequestHead: Sendable {
    /// The method, in the client's spelling.
    package let method: String
    /// The path without the query; an absolute target is reduced to its path.
    package let path: String
    /// The protocol version.
    package let version: HTTPVersion
    /// Where the body ends.
    package let framing: BodyFraming
    /// Whether the connection stays open after the answer.
    package let isKeepAlive: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    package let expectsContinue: Bool

    private let bytes: [UInt8]
    private let targetRange: Range<Int>
    private let queryRange: Range<Int>?
    private let fields: [HeaderField]

    init(
        bytes: [UInt8], line: RequestLine, fields: [HeaderField], control: MessageControl
    ) throws(HTTPError) {
        method = line.method
        path = line.path
        version = line.version
        framing = try control.framing(line.version)
        isKeepAlive = control.isKeepAlive(line.version)
        expectsContinue = control.expectsContinue(line.version)
        self.bytes = bytes
        targetRange = line.target
        queryRange = line.query
        self.fields = fields
    }

    /// The request target as it was sent.
    package var target: String { bytes.text(targetRange) }

    /// What follows the first question mark of the target, nil without one.
    package var query: String? { queryRange.map { bytes.text($0) } }

    /// The first value of a header field, its name in any case.
    package func header(_ name: StaticString) -> String? {
        for field in fields where bytes.matches(field.name, name) {
            return bytes.text(field.value)
        }
        return nil
    }

    /// All header fields in the order of their arrival.
    package var headers: some Sequence<(name: String, value: String)> {
        fields.lazy.map { [bytes] in (name: bytes.text($0.name), value: bytes.text($0.value)) }
    }
}
