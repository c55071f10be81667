// One worker's way to one upstream: its connections and the headers of its requests.
internal import Configuration
internal import EventLoop
internal import HTTP
internal import Upstream

/// What a worker holds of an upstream; confined to it.
final class UpstreamLink {
    let server: UpstreamServer
    let client: UpstreamClient
    private let shared: SharedState
    private var headers: (generation: Int, stream: HeaderList, whole: HeaderList)?

    /// A link without connections; `nil` when libcurl has no memory.
    init?(_ server: UpstreamServer, _ shared: SharedState, on loop: EventLoop) {
        let options = UpstreamOptions(shared.settings, server.settings)
        guard let client = UpstreamClient(loop, options: options) else { return nil }
        self.server = server
        self.shared = shared
        self.client = client
    }

    /// The key that a request of this client goes out with.
    func key(_ head: RequestHead) -> String? {
        server.settings.authentication == .passthrough
            ? Credentials.presented(head).first : shared.credentials.upstreamKey(server.place)
    }

    /// The header lines of a request, made anew only when a key has changed or is the client's.
    func headers(isStream: Bool, _ head: RequestHead) -> HeaderList {
        let extra = passedOn(head)
        if server.settings.authentication == .passthrough || !extra.isEmpty {
            return HeaderList(lines(isStream, key: key(head)) + extra)
        }
        let generation = shared.credentials.generation
        if headers?.generation != generation {
            let key = shared.credentials.upstreamKey(server.place)
            headers = (
                generation, HeaderList(lines(true, key: key)), HeaderList(lines(false, key: key))
            )
        }
        guard let headers else { return HeaderList([]) }
        return isStream ? headers.stream : headers.whole
    }

    private static let requestIDBytesMax = 128

    /// What of the client's headers the upstream gets: the trace, its own name for the request, and
    /// Anthropic's own where they are understood; the client's credentials too if they are to do.
    private func passedOn(_ head: RequestHead) -> [String] {
        var trace = TraceContext(head)?.lines(spanID: Entropy.word()) ?? []
        if let id = head.header("x-request-id"), id.utf8.count <= Self.requestIDBytesMax {
            trace.append("x-request-id: \(id)")
        }
        guard server.settings.interface == .anthropic else { return trace }
        var names: [StaticString] = ["anthropic-version", "anthropic-beta"]
        if server.settings.authentication == .passthrough {
            names += ["authorization", "x-api-key"]
        }
        return trace + names.compactMap { name in head.header(name).map { "\(name): \($0)" } }
    }

    private func lines(_ isStream: Bool, key: String?) -> [String] {
        var lines = [
            "Content-Type: application/json",
            "Accept: \(isStream ? "text/event-stream" : "application/json")",
        ]
        let settings = server.settings
        if let key, !key.isEmpty {
            switch settings.authentication {
            case .passthrough where settings.interface == .anthropic: break
            case .bearer, .passthrough: lines.append("Authorization: Bearer \(key)")
            case .apiKey: lines.append("api-key: \(key)")
            case .xAPIKey: lines.append("x-api-key: \(key)")
            case .none: break
            }
        }
        if let organization = settings.organization {
            lines.append("OpenAI-Organization: \(organization)")
        }
        if let project = settings.project { lines.append("OpenAI-Project: \(project)") }
        return lines + settings.headers.map { "\($0.name): \($0.value)" }
    }
}

extension UpstreamOptions {
    init(_ settings: Settings, _ upstream: UpstreamSettings) {
        self.init()
        connectTimeoutMilliseconds = Int(settings.connectTimeout.nanoseconds / 1_000_000)
        userAgent = "claude-sidecar/\(SharedState.version)"
        let transport = upstream.transport
        caFile = transport.caFile?.path
        caDirectory = transport.caDirectory?.path
        clientCertificateFile = transport.clientCertificate?.path
        clientKeyFile = transport.clientKey?.path
        skipsTLSVerification = transport.skipsVerification
        usesHTTP2 = transport.httpVersion == .two
        unixSocketPath = upstream.unixPath
        // No proxy leads to a socket of this machine.
        proxy = upstream.unixPath == nil ? transport.proxy : ""
        proxyExceptions = transport.proxyExceptions
    }
}
