// The built-in demo upstream: a scripted Chat Completions server on loopback.
internal import Bytes
package import EventLoop
package import HTTP
internal import JSON
package import Server

/// Answers `POST …/chat/completions` from a script, so that a newcomer sees a full turn with no key
/// and no network.
package final class DemoUpstream: RequestHandler, WorkerTenant {
    /// Between two words, so that a person sees them come.
    private static let pace = Duration.milliseconds(15)
    private static let bodyBytesMax = 64 << 20

    private let loop: EventLoop
    private var listener: Listener?
    private var callCount = 0
    /// Whether nothing is left to be done.
    package private(set) var isDone = false

    /// Serves on a listening socket.
    package init(_ socket: Socket, on loop: EventLoop) {
        self.loop = loop
        listener = Listener(socket, on: loop, limits: ServerLimits(), handler: self)
    }

    /// Hears that the process drains or stops.
    package func receive(_ message: WorkerMessage) {
        listener?.abort()
        isDone = true
    }

    /// The answer to bytes that are no request.
    package func body(for error: HTTPError) -> (headers: [(String, String)], bytes: [UInt8]) {
        ([], Array(error.message.utf8))
    }

    /// Answers one request.
    package func respond(to head: RequestHead, over connection: Connection) async {
        guard head.path.hasSuffix("/chat/completions"),
            let body = try? await connection.readBody(bytesMax: Self.bodyBytesMax),
            let document = try? JSONDocument(parsing: body)
        else {
            let refusal = Array(Self.unknown.utf8)
            return await connection.respond(status: 404, headers: Self.json, body: refusal)
        }
        callCount += 1
        let script = DemoScript(document.root, callNumber: callCount)
        guard script.isStream else {
            return await connection.respond(
                status: 200, headers: Self.json, body: script.completion())
        }
        await stream(script.chunks(), over: connection)
    }

    private static let unknown = #"""
        {"error":{"message":"the demo upstream knows only POST /v1/chat/completions",\#
        "type":"invalid_request_error","code":null}}
        """#
    private static let json = [("content-type", "application/json")]

    private func stream(_ chunks: [[UInt8]], over connection: Connection) async {
        var output: [UInt8] = []
        connection.beginStream(headers: [("content-type", "text/event-stream")], into: &output)
        let timer = Timer(connection.signal)
        defer { loop.cancel(timer) }
        for chunk in chunks + [Array("[DONE]".utf8)] {
            let start = connection.openChunk(in: &output)
            output.append("data: ")
            output.append(contentsOf: chunk)
            output.append("\n\n")
            connection.closeChunk(start, in: &output)
            guard await connection.send(stream: &output) else { return }
            loop.set(timer, after: Self.pace)
            while timer.isSet, !connection.isPeerGone { await connection.signal.wait() }
        }
        await connection.endStream(&output)
    }
}
