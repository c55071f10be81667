// What is odd about settings, and what they are.

extension Settings {
    /// Every setting with its value and whether it was set, a line each; secrets as `***`.
    package func describe() -> [String] { lines }

    static func describe(_ environment: [String: String]) -> [String] {
        var lines = SettingsTable.all.filter { !$0.name.contains("<") }.flatMap { setting in
            let names = setting.names.filter { !(environment[$0] ?? "").trimmed.isEmpty }
            // Keys add up and files win; every other setting goes by the first name that is set.
            let shown = setting.isSecret ? names : Array(names.prefix(1))
            if shown.isEmpty { return ["\(setting.name) = \(fallback(setting))"] }
            return shown.map { "\($0) = \(value(setting, $0, environment[$0] ?? "")) (set)" }
        }
        for key in environment.keys.sorted() where key.hasPrefix(SettingsTable.headerPrefix) {
            lines.append("\(key) = *** (set)")
        }
        return lines
    }

    private static func fallback(_ setting: Setting) -> String {
        if let value = setting.defaultValue { return "\(value) (default)" }
        return setting.fallback.isEmpty ? "(not set)" : "(not set: \(setting.fallback))"
    }

    private static func value(_ setting: Setting, _ name: String, _ text: String) -> String {
        let isHidden = setting.isSecret && !name.hasSuffix("_FILE")
        return isHidden ? "***" : text.trimmed.shown
    }

    /// What is odd but no mistake, for the log at the start.
    package var warnings: [String] { remarks + clientWarnings + upstreamWarnings }

    private var clientWarnings: [String] {
        var warnings: [String] = []
        if !isOnLoopback, clientKeys.isEmpty, authentication != .passthrough {
            warnings.append(
                "HOST=\(host) is reachable from other machines and PROXY_API_KEYS is not set: "
                    + "anybody there can spend the upstream's key")
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
        if skipsTLSVerification {
            warnings.append("UPSTREAM_TLS_INSECURE=true: the upstream's identity is not checked")
        }
        if authentication == .passthrough, upstreamKey != nil {
            warnings.append("UPSTREAM_AUTH=passthrough: the upstream's key is not used")
        }
        guard let address = UpstreamAddress(baseURL), !UpstreamAddress.isNearby(address.host)
        else { return warnings }
        if !address.isEncrypted, upstreamKey != nil {
            warnings.append("the base URL is http: the upstream's key can be read on its way")
        }
        let needsKey = authentication != .passthrough && authentication != .none
        if needsKey, upstreamKey == nil, customHeaders.isEmpty {
            warnings.append("OPENAI_API_KEY is not set and \(address.host) may want one")
        }
        return warnings
    }

    /// Variables that are one or two letters away from a setting.
    static func misspelt(_ environment: [String: String]) -> [String] {
        environment.keys.sorted().compactMap { name in
            NameSuggestion.nearest(to: name, among: SettingsTable.names).map {
                "\(name.shown) is no setting; did you mean \($0)?"
            }
        }
    }
}
