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
    static let namedHeader = Setting(
        .upstream, SettingsTable.upstreamPattern + "_CUSTOM_HEADER_<HEADER>", .text,
        "a header for it alone, in place of the same one for all")
    static let namedCAFile = Setting(
        .upstream, SettingsTable.upstreamPattern + "_CA_FILE", .path, unset: "as UPSTREAM_CA_FILE",
        "CA bundle that vouches for it")
    static let namedCADirectory = Setting(
        .upstream, SettingsTable.upstreamPattern + "_CA_DIR", .path, unset: "as UPSTREAM_CA_DIR",
        "folder of authorities that vouch for it")
    static let namedClientCertificate = Setting(
        .upstream, SettingsTable.upstreamPattern + "_CLIENT_CERT", .path,
        unset: "as UPSTREAM_CLIENT_CERT", "file of our certificate for it")
    static let namedClientKey = Setting(
        .upstream, SettingsTable.upstreamPattern + "_CLIENT_KEY", .path,
        unset: "in the certificate's file", "file of that certificate's key")
    static let namedSkipsVerification = Setting(
        .upstream, SettingsTable.upstreamPattern + "_TLS_INSECURE", .flag,
        unset: "as UPSTREAM_TLS_INSECURE", "true trusts whoever answers in its place")
    static let namedHTTPVersion = Setting(
        .upstream, SettingsTable.upstreamPattern + "_HTTP_VERSION",
        .choice(Settings.HTTPVersion.allCases.map(\.rawValue)), unset: "as UPSTREAM_HTTP_VERSION",
        "2 is spoken if it agrees on it over TLS")
    static let namedProxy = Setting(
        .upstream, SettingsTable.upstreamPattern + "_PROXY", .proxy,
        unset: "as HTTPS_PROXY and the others say", "proxy on the way to it; none goes straight")
    static let namedNoProxy = Setting(
        .upstream, SettingsTable.upstreamPattern + "_NO_PROXY", .list, unset: "as NO_PROXY",
        "hosts that its proxy is not asked for")

    /// The patterns above, which stand for the variables of every name.
    static let ofNamedUpstream: [Setting] = [
        .namedBaseURL, .namedKey, .namedAuthentication, .namedDialect, .namedInterface,
        .namedModels, .namedModelMap, .namedHeader, .namedCAFile, .namedCADirectory,
        .namedClientCertificate, .namedClientKey, .namedSkipsVerification, .namedHTTPVersion,
        .namedProxy, .namedNoProxy,
    ]

    /// What is read only while there is one upstream without a name.
    static let ofUnnamedUpstream: [Setting] = [
        .baseURL, .upstreamKey, .azureEndpoint, .azureKey, .azureAPIVersion, .organization,
        .project, .authentication,
        .dialect, .interface,
    ]
}
