// What all workers share: settings, translators, credentials, metrics.
package import Configuration
internal import EventLoop
internal import Server
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
    /// Where requests go, the first choice first; never empty.
    let upstreams: [UpstreamServer]
    let router: UpstreamRouter
    let models: [String]
    let metrics: MetricsRegistry
    let shards: [MetricsShard]
    let credentials: Credentials
    let admission: Admission
    let rateLimits: RateLimits
    let calibration = TokenCalibration()
    let prefixes = PrefixStability()
    let retryPolicy: RetryPolicy
    let log: Log
    /// Limits of the main listener.
    let serverLimits: ServerLimits

    /// Prepares everything that does not depend on a worker.
    package init(_ settings: Settings, workers: Int) {
        self.settings = settings
        timeouts = Timeouts(settings)
        retryPolicy = RetryPolicy(retriesMax: settings.retriesMax)
        upstreams = settings.upstreams.enumerated().map { place, upstream in
            UpstreamServer(upstream, place: place, settings)
        }
        router = UpstreamRouter(settings)
        let mapped = Self.unique(upstreams.flatMap(\.models.upstreamModels))
        let aliases = Self.unique(upstreams.flatMap(\.models.aliases))
        models = settings.models.isEmpty ? Self.unique(aliases + mapped) : settings.models
        let labelled = Self.unique(mapped + settings.models)
        // The last shard belongs to the admin listener.
        shards = (0...workers).map { _ in MetricsShard(modelCount: labelled.count) }
        metrics = MetricsRegistry(
            shards: shards, models: labelled, build: BuildReport(settings, upstreams))
        credentials = Credentials(settings)
        admission = Admission(settings)
        rateLimits = RateLimits(settings)
        log = Log(settings)
        serverLimits = ServerLimits(settings)
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The answer to a scrape.
    func exposition(_ format: ExpositionFormat) -> [UInt8] {
        var report = ProcessReport.read()
        report.isDraining = lifecycle.isLeaving
        report.upstreams = upstreams.map { $0.report() }
        report.learnedQuirks = LearnedQuirks.counts(
            upstreams.map(\.learned), now: Instant.read())
        report.droppedLogLines = log.writer.droppedCount
        report.memoryLimitBytes = Container.memoryBytesMax()
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
        reasoningHeadroom = settings.reasoningHeadroom
        if settings.reasoningEffort != .auto { reasoningEffort = settings.reasoningEffort.rawValue }
        stripsAttribution = settings.stripsBillingNonce
        isStrict = settings.unsupported == .strict
        refusesInferenceGeo = settings.rejectsInferenceGeo
        refusesAsAnthropic = settings.refusesAsAnthropic
        usesDeveloperRole = settings.systemRole == .developer
        reservedToolNames = Set(settings.reservedToolNames)
        showsInputExamples = settings.inputExamples == .describe
        keepsReasoning = settings.reasoningReplay == .none
        replaysThisTurnAlone = settings.reasoningReplay == .turn
        systemEntries = Dialect.SystemEntries(rawValue: settings.systemEntries.rawValue)
        refusesPrefill = settings.prefill == .reject
        emulatesCompaction = settings.compaction == .emulate
        webSearch =
            switch settings.webSearch {
            case .reject: .reject
            case .drop: .drop
            case .upstream: .upstream
            }
        includesDeferredTools = settings.deferLoading == .include
        forwardsUser = settings.forwardUser == .hash
        thinksUnasked = settings.thinkingDefault == .auto
        effortPlace =
            switch settings.effortField {
            case .auto: nil
            case .top: .top
            case .object: .object
            }
        fastTier = settings.fastTier?.rawValue
        marksCacheBreakpoints = settings.marksCacheBreakpoints
        passedFields = Set(settings.passedFields)
        extraBody = settings.extraBody.flatMap { ExtraBody(parsing: $0) }
        answers = AnswerOptions(settings)
    }
}

extension AnswerOptions {
    init(_ settings: Settings) {
        self.init()
        showsUpstreamModel = settings.modelEcho == .upstream
        estimatesAtStart = settings.startUsage == .estimate
        stripsFences = settings.stripsFences
        thinkTags =
            switch settings.thinkTags {
            case .auto: .auto
            case .implicit: .implicit
            case .off: .off
            }
    }
}

extension ServerLimits {
    init(_ settings: Settings) {
        self.init()
        connections = ConnectionLimit(settings.connectionsMax)
        peers = settings.connectionsPerPeerMax.map { PeerCounts(connectionsMax: $0) }
        crossOrigin = settings.origins.isEmpty ? nil : CrossOrigin(settings.origins)
        headTimeout = settings.headerTimeout
        bodyIdleTimeout = settings.bodyTimeout
        idleTimeout = settings.idleTimeout
    }
}
