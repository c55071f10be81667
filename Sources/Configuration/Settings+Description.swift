// What is odd about settings, and what they are.

extension Settings {
    /// Every setting with its value and whether it was set, a line each; secrets as `***`.
    package func describe() -> [String] { lines }

    static func describe(_ environment: [String: String], _ upstreams: [String]) -> [String] {
        let named = environment["UPSTREAMS"] == nil ? [] : upstreams
        let settings =
            SettingsTable.all.filter { !$0.name.contains("<") }
            + named.flatMap { UpstreamVariables.named($0).all }
        var lines = settings.flatMap { setting in
            let names = setting.names.filter { !(environment[$0] ?? "").trimmed.isEmpty }
            // Keys add up and files win; every other setting goes by the first name that is set.
            let shown = setting.isSecret ? names : Array(names.prefix(1))
            if shown.isEmpty { return ["\(setting.name) = \(fallback(setting))"] }
            return shown.map { "\($0) = \(value(setting, $0, environment[$0] ?? "")) (set)" }
        }
        for key in environment.keys.sorted() where isHeader(key, named) {
            lines.append("\(key) = *** (set)")
        }
        return lines
    }

    /// Whether a variable is a header for all upstreams, or for one of these.
    private static func isHeader(_ variable: String, _ upstreams: [String]) -> Bool {
        variable.hasPrefix(SettingsTable.headerPrefix)
            || upstreams.contains {
                variable.hasPrefix(UpstreamVariables.named($0).headerPrefix)
            }
    }

    private static func fallback(_ setting: Setting) -> String {
        if let value = setting.defaultValue { return "\(value) (default)" }
        return setting.fallback.isEmpty ? "(not set)" : "(not set: \(setting.fallback))"
    }

    private static func value(_ setting: Setting, _ name: String, _ text: String) -> String {
        let isHidden = setting.isSecret && !name.hasSuffix("_FILE")
        return isHidden ? "***" : setting.isProxy ? text.trimmed.shownProxy : text.trimmed.shown
    }

    /// What is odd but no mistake, for the log at the start.
    package var warnings: [String] { remarks + clientWarnings + upstreamWarnings }

    private var clientWarnings: [String] {
        var warnings: [String] = []
        let hasKeyOfOurs = upstreams.contains { $0.authentication != .passthrough }
        if !isOnLoopback, clientKeys.isEmpty, hasKeyOfOurs {
            warnings.append(
                "HOST=\(host) is reachable from other machines and PROXY_API_KEYS is not set: "
                    + "anybody there can spend the upstream's key")
        }
        if !origins.isEmpty, clientKeys.isEmpty, hasKeyOfOurs {
            warnings.append(
                "CORS_ORIGINS is set and PROXY_API_KEYS is not: "
                    + "such a page in anybody's browser can spend the upstream's key")
        }
        for case .value(let secret) in clientKeys where secret.revealed.hasPrefix("sk-ant-") {
            warnings.append(
                "a client key looks like a real Anthropic key; clients of this sidecar need "
                    + "one of your own making")
        }
        return warnings
    }

    private var upstreamWarnings: [String] {
        var warnings: [String] = []
        for warning in upstreams.flatMap({ oddities(of: $0) }) where !warnings.contains(warning) {
            warnings.append(warning)
        }
        return warnings
    }

    private func oddities(of upstream: UpstreamSettings) -> [String] {
        let variables =
            given.contains("UPSTREAMS")
            ? UpstreamVariables.named(upstream.name) : UpstreamVariables.unnamed
        var warnings: [String] = []
        if upstream.transport.skipsVerification {
            let own = variables.skipsVerification.name
            let name = given.contains(own) ? own : Setting.skipsVerification.name
            warnings.append("\(name)=true: the upstream's identity is not checked")
        }
        if upstream.authentication == .passthrough, upstream.key != nil {
            warnings.append(
                "\(variables.authentication.name)=passthrough: the upstream's key is not used")
        }
        guard let address = upstream.address, upstream.unixPath == nil,
            !UpstreamAddress.isNearby(address.host)
        else { return warnings }
        if !address.isEncrypted, upstream.key != nil {
            warnings.append("the base URL is http: the upstream's key can be read on its way")
        }
        let needsKey =
            upstream.authentication != .passthrough && upstream.authentication != .none
        if needsKey, upstream.key == nil, upstream.headers.isEmpty {
            warnings.append("\(variables.key.name) is not set and \(address.host) may want one")
        }
        return warnings
    }

    /// Variables that other programs read and this one does not.
    private static func unread(_ environment: [String: String]) -> [String] {
        ["NODE_EXTRA_CA_CERTS"].filter { environment[$0]?.isEmpty == false }
            .map { "\($0) is not read: UPSTREAM_CA_FILE names a bundle of certificates" }
    }

    /// Variables that are no settings, but one or two letters away from one, or named like ours.
    static func misspelt(
        _ environment: [String: String], _ upstreams: [String]
    ) -> [String] {
        let known = SettingsTable.names.union(SettingsTable.names(ofUpstreams: upstreams))
            .union(environment.keys.filter { isHeader($0, upstreams) })
        let strangers = strangers(environment, known)
        let slips = environment.keys.sorted().filter { !strangers.contains($0) }
            .compactMap { name in
                NameSuggestion.nearest(to: name, among: known).map {
                    "\(name.shown) is no setting; did you mean \($0)?"
                }
            }
        let others = environment.keys.sorted().filter { name in
            !strangers.contains(name) && NameSuggestion.isUnknown(name, among: known)
        }
        return slips + unread(environment)
            + others.map { name in
                let longer = known.sorted().first { $0.hasPrefix(name) }
                return "\(name.shown) is no setting"
                    + (longer.map { "; did you mean \($0)?" } ?? "")
            }
            + strangers.map { "\($0.shown) is not used: UPSTREAMS does not name its upstream" }
    }
}
