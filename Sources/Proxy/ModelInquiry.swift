// `GET /v1/models`: names from the map, and what the upstreams tell of theirs (translation 6).
internal import Configuration
internal import EventLoop
internal import HTTP
internal import Server
internal import Translation
internal import Upstream

extension WorkerContext {
    /// Names that clients may ask for, each once; `MODELS` is the whole list.
    func modelNames(_ head: RequestHead, _ connection: Connection) async -> [String] {
        guard shared.settings.models.isEmpty else { return shared.models }
        let told = await ModelInquiry(self, connection).names(head)
        var seen = Set(shared.models)
        return shared.models + told.filter { seen.insert($0).inserted }
    }
}

/// Asks all upstreams at once for their models, where that is not known.
///
/// An upstream that fails, or is slow, adds nothing to the list: no client waits long for it.
private final class ModelInquiry {
    /// Less than the three seconds that Claude Code waits.
    private static let patience = Duration.seconds(2)
    private static let answerBytesMax = 4 << 20

    private struct Question {
        let link: UpstreamLink
        let transfer: Transfer?
        var body: [UInt8] = []
        var piece: [UInt8] = []

        var isOpen: Bool { transfer.map { $0.end == nil || $0.hasBytes } ?? false }

        /// The whole answer, when there is a good one.
        var answer: [UInt8]? {
            guard let transfer, transfer.head?.status == 200, !transfer.hasBytes,
                case .success = transfer.end
            else { return nil }
            return body
        }

        mutating func take() {
            guard let transfer, transfer.hasBytes else { return }
            transfer.take(into: &piece)
            body += piece
            if body.count > answerBytesMax { transfer.cancel() }
        }
    }

    private let context: WorkerContext
    private let connection: Connection

    init(_ context: WorkerContext, _ connection: Connection) {
        self.context = context
        self.connection = connection
    }

    func names(_ head: RequestHead) async -> [String] {
        var known: [Int: [String]] = [:]
        var questions: [Question] = []
        for link in context.links {
            guard let url = link.server.modelsURL else { continue }
            if let names = link.server.tellsModels.names(now: context.loop.now) {
                known[link.server.place] = names
            } else {
                let headers = link.headers(isStream: false, head)
                let transfer = link.client.get(url, headers, signal: connection.signal)
                questions.append(Question(link: link, transfer: transfer))
            }
        }
        await wait(for: &questions)
        for question in questions {
            known[question.link.server.place] = await remember(question)
        }
        return known.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    private func wait(for questions: inout [Question]) async {
        let timer = Timer(connection.signal)
        let deadline = context.loop.now + Self.patience
        defer { context.loop.cancel(timer) }
        while questions.contains(where: \.isOpen) {
            for place in questions.indices { questions[place].take() }
            guard questions.contains(where: \.isOpen), context.loop.now < deadline,
                !connection.isPeerGone, !context.isStopping
            else { return }
            context.loop.set(timer, at: deadline)
            await connection.signal.wait()
        }
    }

    /// What the upstream has told, without names that would not reach it as they are.
    private func remember(_ question: Question) async -> [String] {
        question.transfer?.cancel()
        let server = question.link.server
        // A list may say much of each model: it is read where nobody waits.
        let told = await read(question.answer)
        let router = context.shared.router
        let names = told?.filter { name in
            server.models.resolve(name) == name
                && router.candidates(for: name).contains(server.place)
        }
        // Of a client that was gone before the answer nothing is learned.
        guard names != nil || !connection.isPeerGone else { return [] }
        // With the key of this client, it is this client's list.
        guard server.settings.authentication != .passthrough else { return names ?? [] }
        return server.tellsModels.note(names, now: context.loop.now)
    }

    private func read(_ answer: [UInt8]?) async -> [String]? {
        guard let answer else { return nil }
        guard answer.count > 16 * 1024 else { return ModelListing.names(answer) }
        return await OffWorker.run { ModelListing.names(answer) }
    }
}
