// What is set about one upstream.

/// One server that models answer on, and how it is talked to.
package struct UpstreamSettings: Sendable {
    /// What the server speaks.
    package enum Interface: String, Sendable, CaseIterable { case openai, anthropic }

    /// The name that `UPSTREAMS` gives it; `default` when there is only the one without a name.
    package var name = "default"
    /// `OPENAI_BASE_URL`, or `UPSTREAM_<NAME>_BASE_URL`.
    package var baseURL = ""
    /// A Unix socket that is connected to in place of the URL's host.
    package var unixPath: String?
    /// `OPENAI_API_KEY`, or `UPSTREAM_<NAME>_API_KEY`.
    package var key: SecretSource?
    /// `OPENAI_ORG_ID`.
    package var organization: String?
    /// `OPENAI_PROJECT_ID`.
    package var project: String?
    /// `AZURE_API_VERSION`.
    package var azureAPIVersion: String?
    /// `UPSTREAM_AUTH`, or `UPSTREAM_<NAME>_AUTH`.
    package var authentication = Settings.Authentication.bearer
    /// `DIALECT`, or `UPSTREAM_<NAME>_DIALECT`.
    package var dialect = "auto"
    /// `UPSTREAM_PROTOCOL`, or `UPSTREAM_<NAME>_PROTOCOL`; never undecided.
    package var interface = Interface.openai
    /// `UPSTREAM_<NAME>_MODELS`: names and patterns it serves, as clients or as itself calls them;
    /// empty when it serves every name.
    package var models: [String] = []
    /// `UPSTREAM_<NAME>_MODEL_MAP`.
    package var modelRules: [(pattern: String, model: String)] = []
    /// `UPSTREAM_<NAME>_CUSTOM_HEADER_<HEADER>`, and those of `CUSTOM_HEADER_<NAME>` that it does
    /// not replace.
    package var headers: [(name: String, value: String)] = []
    /// TLS, HTTP and proxies: its own, or those of all.
    package var transport = UpstreamTransport()

    /// An upstream about which nothing is known yet.
    package init() {}

    /// Host and path of its address, for messages.
    var address: UpstreamAddress? { UpstreamAddress(baseURL) }
}

/// The names under which the settings of one upstream stand.
struct UpstreamVariables {
    let baseURL: Setting
    let key: Setting
    let authentication: Setting
    let dialect: Setting
    let interface: Setting
    let caFile: Setting
    let caDirectory: Setting
    let clientCertificate: Setting
    let clientKey: Setting
    let skipsVerification: Setting
    let httpVersion: Setting
    let headerPrefix: String
    /// libcurl has its own variables for everybody's proxies.
    var proxy: Setting?
    var noProxy: Setting?
    /// Only a named upstream has models of its own: the map without a name is everybody's.
    var models: Setting?
    var modelMap: Setting?

    /// The one upstream that needs no name.
    static let unnamed = UpstreamVariables(
        baseURL: .baseURL, key: .upstreamKey, authentication: .authentication, dialect: .dialect,
        interface: .interface, caFile: .caFile, caDirectory: .caDirectory,
        clientCertificate: .clientCertificate, clientKey: .clientKey,
        skipsVerification: .skipsVerification, httpVersion: .httpVersion,
        headerPrefix: SettingsTable.headerPrefix)

    /// An upstream that `UPSTREAMS` names: `UPSTREAM_<NAME>_MODELS` of `my-azure` is
    /// `UPSTREAM_MY_AZURE_MODELS`.
    static func named(_ name: String) -> UpstreamVariables {
        let middle = String(name.uppercased().map { $0 == "-" ? "_" : $0 })
        func filled(_ pattern: Setting) -> Setting {
            let ending = pattern.name.dropFirst(SettingsTable.upstreamPattern.count)
            return pattern.named(SettingsTable.upstreamPrefix + middle + ending)
        }
        return UpstreamVariables(
            baseURL: filled(.namedBaseURL), key: filled(.namedKey),
            authentication: filled(.namedAuthentication), dialect: filled(.namedDialect),
            interface: filled(.namedInterface), caFile: filled(.namedCAFile),
            caDirectory: filled(.namedCADirectory),
            clientCertificate: filled(.namedClientCertificate),
            clientKey: filled(.namedClientKey),
            skipsVerification: filled(.namedSkipsVerification),
            httpVersion: filled(.namedHTTPVersion),
            headerPrefix: SettingsTable.upstreamPrefix + middle + "_" + SettingsTable.headerPrefix,
            proxy: filled(.namedProxy), noProxy: filled(.namedNoProxy),
            models: filled(.namedModels), modelMap: filled(.namedModelMap))
    }

    var all: [Setting] {
        [
            baseURL, key, authentication, dialect, interface, caFile, caDirectory,
            clientCertificate, clientKey, skipsVerification, httpVersion,
        ] + [proxy, noProxy, models, modelMap].compactMap { $0 }
    }
}

extension SettingsTable {
    /// What the names of named upstreams begin with.
    static let upstreamPrefix = "UPSTREAM_"
    static let upstreamPattern = upstreamPrefix + "<NAME>"

    /// Every name that is read about these upstreams.
    static func names(ofUpstreams upstreams: [String]) -> Set<String> {
        Set(upstreams.flatMap { UpstreamVariables.named($0).all }.flatMap(\.names))
    }
}
