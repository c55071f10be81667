// Connections that serve one request after the other: none gets the answer to another's.
import Dispatch
import EventLoop
import Glibc
import Testing

@testable import Upstream

private let whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

@Suite struct ReuseTests {
    /// Lets a server go on and stops the worker until it has, so that no event is heard between.
    private struct Gate: Sendable {
        let opened = DispatchSemaphore(value: 0)
        let passed = DispatchSemaphore(value: 0)

        func pass() {
            opened.signal()
            passed.wait()
        }
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "HTTP/1.1 408", "\r\n"])
    func whatNobodyAskedForAnswersNobody(unasked: String) {
        let gate = Gate()
        let server = ScriptedServer([
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                peer.write(whole)
                gate.opened.wait()
                peer.write(unasked)
                gate.passed.signal()
                _ = peer.read()
            },
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                peer.write(whole)
            },
        ])
        onWorker { client in
            #expect(await client.answer(port: server.port).status == 200)
            gate.pass()
            let answer = await client.answer(port: server.port)
            #expect(answer == Answer(status: 200, body: Array("ok".utf8)))
            #expect(client.connectionCount == 1)
        }
        #expect(server.connectionCount == 2)
    }

    @Test func aConnectionThatHasEndedIsNotUsed() {
        let gate = Gate()
        let answer: @Sendable (ScriptedServer.Peer) -> Void = { peer in
            _ = peer.readRequest(bodyBytes: 3)
            peer.write(whole)
            gate.opened.wait()
            peer.finish()
            gate.passed.signal()
            _ = peer.read()
        }
        let server = ScriptedServer([answer, answer])
        onWorker { client in
            for _ in 0..<2 {
                #expect(await client.answer(port: server.port).failure == nil)
                gate.pass()
            }
        }
        #expect(server.connectionCount == 2)
    }

    /// Of many requests some wait, since only so many connections may be in the making; one that is
    /// idle is nothing for those that want a new one.
    @Test func whoeverWantsANewConnectionGetsOneAlsoAfterAWait() {
        let count = 100
        let kept = Seen<CInt>()
        let first: @Sendable (ScriptedServer.Peer) -> Void = { peer in
            _ = peer.readRequest(bodyBytes: 3)
            peer.write(whole)
            kept.add(dup(peer.descriptor))  // it stays open, and nobody will read
        }
        let other: @Sendable (ScriptedServer.Peer) -> Void = { peer in
            _ = peer.readRequest(bodyBytes: 3)
            peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        }
        let server = ScriptedServer([first] + Array(repeating: other, count: count))
        onWorker { client in
            #expect(await client.answer(port: server.port).status == 200)
            let signal = Signal()
            var request = UpstreamRequest(
                url: "http://127.0.0.1:\(server.port)/", headers: HeaderList([]),
                body: UpstreamBody(pieces: [[1, 2, 3]]))
            request.wantsNewConnection = true
            let transfers = (0..<count).compactMap { _ in client.post(request, signal: signal) }
            await client.wait { transfers.allSatisfy { $0.end != nil } }
            #expect(transfers.count { $0.head?.status == 200 } == count)
            for transfer in transfers { transfer.cancel() }
        }
        #expect(server.connectionCount == count + 1)
        for descriptor in kept.all { close(descriptor) }
    }
}
