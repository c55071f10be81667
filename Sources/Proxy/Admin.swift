// The admin listener: probes, metrics, and what an operator may look at or change.
internal import Configuration
internal import EventLoop
internal import HTTP
internal import Server
internal import Translation

/// The admin listener's tenant, on a thread of its own: a scrape never delays a token, and a busy
/// worker never fails a probe.
final class AdminContext: WorkerTenant, RequestHandler {
    private let shared: SharedState
    private var mint: IdentifierMint
    private var listener: Listener?
    let isDone = false

    init(_ shared: SharedState, on loop: EventLoop, _ socket: Socket) {
        self.shared = shared
        mint = IdentifierMint(seed: (Entropy.word(), Entropy.word()))
        var limits = ServerLimits()
        limits.connections = ConnectionLimit(256)
        listener = Listener(socket, on: loop, limits: limits, handler: self)
    }

    /// The admin listener answers until the process ends.
    func receive(_ message: WorkerMessage) {}

    func respond(to head: RequestHead, over connection: Connection) async {
        let path = Route.plain(head.path)
        if let probe = Route.probe(path) {
            guard case .wrongMethod(let allow) = Route.get(head, probe) else {
                return await Probes(shared, hasTraffic: false).respond(
                    to: probe, head, over: connection)
            }
            return await refuse(allow, connection)
        }
        guard path != Route.quitPath else {
            guard head.method == "POST" else { return await refuse("POST", connection) }
            return await Probes(shared, hasTraffic: false).respond(
                to: .quit, head, over: connection)
        }
        let endpoints = AdminEndpoint.all.filter { $0.path == path }
        guard !endpoints.isEmpty else {
            return await refuse(404, "Not found: \(head.method) \(path)", connection)
        }
        guard let endpoint = endpoints.first(where: { $0.method == head.method }) else {
            return await refuse(
                endpoints.map(\.method).joined(separator: ", "), connection)
        }
        // A page in a browser on this machine, which would send its origin along, may not ask.
        guard !endpoint.isLocal || connection.isPeerLocal && head.header("origin") == nil else {
            return await refuse(403, "only clients on this machine may ask this", connection)
        }
        guard let body = try? await connection.readBody(bytesMax: Self.bodyBytesMax) else {
            return await refuse(400, "the body cannot be read, or is too large", connection)
        }
        await respond(endpoint.answer(AdminRequest(shared: shared, body: body)), connection)
    }

    func body(for error: HTTPError) -> (headers: [(String, String)], bytes: [UInt8]) {
        let id = mint.next("req")
        let problem = APIError(
            .invalidRequest, error.message, label: .callerInvalid, status: error.status)
        return (WorkerContext.headers(id), problem.body(requestID: id))
    }

    /// Nothing that an operator sends is large.
    private static let bodyBytesMax = 4096

    private func respond(_ answer: AdminAnswer, _ connection: Connection) async {
        switch answer {
        case .json(let bytes):
            await connection.respond(
                status: 200, headers: [("content-type", "application/json")], body: bytes)
        case .text(let text):
            await connection.respond(
                status: 200, headers: [("content-type", "text/plain; charset=utf-8")],
                body: Array(text.utf8))
        case .refused(let status, let message): await refuse(status, message, connection)
        }
    }

    /// Another method would have been right.
    private func refuse(_ methods: String, _ connection: Connection) async {
        await refuse(405, "use \(methods)", connection, [("allow", methods)])
    }

    private func refuse(
        _ status: Int, _ message: String, _ connection: Connection,
        _ headers: [(String, String)] = []
    ) async {
        let kind: APIError.Kind =
            switch status {
            case 403: .permission
            case 404: .notFound
            default: .invalidRequest
            }
        let error = APIError(kind, message, label: .callerInvalid, status: status)
        await connection.respond(error, mint.next("req"), headers)
    }
}

/// A path of the admin listener besides probes and metrics.
struct AdminEndpoint: Sendable {
    let method: String
    let path: String
    /// Whether only clients on this machine may ask: what changes or shows the inside.
    let isLocal: Bool
    let answer: @Sendable (AdminRequest) -> AdminAnswer

    /// Everything there is; whoever adds a path adds a row.
    static let all: [AdminEndpoint] = [
        showConfiguration, showLogLevel, changeLogLevel, showUpstreams,
    ]
}

/// What an endpoint is given; it runs on the admin thread and may take its time.
struct AdminRequest {
    let shared: SharedState
    let body: [UInt8]
}

/// What an endpoint says.
enum AdminAnswer: Equatable {
    case json([UInt8])
    case text(String)
    case refused(status: Int, message: String)
}
