// The settings of upstreams that have names.

extension Setting {
    static let upstreams = Setting(
        .upstream, "UPSTREAMS", .list, unset: "the one above",
        "names of several upstreams, in the order in which they are asked")
    static let namedBaseURL = Setting(
        .upstream, SettingsTable.upstreamPattern + "_BASE_URL", .url, "its address")
    static let namedKey = Setting(
        .upstream, SettingsTable.upstreamPattern + "_API_KEY", .secret, "its key")
    static let namedAuthentication = Setting(
        .upstream, SettingsTable.upstreamPattern + "_AUTH",
        .choice(Settings.Authentication.allCases.map(\.rawValue)), unset: "as UPSTREAM_AUTH",
        "how its key is sent")
    static let namedDialect = Setting(
        .upstream, SettingsTable.upstreamPattern + "_DIALECT", .choice(Settings.dialects),
        default: "auto", "what it accepts")
    static let namedInterface = Setting(
        .upstream, SettingsTable.upstreamPattern + "_PROTOCOL",
        .choice(["auto", "openai", "anthropic"]), default: "auto", "what it speaks")
    static let namedModels = Setting(
        .upstream, SettingsTable.upstreamPattern + "_MODELS", .list, unset: "all",
        "names or patterns of the models that it is asked for")
    static let namedModelMap = Setting(
        .upstream, SettingsTable.upstreamPattern + "_MODEL_MAP", .modelMap,
        "its own pairs, before those of MODEL_MAP")

    /// The patterns above, which stand for the variables of every name.
    static let ofNamedUpstream: [Setting] = [
        .namedBaseURL, .namedKey, .namedAuthentication, .namedDialect, .namedInterface,
        .namedModels, .namedModelMap,
    ]

    /// What is read only while there is one upstream without a name.
    static let ofUnnamedUpstream: [Setting] = [
        .baseURL, .upstreamKey, .azureEndpoint, .azureKey, .azureAPIVersion, .organization,
        .project, .authentication,
        .dialect, .interface,
    ]
}
