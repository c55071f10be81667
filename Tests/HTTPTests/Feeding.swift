// Feeds bytes to the parser and the decoder in every split, for the tests.

import HTTP
import Testing

/// What came of a head: its parts, an error, or nothing yet.
enum Outcome: Equatable {
    case head(String, rest: [UInt8])
    case refused(HTTPError)
    case incomplete
}

/// One readable line that holds everything a head says.
func describe(_ head: RequestHead) -> String {
    let fields = head.headers.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    return """
        \(head.method) \(head.target) \(head.path) \(head.query ?? "nil") \(head.version) \
        \(head.framing) \(head.isKeepAlive) \(head.expectsContinue) \(fields)
        """
}

/// Feeds the pieces one after the other and stops at the first outcome.
func feed(_ pieces: [ArraySlice<UInt8>], limits: HTTPLimits = HTTPLimits()) -> Outcome {
    var parser = RequestHeadParser(limits: limits)
    var buffer: [UInt8] = []
    for (index, piece) in pieces.enumerated() {
        buffer += piece
        do throws(HTTPError) {
            guard let head = try parser.parse(&buffer) else { continue }
            let later = pieces[(index + 1)...].joined()
            return .head(describe(head), rest: buffer + Array(later))
        } catch {
            return .refused(error)
        }
    }
    return .incomplete
}

/// The outcomes of a head in one piece, in every two pieces, and byte by byte.
func outcomes(_ bytes: [UInt8], limits: HTTPLimits = HTTPLimits()) -> [Outcome] {
    var all = [feed([bytes[...]], limits: limits)]
    for split in bytes.indices {
        all.append(feed([bytes[..<split], bytes[split...]], limits: limits))
    }
    all.append(feed(bytes.indices.map { bytes[$0...$0] }, limits: limits))
    return all
}

/// The head of a text that has one.
func head(_ text: String) throws -> RequestHead {
    var parser = RequestHeadParser(limits: HTTPLimits())
    var buffer = Array(text.utf8)
    return try #require(try parser.parse(&buffer))
}

/// What came of a chunked body.
struct DecodedBody: Equatable {
    var body: [UInt8] = []
    var consumed = 0
    var isFinished = false
    var error: HTTPError?
}

/// Decodes the pieces one after the other; what an error leaves in the body is not compared.
func decode(_ pieces: [ArraySlice<UInt8>]) -> DecodedBody {
    var decoder = ChunkedDecoder()
    var result = DecodedBody()
    for piece in pieces {
        do throws(HTTPError) {
            result.consumed += try decoder.decode(piece.span, into: &result.body)
        } catch {
            return DecodedBody(error: error)
        }
    }
    result.isFinished = decoder.isFinished
    return result
}

/// What comes of a body in one piece, in every two pieces, and byte by byte.
func decodings(_ bytes: [UInt8]) -> [DecodedBody] {
    var all = [decode([bytes[...]])]
    for split in bytes.indices {
        all.append(decode([bytes[..<split], bytes[split...]]))
    }
    all.append(decode(bytes.indices.map { bytes[$0...$0] }))
    return all
}
