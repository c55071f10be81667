// What all workers share: settings, translators, credentials, metrics.
package import Configuration
internal import EventLoop
internal import Server
internal import Synchronization
internal import Telemetry
internal import Translation
internal import Upstream

/// Made once at the start; read by every thread.
package final class SharedState: Sendable {
    static let version = "0.1.0"

    /// What was set.
    package let settings: Settings
    /// Where the process is in its life.
    package let lifecycle = Lifecycle()
    let timeouts: Timeouts
    let translator: RequestTranslator
    /// Where requests go; for Azure's classic addresses it depends on the model.
    let endpointURL: String
    private let azureVersion: String?
    let models: [String]
    let metrics: MetricsRegistry
    let shards: [MetricsShard]
    let credentials: Credentials
    let admission: Admission
    let rateLimits: RateLimits
    let learned = LearnedQuirks()
    let calibration = TokenCalibration()
    let retryPolicy: RetryPolicy
    let retryBudget = Mutex(RetryBudget(now: .read()))
    let upstreamState = UpstreamState()
    let log: Log
    /// Limits of the main listener, on each worker.
    let serverLimits: ServerLimits

    /// Prepares everything that does not depend on a worker.
    package init(_ settings: Settings, workers: Int) {
        self.settings = settings
        timeouts = Timeouts(settings)
        retryPolicy = RetryPolicy(retriesMax: settings.retriesMax)
        let base = settings.baseURL
        let dialect =
            Dialect.named(settings.dialect) ?? Dialect.detect(baseURL: base)
        let map = ModelMap(
            rules: settings.modelRules.map { ModelRule(pattern: $0.pattern, model: $0.model) })
        translator = RequestTranslator(
            models: map, dialect: dialect, limits: RequestLimits(settings))
        endpointURL = ChatEndpoint.url(base: base)
        azureVersion = dialect.name == Dialect.azure.name ? settings.azureAPIVersion : nil
        models = settings.models.isEmpty ? map.aliases + map.upstreamModels : settings.models
        let mapped = map.upstreamModels
        let labelled = mapped + settings.models.filter { !mapped.contains($0) }
        // The last shard belongs to the admin listener.
        shards = (0...workers).map { _ in MetricsShard(modelCount: labelled.count) }
        metrics = MetricsRegistry(
            shards: shards, models: labelled, build: BuildReport(settings, dialect: dialect.name))
        credentials = Credentials(settings)
        admission = Admission(settings)
        rateLimits = RateLimits(settings)
        log = Log(settings)
        serverLimits = ServerLimits(settings, workers: workers)
    }

    /// Where a request for a model goes: Azure's classic addresses name the deployment.
    func endpointURL(for model: String) -> String {
        guard let azureVersion else { return endpointURL }
        return ChatEndpoint.url(
            base: settings.baseURL, azureDeployment: model, apiVersion: azureVersion)
    }

    /// The path of the upstream's URL, for messages.
    var endpointPath: String {
        "/" + endpointTail.drop { $0 != "/" }.dropFirst().prefix { $0 != "?" }
    }

    /// Host and port of the upstream, for messages.
    var endpointHost: String { String(endpointTail.prefix { $0 != "/" }) }

    /// The upstream's URL without its scheme; nothing is empty in it but what stands between the
    /// scheme's two slashes.
    private var endpointTail: Substring {
        endpointURL.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).last ?? ""
    }

    /// The answer to a scrape.
    func exposition(_ format: ExpositionFormat) -> [UInt8] {
        var report = ProcessReport.read()
        report.isDraining = lifecycle.isDraining
        report.isUpstreamUp = upstreamState.isUp
        report.learnedQuirks = learned.counts(now: Instant.read())
        report.inflightBodyBytes = admission.heldBytes
        report.memoryBudgetBytes = admission.bytesMax
        return metrics.exposition(report, format)
    }
}

extension RequestLimits {
    init(_ settings: Settings) {
        self.init()
        minTokens = settings.minTokens
        maxTokens = settings.maxTokens
        usesMaxCompletionTokens = settings.usesMaxCompletionTokens
        if settings.reasoningEffort != .auto { reasoningEffort = settings.reasoningEffort.rawValue }
        stripsAttribution = settings.stripsBillingNonce
        isStrict = settings.unsupported == .strict
        keepsReasoning = settings.reasoningReplay == .none
        systemEntries = Dialect.SystemEntries(rawValue: settings.systemEntries.rawValue)
        refusesPrefill = settings.prefill == .reject
        webSearch =
            switch settings.webSearch {
            case .reject: .reject
            case .drop: .drop
            case .upstream: .upstream
            }
        includesDeferredTools = settings.deferLoading == .include
        forwardsUser = settings.forwardUser == .hash
        extraBody = settings.extraBody.flatMap { ExtraBody(parsing: $0) }
        answers = AnswerOptions(settings)
    }
}

extension AnswerOptions {
    init(_ settings: Settings) {
        self.init()
        estimatesAtStart = settings.startUsage == .estimate
        thinkTags =
            switch settings.thinkTags {
            case .auto: .auto
            case .implicit: .implicit
            case .off: .off
            }
    }
}

extension ServerLimits {
    init(_ settings: Settings, workers: Int) {
        self.init()
        connectionsMax = (settings.connectionsMax + workers - 1) / workers
        peers = settings.connectionsPerPeerMax.map { PeerCounts(connectionsMax: $0) }
        headTimeout = settings.headerTimeout
        bodyIdleTimeout = settings.bodyTimeout
        idleTimeout = settings.idleTimeout
    }
}
