// Connections over real sockets: requests in any pieces, answers whole and streamed.
import EventLoop
import Foundation
import HTTP
import Testing

@testable import Server

/// Answers with the body it got; `/stream` in two chunks, `/unread` without reading the body.
private final class Echo: RequestHandler, WorkerTenant {
    private var listener: Listener?
    private(set) var isDone = false

    init(_ socket: Socket, _ loop: EventLoop, _ limits: ServerLimits) {
        listener = Listener(socket, on: loop, limits: limits, handler: self)
    }

    func receive(_ message: WorkerMessage) {
        if case .makeRoom = message {
            listener?.evictOldest()
            return
        }
        listener?.abort()
        listener = nil
        isDone = true
    }

    func body(for error: HTTPError) -> (headers: [(String, String)], bytes: [UInt8]) {
        ([], Array("refused \(error.status)".utf8))
    }

    func respond(to head: RequestHead, over connection: Connection) async {
        guard head.path != "/unread" else {
            return await connection.respond(status: 413, headers: [], body: [])
        }
        guard let body = try? await connection.readBody(bytesMax: 1 << 20) else {
            return connection.abort()
        }
        guard head.path == "/stream" else {
            return await connection.respond(status: 200, headers: [], body: body)
        }
        var output: [UInt8] = []
        connection.beginStream(headers: [], into: &output)
        for part in [body[...], Array("!".utf8)[...]] {
            let start = connection.openChunk(in: &output)
            output += part
            connection.closeChunk(start, in: &output)
            guard await connection.send(stream: &output) else { return }
        }
        await connection.endStream(&output)
    }
}

/// Runs a server, hands its address over, stops it.
private func withServer(
    limits: ServerLimits = ServerLimits(), _ body: (ListenAddress) throws -> Void
) async throws {
    let (socket, address) = try ListeningSocket.open(.tcp(host: "127.0.0.1", port: 0))
    let worker = Worker()
    worker.start(named: "test") { loop in Echo(socket, loop, limits) }
    let outcome = Result { try body(address) }
    worker.tell(.drain)
    try outcome.get()
}

