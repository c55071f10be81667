// One upstream, as all workers know it.
internal import Configuration
internal import EventLoop
internal import Synchronization
internal import Telemetry
internal import Translation

/// Where an upstream is, what it accepts, and how it has been of late.
final class UpstreamServer: Sendable {
    /// Its place among all upstreams.
    let place: Int
    let settings: UpstreamSettings
    let dialect: Dialect
    let models: ModelMap
    let translator: RequestTranslator
    /// Where requests go; `{model}` in it stands for the model's name.
    let endpointURL: String
    /// Keys in the address itself.
    let querySecrets: [String]
    private let namesModel: Bool
    /// Where it tells of its models; `nil` when that are no names to ask by.
    let modelsURL: String?
    let tellsModels = UpstreamModels()
    let learned = LearnedQuirks()
    private let health: Mutex<Health>

    /// How it has been of late; looked at a few times for each attempt, never for a token.
    struct Health: Sendable {
        var breaker = CircuitBreaker()
        var budget: RetryBudget
        /// Whether the last attempt reached it; `nil` before the first.
        var isReached: Bool?
    }

    init(_ settings: UpstreamSettings, place: Int, _ all: Settings) {
        self.place = place
        self.settings = settings
        let base = settings.baseURL
        querySecrets = base.querySecrets
        dialect = Dialect.named(settings.dialect) ?? Dialect.detect(baseURL: base)
        models = UpstreamRouter.map(settings, all.modelRules)
        translator = RequestTranslator(
            models: models, dialect: dialect, limits: RequestLimits(all))
        switch settings.interface {
        case .openai: endpointURL = ChatEndpoint.url(base: base)
        case .anthropic: endpointURL = MessagesEndpoint.url(base: base)
        }
        namesModel = endpointURL.contains("{model}")
        // Azure's classic addresses tell of models, but are asked by names of deployments.
        let isClassic = dialect.name == Dialect.azure.name && endpointURL.contains("/deployments/")
        modelsURL = isClassic ? nil : ModelsEndpoint.url(beside: endpointURL)
        health = Mutex(Health(budget: RetryBudget(now: .read())))
    }

    var name: String { settings.name }

    /// Where requests go, without a key in its query.
    var shownURL: String { endpointURL.withoutSecrets }

    /// Whether requests carry a key of ours rather than the client's.
    var ownsKey: Bool { settings.authentication != .passthrough }

    /// Where a request for a model goes: Azure's classic addresses name the deployment.
    ///
    /// `nil` for what can be no model's name there.
    func endpointURL(for model: String) -> String? {
        namesModel ? ChatEndpoint.url(endpointURL, for: model) : endpointURL
    }

    /// The path of its URL, for messages.
    var endpointPath: String {
        "/" + endpointTail.drop { $0 != "/" }.dropFirst().prefix { $0 != "?" }
    }

    /// Its host and port, or its socket, for messages.
    var endpointHost: String {
        settings.unixPath.map { "unix:" + $0 } ?? String(endpointTail.prefix { $0 != "/" })
    }

    /// Its URL without the scheme; nothing is empty in it but what stands between the scheme's two
    /// slashes.
    private var endpointTail: Substring {
        endpointURL.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).last ?? ""
    }

    // MARK: - Health

    /// How it is now.
    func health(now: Instant) -> Health {
        health.withLock { health in
            health.budget.refill(now)
            return health
        }
    }

    /// What a scrape tells of it.
    func report() -> UpstreamReport {
        let (isReached, state) = health.withLock { ($0.isReached, $0.breaker.state) }
        return UpstreamReport(name: name, isReached: isReached, breaker: state.label)
    }

    /// Whether a request may go out now.
    func admit(now: Instant) -> Bool { health.withLock { $0.breaker.admit(now: now) } }

    /// Counts a request that comes to it for the first time.
    func deposit() { health.withLock { $0.budget.deposit() } }

    /// Takes a retry; `false` when none is left.
    func withdraw(now: Instant) -> Bool { health.withLock { $0.budget.withdraw(now: now) } }

    /// The last attempt got a head of an answer, or none.
    func note(isReached: Bool) { health.withLock { $0.isReached = isReached } }

    /// Hears how an attempt ended; `nil` when that tells nothing of the upstream.
    func judge(_ isWell: Bool?, now: Instant) {
        health.withLock { health in
            switch isWell {
            case true?: health.breaker.succeed()
            case false?: health.breaker.fail(now: now)
            case nil: health.breaker.forget(now: now)
            }
        }
    }
}

extension CircuitBreaker.State {
    /// The state's name, for metrics.
    var label: BreakerLabel {
        switch self {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }
}
