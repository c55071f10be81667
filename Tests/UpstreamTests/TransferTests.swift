// Transfers over a real connection to a scripted server.
import EventLoop
import Testing

@testable import Upstream

private let whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

@Suite struct TransferTests {
    @Test(arguments: [0, 3, 16 * 1024, 16 * 1024 + 1, 64 * 1024 + 1, 3_000_000])
    func aBodyOfAnySizeArrivesWhole(size: Int) {
        let seen = Seen<[UInt8]>()
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let server = ScriptedServer([
            { peer in
                seen.add(peer.readRequest(bodyBytes: size))
                peer.write(whole)
            }
        ])
        onWorker { client in
            let answer = await client.answer(port: server.port, body: body)
            #expect(answer == Answer(status: 200, body: Array("ok".utf8)))
        }
        #expect(seen.all.first?.suffix(size).elementsEqual(body) == true)
    }

    @Test func anAnswerInManyPiecesIsPutTogether() {
        let server = ScriptedServer([
            { peer in
                _ = peer.readRequest()
                peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for word in ["one ", "two ", "three"] {
                    peer.write("\(String(word.utf8.count, radix: 16))\r\n\(word)\r\n")
                }
                peer.write("0\r\n\r\n")
            }
        ])
        onWorker { client in
            let answer = await client.answer(port: server.port)
            #expect(String(decoding: answer.body, as: UTF8.self) == "one two three")
            #expect(answer.failure == nil)
        }
    }

    @Test func aConnectionIsUsedAgain() {
        let server = ScriptedServer([
            { peer in
                for _ in 0..<3 {
                    _ = peer.readRequest(bodyBytes: 3)
                    peer.write(whole)
                }
            }
        ])
        onWorker { client in
            for _ in 0..<3 {
                let answer = await client.answer(port: server.port)
                #expect(answer.status == 200)
            }
            #expect(client.connectionCount == 1)
        }
        #expect(server.connectionCount == 1)
    }

    @Test func moreRequestsThanConnectionsInTheMakingAreAllServed() {
        let count = 150
        let answer: @Sendable (ScriptedServer.Peer) -> Void = { peer in
            _ = peer.readRequest(bodyBytes: 3)
            peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        }
        let server = ScriptedServer(Array(repeating: answer, count: count))
        onWorker { client in
            let signal = Signal()
            let request = UpstreamRequest(
                url: "http://127.0.0.1:\(server.port)/", headers: HeaderList([]),
                body: UpstreamBody(pieces: [[1, 2, 3]]))
            var transfers = (0..<count).compactMap { _ in client.post(request, signal: signal) }
            transfers[100].cancel()  // one that waits, and must not hold up the others
            transfers.remove(at: 100)
            while transfers.contains(where: { $0.end == nil }) { await signal.wait() }
            let failed = transfers.filter { $0.head?.status != 200 }.map { "\($0.end as Any)" }
            #expect(failed == [])
            #expect(transfers.count == count - 1)
        }
        #expect(server.connectionCount == count - 1)
    }

    @Test func aReusedConnectionThatDiesSaysThatNothingWasAnswered() {
        let server = ScriptedServer([
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                peer.write(whole)
                _ = peer.readRequest(bodyBytes: 3)
            },
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                peer.write(whole)
            },
        ])
        onWorker { client in
            #expect(await client.answer(port: server.port).status == 200)
            guard case .closed(answered: false, _) = await client.answer(port: server.port).failure
            else {
                Issue.record("a dead connection has answered")
                return
            }
            #expect(await client.answer(port: server.port).status == 200)
        }
        #expect(server.connectionCount == 2)
    }

    @Test func aCutIsAFailureWithWhatCameBefore() {
        let server = ScriptedServer([
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
                peer.reset()
            }
        ])
        onWorker { client in
            let answer = await client.answer(port: server.port)
            #expect(answer.status == 200)
            guard case .closed(answered: true, _) = answer.failure else {
                Issue.record("got \(String(describing: answer.failure))")
                return
            }
        }
    }

    @Test func whatComesBeforeNonsenseInTheSamePieceCounts() {
        let server = ScriptedServer([
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                peer.write(head + "4\r\nhalf\r\nnonsense\r\n")
            }
        ])
        onWorker { client in
            let answer = await client.answer(port: server.port)
            #expect(answer.status == 200)
            #expect(answer.body == Array("half".utf8))
            guard case .malformed = answer.failure else {
                Issue.record("got \(String(describing: answer.failure))")
                return
            }
        }
    }

    @Test func aRefusedConnectionSaysSo() {
        let port = ScriptedServer([]).port  // closed again at once
        onWorker { client in
            let answer = await client.answer(port: port)
            #expect(answer.failure == .connect("connection refused"))
        }
    }

    @Test func endlessHeadersEndTheTransfer() {
        let server = ScriptedServer([
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                peer.write("HTTP/1.1 200 OK\r\n")
                let line = Array("x-filler: \(String(repeating: "a", count: 1000))\r\n".utf8)
                for _ in 0..<200 where peer.write(line) < line.count { return }
            }
        ])
        onWorker { client in
            let answer = await client.answer(port: server.port)
            #expect(answer.status == nil)
            #expect(answer.failure != nil)
        }
    }

    @Test func cancellingClosesTheConnection() {
        let closed = Seen<Bool>()
        let server = ScriptedServer([
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                closed.add(peer.read() == nil)
            }
        ])
        onWorker { client in
            let signal = Signal()
            let request = UpstreamRequest(
                url: "http://127.0.0.1:\(server.port)/", headers: HeaderList([]),
                body: UpstreamBody(pieces: [[1, 2, 3]]))
            let transfer = client.post(request, signal: signal)
            let timer = Timer(signal)
            client.loop.set(timer, after: .milliseconds(30))
            while timer.isSet { await signal.wait() }
            transfer?.cancel()
            await client.wait { !closed.all.isEmpty }
        }
        #expect(closed.all == [true])
    }

    @Test func aReaderThatDoesNotTakeMakesTheUpstreamStop() {
        let written = Seen<Int>()
        let total = 64 << 20
        let server = ScriptedServer([
            { peer in
                _ = peer.readRequest(bodyBytes: 3)
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
                written.add(peer.write([UInt8](repeating: 7, count: total)))
            }
        ])
        onWorker { client in
            let signal = Signal()
            let request = UpstreamRequest(
                url: "http://127.0.0.1:\(server.port)/", headers: HeaderList([]),
                body: UpstreamBody(pieces: [[1, 2, 3]]))
            guard let transfer = client.post(request, signal: signal) else { return }
            let timer = Timer(signal)
            client.loop.set(timer, after: .milliseconds(200))
            while timer.isSet { await signal.wait() }
            #expect(written.all.isEmpty, "the upstream could write everything unread")
            var piece: [UInt8] = []
            var received = 0
            var largest = 0
            while transfer.end == nil || transfer.hasBytes {
                transfer.take(into: &piece)
                largest = max(largest, piece.count)
                received += piece.count
                if !transfer.hasBytes, transfer.end == nil { await signal.wait() }
            }
            #expect(received == total)
            #expect(largest <= Transfer.waitingBytesMax)
            await client.wait { !written.all.isEmpty }
        }
        #expect(written.all == [total])
    }
}
