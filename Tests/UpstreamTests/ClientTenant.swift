// An upstream client on a worker of its own, and what these tests ask of it.
import EventLoop
import Synchronization

@testable import Upstream

/// Runs a job with an upstream client on a worker of its own.
func onWorker(_ body: @escaping @Sendable (UpstreamClient) async -> Void) {
    prepared
    Worker().run { loop in ClientTenant(loop, body) }
}

private let prepared: Void = UpstreamClient.prepareProcess()

private final class ClientTenant: WorkerTenant, WorkerJob {
    private let client: UpstreamClient?
    private let body: @Sendable (UpstreamClient) async -> Void
    private(set) var isDone = false

    init(_ loop: EventLoop, _ body: @escaping @Sendable (UpstreamClient) async -> Void) {
        client = UpstreamClient(loop, options: UpstreamOptions())
        self.body = body
        loop.start(self)
    }

    func run() async {
        if let client { await body(client) }
        isDone = true
    }

    func receive(_ message: WorkerMessage) {}
}

/// What other threads than the test's have seen.
final class Seen<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    func add(_ value: Value) { values.withLock { $0.append(value) } }
    var all: [Value] { values.withLock { $0 } }
}

/// What has come of a request.
struct Answer: Sendable, Equatable {
    var status: Int?
    var body: [UInt8] = []
    var failure: TransferFailure?
}

extension UpstreamClient {
    /// Looks again and again until something that another thread does has happened, or 5 s.
    func wait(until isTrue: () -> Bool) async {
        let signal = Signal()
        let timer = Timer(signal)
        for _ in 0..<1000 where !isTrue() {
            loop.set(timer, after: .milliseconds(5))
            while timer.isSet { await signal.wait() }
        }
    }

    /// Asks and reads to the end.
    func answer(port: UInt16, body: [UInt8] = [1, 2, 3]) async -> Answer {
        let signal = Signal()
        let request = UpstreamRequest(
            url: "http://127.0.0.1:\(port)/v1/chat/completions",
            headers: HeaderList(["Content-Type: application/json", "Expect:"]),
            body: UpstreamBody(pieces: [body[...]]))
        guard let transfer = post(request, signal: signal) else { return Answer() }
        var answer = Answer()
        var piece: [UInt8] = []
        while true {
            let isOver = transfer.end != nil
            transfer.take(into: &piece)
            answer.body += piece
            if isOver, !transfer.hasBytes { break }
            if !transfer.hasBytes { await signal.wait() }
        }
        answer.status = transfer.head?.status
        if case .failure(let failure) = transfer.end { answer.failure = failure }
        return answer
    }
}
