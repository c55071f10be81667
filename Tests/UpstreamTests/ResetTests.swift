// Connections that are reset at any moment: each is told, whoever reads, and nobody waits for ever.
import EventLoop
import Glibc
import Testing

@testable import Upstream

@Suite struct ResetTests {
    private static let count = 200

    /// A server that sends so much of a body that never ends, then resets.
    private func server(_ bytes: Int) -> ScriptedServer {
        let piece = [UInt8](repeating: 0x61, count: bytes)
        let script: @Sendable (ScriptedServer.Peer) -> Void = { peer in
            _ = peer.readRequest(bodyBytes: 3)
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n")
            _ = peer.write(piece)
            peer.reset()
        }
        return ScriptedServer(Array(repeating: script, count: Self.count))
    }

    /// Much more than may wait for a reader makes the connection pause before the reset comes.
    @Test(arguments: [0, 1, 1000, 200_000, 600_000])
    func aResetIsToldWhoeverReads(bytes: Int) {
        let server = server(bytes)
        onWorker { client in
            let signal = Signal()
            let timer = Timer(signal)
            let request = UpstreamRequest(
                url: "http://127.0.0.1:\(server.port)/", headers: HeaderList([]),
                body: UpstreamBody(pieces: [[1, 2, 3]]))
            let transfers = (0..<Self.count).compactMap { _ in
                client.post(request, signal: signal)
            }
            var piece: [UInt8] = []
            var round = 0
            client.loop.set(timer, after: .seconds(20))
            while timer.isSet, transfers.contains(where: { $0.end == nil }) {
                await signal.wait()
                round += 1
                // Some read at once, some now and then, some not before everything else is over.
                for (number, transfer) in transfers.enumerated()
                where number % 3 == 0 || (number % 3 == 1 && round % 7 == 0) {
                    transfer.take(into: &piece)
                }
                let isWaiting = transfers.enumerated().contains {
                    $0.offset % 3 < 2 && $0.element.end == nil
                }
                guard !isWaiting else { continue }
                for transfer in transfers { transfer.take(into: &piece) }
            }
            client.loop.cancel(timer)
            #expect(transfers.count == Self.count)
            let others = transfers.filter { transfer in
                guard case .failure(.closed(answered: true, _)) = transfer.end else { return true }
                return transfer.head?.status != 200
            }
            #expect(others.map { "\(String(describing: $0.end))" } == [])
        }
    }
}
