// What is not counted but read when somebody scrapes: the state of the process.

extension MetricDefinition {
    /// Everything that a scrape can show, in the order of its names.
    static let all: [MetricDefinition] = (Metric.allCases.map(\.definition) + reported)
        .sorted { $0.name < $1.name }

    /// What `ProcessReport` and `BuildReport` tell, and what follows from counted metrics.
    static let reported: [MetricDefinition] = [
        .buildInfo, .configInfo, .targetInfo, .draining, .droppedLogLines, .inflightBodyBytes,
        .memoryBudget, .memoryLimit, .upstreamUp, .upstreamBreaker, .learnedQuirks, .cpuSeconds,
        .residentMemory, .virtualMemory,
        .openDescriptors, .descriptorsMax, .startTime, .genAIDuration, .genAIFirstToken,
        .genAIPerToken,
    ]

    static let buildInfo = gauge(
        "build_info", "What is running; always 1.",
        ["version", "commit", "swift", "curl"].map(MetricLabel.told))
    static let configInfo = gauge(
        "config_info", "How it is set up, for each upstream; always 1.",
        ["upstream", "protocol", "dialect", "upstream_auth", "client_auth"].map(MetricLabel.told))
    /// OpenTelemetry's name for the resource's attributes.
    static let targetInfo = foreign(
        "target_info",
        "Attributes of the resource, from OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.", .gauge,
        ["service_name"].map(MetricLabel.told)
    ).shownWhenTouched
    static let draining = gauge("draining", "1 from SIGTERM on.", [])
    static let droppedLogLines = counter(
        "log_lines_dropped_total", "Lines of the log that its reader was too slow for.", [])
    static let inflightBodyBytes = gauge(
        "inflight_body_bytes", "What requests being answered hold of the memory budget.", []
    ).shownWhenTouched
    static let memoryBudget = gauge(
        "memory_budget_bytes", "MEMORY_BUDGET in bytes; absent without a budget.", []
    ).shownWhenTouched
    static let memoryLimit = gauge(
        "memory_limit_bytes", "The container's memory limit; absent without one.", []
    ).shownWhenTouched
    static let upstreamUp = gauge(
        "upstream_up", "Whether the last attempt reached the upstream; nothing before the first.",
        [.told("upstream")]
    ).shownWhenTouched
    static let upstreamBreaker = gauge(
        "upstream_breaker", "Whether an upstream is asked; 1 for the state it is in.",
        [.told("upstream"), .breaker]
    ).shownWhenTouched
    static let learnedQuirks = gauge(
        "learned_quirks",
        "Models of the upstream that are known not to accept something, by what it is.", [.quirk]
    ).shownWhenTouched.unstable

    // The figures that every Prometheus client library reports, by the same names.
    static let cpuSeconds = foreign(
        "process_cpu_seconds_total", "CPU time, user and system.", .counter)
    static let residentMemory = foreign(
        "process_resident_memory_bytes", "Resident memory.", .gauge)
    static let virtualMemory = foreign("process_virtual_memory_bytes", "Virtual memory.", .gauge)
    static let openDescriptors = foreign("process_open_fds", "Open file descriptors.", .gauge)
    static let descriptorsMax = foreign(
        "process_max_fds", "Limit of open file descriptors.", .gauge)
    static let startTime = foreign(
        "process_start_time_seconds", "Start of the process since 1970.", .gauge)
}
