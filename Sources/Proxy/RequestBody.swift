// The body of a request, as it was before it was compressed.
internal import Compression
internal import Configuration
internal import HTTP
internal import Server
internal import Translation

/// How a request's body is coded (RFC 9110, 8.4).
enum ContentCoding {
    case none, gzip

    /// Reads the header; any other coding, and several, are refused.
    init(_ head: RequestHead) throws(APIError) {
        switch head.header("content-encoding")?.lowercased() {
        case nil, "", "identity": self = .none
        case "gzip", "x-gzip": self = .gzip
        default: throw .unknownEncoding
        }
    }
}

extension WorkerContext {
    /// Reads a body, whole, and decodes it.
    func readBody(
        of head: RequestHead, _ connection: Connection, _ room: Room
    ) async throws(RequestBodyError) -> [UInt8] {
        let bytesMax = shared.settings.requestBytesMax
        let body = try await connection.readBody(bytesMax: bytesMax) { room.hold(body: $0) }
        guard let coding = try? ContentCoding(head), coding == .gzip else { return body }
        var hasRoom = true
        do throws(Gzip.Refusal) {
            let gzip = try Gzip(body, bytesMax: bytesMax)
            let decode: @Sendable () -> Result<[UInt8], Gzip.Refusal> = {
                Result { () throws(Gzip.Refusal) in try gzip.decoded() }
            }
            hasRoom = room.hold(body: body.count + gzip.size)
            guard hasRoom else { throw .tooLarge }
            let isSmall = gzip.size < OffWorker.compressedBytesMin
            let content = isSmall ? decode() : await OffWorker.run { decode() }
            return try content.get()
        } catch {
            guard hasRoom else { throw .noRoom }
            throw RequestBodyError(error)
        }
    }
}

extension RequestBodyError {
    fileprivate init(_ refusal: Gzip.Refusal) {
        let message =
            switch refusal {
            case .damaged: "the gzip body is damaged"
            case .bomb: "the gzip body is compressed more than any text is"
            case .tooLarge: ""
            }
        self = message.isEmpty ? .tooLarge : .malformed(HTTPError(status: 400, message: message))
    }
}
