// `claude-sidecar check --probe`: one tiny request upstream, and what its answer means.
package import Configuration
internal import EventLoop
internal import Telemetry
internal import Upstream

/// Asks the upstream once, by way of a sidecar that lives for this one request: what is tried is
/// what will run.
package enum UpstreamProbe {
    /// A name that `BIG_MODEL` stands for, and any rule for all names.
    private static let model = "claude-opus-4-1"
    private static let patience = 30
    private static let answerBytesMax = 64 << 10
    private static let shownBytesMax = 600

    /// Lines that say what came back from each upstream, and whether all were answers of a model's.
    package static func run(_ settings: Settings) -> (lines: [String], isGood: Bool) {
        UpstreamClient.prepareProcess()
        let results = settings.upstreams.map { ask($0, settings) }
        return (results.flatMap(\.lines), results.allSatisfy(\.isGood))
    }

    private static func ask(
        _ upstream: UpstreamSettings, _ settings: Settings
    ) -> (lines: [String], isGood: Bool) {
        let name = settings.upstreams.count == 1 ? "probe" : "probe of \(upstream.name)"
        let title = name + String(repeating: " ", count: max(1, 18 - name.count))
        let settings = alone(upstream, settings)
        let model = model(settings)
        let started = Instant.read()
        let shared = SharedState(settings, workers: 1)
        guard let answer = ask(shared, model), let status = status(of: answer) else {
            return ([title + "could not be sent"], false)
        }
        let milliseconds = Instant.read().nanoseconds(since: started) / 1_000_000
        let body = answer.split(separator: "\r\n" as Character).last ?? ""
        return (
            [
                title + "\(status) to \(model) after \(milliseconds) ms",
                "  answer          \(body.prefix(shownBytesMax))",
                "  this means      "
                    + meaning(status, isReached: shared.upstreams[0].report().isReached == true),
            ], status == 200
        )
    }

    /// A model that the only upstream of these settings serves.
    private static func model(_ settings: Settings) -> String {
        let router = UpstreamRouter(settings)
        let own = settings.upstreams.flatMap { $0.modelRules.map(\.model) + $0.models }
        // A pattern alone names no model; what it leaves is the best there is.
        let names = [model] + own.filter { !$0.contains("*") } + own.map { $0.filter { $0 != "*" } }
        return names.first { !router.candidates(for: $0).isEmpty } ?? model
    }

    /// The settings of one upstream, for one request from here: open to us alone, silent, and soon
    /// at an end.
    private static func alone(_ upstream: UpstreamSettings, _ settings: Settings) -> Settings {
        var settings = settings
        settings.upstreams = [upstream]
        settings.modelRules.removeAll { $0.upstream != nil && $0.upstream != upstream.name }
        settings.clientKeys = []
        settings.logLevel = .off
        settings.retriesMax = 0
        let patience = Duration.seconds(patience)
        settings.firstByteTimeout = min(settings.firstByteTimeout, patience)
        settings.requestTimeout = min(settings.requestTimeout ?? patience, patience)
        return settings
    }

    private static func ask(_ shared: SharedState, _ model: String) -> String? {
        _ = shared.credentials.reload()
        let local = ListenAddress.tcp(host: "127.0.0.1", port: 0)
        guard let (listener, address) = try? ListeningSocket.open(local) else { return nil }
        Worker().start(named: "probe") { loop in Sidecar.tenant(shared, loop, listener, 0) }
        guard let socket = BlockingSocket(address, seconds: CInt(patience + 5)) else {
            return nil
        }
        defer { socket.close() }
        let body = """
            {"model":"\(model)","max_tokens":16,"messages":[{"role":"user","content":"Say OK."}]}
            """
        let request = """
            POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
            content-length: \(body.utf8.count)\r\n\r\n\(body)
            """
        guard socket.sendAll(Array(request.utf8)) else { return nil }
        return String(decoding: socket.receiveAll(upTo: answerBytesMax), as: UTF8.self)
    }

    private static func status(of answer: String) -> Int? {
        let words = answer.prefix { $0 != "\r\n" }.split(separator: " ")
        return words.count > 1 ? Int(words[1]) : nil
    }

    private static func meaning(_ status: Int, isReached: Bool) -> String {
        switch status {
        case 200: "the upstream works with these settings"
        case 400: "the upstream does not take the request: DIALECT, MAX_TOKENS_FIELD, the model"
        case 401, 403: "the upstream refuses the key, the account or the region"
        case 402: "the upstream's account has no quota or no money left"
        case 404: "no such model or path: BIG_MODEL, MODEL_MAP, the end of OPENAI_BASE_URL"
        case 429: "the upstream is there and limits the rate"
        case 502 where isReached:
            "reached, but the key is refused, or this is no model: OPENAI_API_KEY, OPENAI_BASE_URL"
        case 502: "not reached: OPENAI_BASE_URL, a proxy on the way, UPSTREAM_CA_FILE"
        case 504: "the upstream was reached and said nothing in time"
        case 529: "the upstream is there and has too much to do"
        default: "the upstream failed: its own log says why"
        }
    }
}