/// Sends pieces over one connection and reads to its end.
private func exchange(_ address: ListenAddress, _ pieces: [String]) throws -> String {
    let socket = try #require(BlockingSocket(address))
    defer { socket.close() }
    for piece in pieces { #expect(socket.sendAll(Array(piece.utf8))) }
    return String(decoding: socket.receiveAll(upTo: 1 << 20), as: UTF8.self)
}

private func post(_ body: String, path: String = "/", _ more: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nhost: x\r\n\(more)content-length: \(body.utf8.count)\r\n\r\n\(body)"
}

private let close = "connection: close\r\n"

@Suite struct ConnectionTests {
    @Test func aRequestCutAnywhereIsAnsweredTheSame() async throws {
        let request = Array(post("hello", close).utf8).map { String(UnicodeScalar($0)) }
        try await withServer { address in
            let whole = try exchange(address, [request.joined()])
            #expect(whole.hasSuffix("\r\n\r\nhello"))
            for split in stride(from: 1, to: request.count, by: 3) {
                let pieces = [request[..<split].joined(), request[split...].joined()]
                let answer = try exchange(address, pieces)
                #expect(answer == whole, "split at \(split)")
            }
        }
    }

    @Test func requestsInOnePacketAreAnsweredInOrder() async throws {
        try await withServer { address in
            let answer = try exchange(address, [post("one") + post("two") + post("three", close)])
            let heads = answer.components(separatedBy: "HTTP/1.1 200 OK\r\n").dropFirst()
            let bodies = heads.map { $0.components(separatedBy: "\r\n\r\n").last }
            #expect(bodies == ["one", "two", "three"])
        }
    }

    @Test func aStreamIsChunkedAndEndsTidily() async throws {
        try await withServer { address in
            let answer = try exchange(address, [post("abc", path: "/stream", close)])
            #expect(answer.hasSuffix("00000003\r\nabc\r\n00000001\r\n!\r\n0\r\n\r\n"))
        }
    }

    @Test func aStreamForHTTP10EndsWithTheConnection() async throws {
        try await withServer { address in
            let request = "POST /stream HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc"
            let answer = try exchange(address, [request])
            #expect(answer.hasSuffix("\r\n\r\nabc!"))
            #expect(!answer.contains("chunked"))
        }
    }

    @Test func anUnreadBodyClosesTheConnectionAfterTheAnswer() async throws {
        try await withServer { address in
            let answer = try exchange(address, [post("ignored", path: "/unread")])
            #expect(answer.hasPrefix("HTTP/1.1 413"))
            #expect(answer.contains("connection: close"))
        }
    }

    @Test func nonsenseIsRefusedAndTheConnectionClosed() async throws {
        try await withServer { address in
            let answer = try exchange(address, ["nonsense\r\n\r\n"])
            #expect(answer.hasSuffix("refused 400"))
        }
    }

    @Test func aHeadThatNeverEndsRunsOutOfTime() async throws {
        var limits = ServerLimits()
        limits.headTimeout = .milliseconds(30)
        try await withServer(limits: limits) { address in
            let answer = try exchange(address, ["GET / HTTP/1.1\r\nhost:"])
            #expect(answer.hasSuffix("refused 408"))
        }
    }

    @Test func aHeadBehindARequestHasNoMoreTime() async throws {
        var limits = ServerLimits()
        limits.headTimeout = .milliseconds(30)
        try await withServer(limits: limits) { address in
            let answer = try exchange(address, [post("one") + "GET / HTTP/1.1\r\nhost:"])
            #expect(answer.contains("\r\n\r\none"))
            #expect(answer.hasSuffix("refused 408"))
        }
    }

    @Test func aSilentConnectionIsClosedWithoutAWord() async throws {
        var limits = ServerLimits()
        limits.idleTimeout = .milliseconds(30)
        try await withServer(limits: limits) { address in
            let answer = try exchange(address, [])
            #expect(answer.isEmpty)
        }
    }

    @Test func whoeverWaitsLongestMakesRoom() async throws {
        var limits = ServerLimits()
        limits.connections = ConnectionLimit(1)
        limits.patience = .milliseconds(20)
        try await withServer(limits: limits) { address in
            let first = try #require(BlockingSocket(address))
            defer { first.close() }
            #expect(first.sendAll(Array("GET / HTTP/1.1\r\nhost:".utf8)))
            let answer = try exchange(address, [post("b", close)])
            #expect(answer.hasSuffix("b"))
            #expect(first.receiveAll(upTo: 1).isEmpty)
        }
    }

    @Test func oneLimitIsForAllWorkers() async throws {
        var limits = ServerLimits()
        limits.connections = ConnectionLimit(2)
        limits.patience = .milliseconds(20)
        let listeners = try (0..<2).map { _ in
            try ListeningSocket.open(.tcp(host: "127.0.0.1", port: 0))
        }
        let workers = listeners.map { _ in Worker() }
        limits.connections.askingNeighbours { for worker in workers { worker.tell(.makeRoom) } }
        for (worker, listener) in zip(workers, listeners) {
            worker.start(named: "test") { [limits] loop in
                Echo(listener.socket, loop, limits)
            }
        }
        defer { for worker in workers { worker.tell(.drain) } }
        // One worker may have all of them: the kernel chooses.
        let idle = try (0..<2).map { _ in try #require(BlockingSocket(listeners[0].address)) }
        for socket in idle {
            #expect(socket.sendAll(Array(post("a").utf8)))
            #expect(!socket.receiveAll(upTo: 20).isEmpty)
        }
        // The other has nothing to close: the first one closes what is idle.
        let answer = try exchange(listeners[1].address, [post("b", close)])
        #expect(answer.hasSuffix("b"))
        for socket in idle { socket.close() }
    }

    @Test func anAddressHasOnlySoManyConnections() async throws {
        var limits = ServerLimits()
        limits.peers = PeerCounts(connectionsMax: 1)
        try await withServer(limits: limits) { address in
            let first = try #require(BlockingSocket(address))
            #expect(first.sendAll(Array(post("a").utf8)))
            #expect(!first.receiveAll(upTo: 20).isEmpty)
            let refusal = try exchange(address, [])
            #expect(refusal.hasSuffix("refused 429"))
            #expect(first.sendAll(Array(post("a", close).utf8)))
            #expect(!first.receiveAll(upTo: 1 << 16).isEmpty)
            first.close()
            // The server may see a moment later that the first has gone.
            var answer = ""
            for _ in 0..<1000 where !answer.hasSuffix("\r\n\r\nc") {
                answer = try exchange(address, [post("c", close)])
            }
            #expect(answer.hasSuffix("\r\n\r\nc"))
        }
    }

    @Test func connectionsOverTheLimitWaitForAPlace() async throws {
        var limits = ServerLimits()
        limits.connections = ConnectionLimit(1)
        try await withServer(limits: limits) { address in
            let first = try #require(BlockingSocket(address))
            #expect(first.sendAll(Array(post("a").utf8)))
            #expect(!first.receiveAll(upTo: 20).isEmpty)
            let second = try #require(BlockingSocket(address))
            #expect(second.sendAll(Array(post("b", close).utf8)))
            first.close()
            let answer = String(decoding: second.receiveAll(upTo: 1 << 16), as: UTF8.self)
            #expect(answer.hasSuffix("b"))
            second.close()
        }
    }
}
