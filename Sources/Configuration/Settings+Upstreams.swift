// The upstreams, read from the environment: the one without a name, or those that are named.

extension Settings {
    mutating func readUpstreams(_ reader: inout EnvironmentReader) {
        for pattern in Setting.ofNamedUpstream + [.customHeader] {
            _ = reader.givenText(pattern)
        }
        let names = reader.list(.upstreams)
        var shared = UpstreamSettings()
        shared.transport = UpstreamTransport(shared: &reader)
        shared.headers = Self.headers(SettingsTable.headerPrefix, &reader)
        guard !names.isEmpty else {
            shared.readUnnamed(&reader)
            upstreams = [shared]
            return
        }
        var seen: Set<String> = []
        for name in names.map({ $0.lowercased() }) {
            if !Self.isUpstreamName(name) {
                reader.mistake(
                    "UPSTREAMS=\(name.shown): expected names of letters, digits and -, by comma")
            } else if !seen.insert(name).inserted {
                reader.mistake("UPSTREAMS=\(name): expected each name once")
            } else {
                var upstream = shared
                upstream.readNamed(name, &reader)
                upstreams.append(upstream)
            }
        }
        readClashes(&reader)
        for name in Setting.ofUnnamedUpstream.compactMap({ reader.givenName($0) }) {
            reader.warn(
                "\(name) is not used: UPSTREAMS names the upstreams, each with settings "
                    + "of its own")
        }
    }

    /// `UPSTREAM_A_NO_PROXY` would be read for `a` and for `a-no`, and a key of one upstream could
    /// be a header of another.
    private func readClashes(_ reader: inout EnvironmentReader) {
        for one in upstreams {
            let variables = UpstreamVariables.named(one.name)
            let names = Set(variables.all.flatMap(\.names))
            let clash = upstreams.first { other in
                other.name != one.name
                    && UpstreamVariables.named(other.name).all.flatMap(\.names).contains {
                        names.contains($0) || $0.hasPrefix(variables.headerPrefix)
                    }
            }
            guard let clash, clash.name.count > one.name.count else { continue }
            reader.mistake(
                "UPSTREAMS=\(clash.name): expected another name, since variables of it would be "
                    + "those of \(one.name) too")
        }
    }

    private static func isUpstreamName(_ name: String) -> Bool {
        name.utf8.count <= 40 && name.first != "-" && name.last != "-"
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7a, UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    /// Variables of upstreams that `UPSTREAMS` does not name.
    static func strangers(_ environment: [String: String], _ known: Set<String>) -> [String] {
        let endings = UpstreamVariables.named("").all.flatMap(\.names).map {
            $0.dropFirst(SettingsTable.upstreamPrefix.count)
        }
        return environment.keys.sorted().filter { key in
            guard key.hasPrefix(SettingsTable.upstreamPrefix), !known.contains(key) else {
                return false
            }
            let rest = key.dropFirst(SettingsTable.upstreamPrefix.count)
            return rest.contains("_" + SettingsTable.headerPrefix)
                || endings.contains { rest.hasSuffix($0) && rest.count > $0.count }
        }
    }
}

extension UpstreamSettings {
    fileprivate mutating func readNamed(_ name: String, _ reader: inout EnvironmentReader) {
        let variables = UpstreamVariables.named(name)
        self.name = name
        if reader.givenText(variables.baseURL) == nil {
            reader.mistake(
                "\(variables.baseURL.name) is not set: expected \(variables.baseURL.allowed)")
        }
        readAddress(reader.address(variables.baseURL))
        key = reader.secret(variables.key)
        readRest(variables, &reader)
        models = variables.models.map { reader.list($0) } ?? []
        modelRules = variables.modelMap.map { reader.modelMap($0) } ?? []
        transport.read(variables, &reader)
        let own = Settings.headers(variables.headerPrefix, &reader)
        let replaced = Set(own.map { $0.name.lowercased() })
        headers = headers.filter { !replaced.contains($0.name.lowercased()) } + own
    }

    fileprivate mutating func readUnnamed(_ reader: inout EnvironmentReader) {
        let azure = reader.value(.azureEndpoint) { UpstreamAddress($0) }
        let isNamed = reader.givenText(.baseURL) != nil
        let address = reader.address(.baseURL)
        readAddress(isNamed ? address : azure ?? address)
        azureAPIVersion = reader.text(.azureAPIVersion)
        key = reader.secret(.upstreamKey)
        if let azureKey = reader.secret(.azureKey), key == nil { key = azureKey }
        organization = reader.text(.organization)
        project = reader.text(.project)
        readRest(.unnamed, &reader)
    }

    private mutating func readAddress(_ address: UpstreamAddress?) {
        baseURL = address?.url ?? ""
        unixPath = address?.unixPath
    }

    private mutating func readRest(
        _ variables: UpstreamVariables, _ reader: inout EnvironmentReader
    ) {
        authentication = reader.choice(variables.authentication) ?? .bearer
        dialect = reader.value(variables.dialect, else: "auto") { text in
            Settings.dialects.first { $0 == text.lowercased() }
        }
        let choice = reader.value(variables.interface) { text in
            ["auto", "openai", "anthropic"].first { $0 == text.lowercased() }
        }
        interface = choice.flatMap { Interface(rawValue: $0) } ?? Self.detect(address)
        let hasChosen = reader.givenText(variables.authentication) != nil
        switch interface {
        case .anthropic: if !hasChosen { authentication = .xAPIKey }
        case .openai: completeAzure(&reader, hasChosenAuthentication: hasChosen)
        }
    }

    /// Anthropic's own address, and what other vendors call their Messages endpoints.
    private static func detect(_ address: UpstreamAddress?) -> Interface {
        guard let address else { return .openai }
        var path = address.path
        while path.hasSuffix("/") { path.removeLast() }
        let isAnthropic =
            address.host == "api.anthropic.com" || path.hasSuffix("/anthropic")
            || path.hasSuffix("/v1/messages")
        return isAnthropic ? .anthropic : .openai
    }

    /// Azure wants another header for its key, and another path.
    private mutating func completeAzure(
        _ reader: inout EnvironmentReader, hasChosenAuthentication: Bool
    ) {
        guard let address,
            address.host.hasSuffix(".azure.com") || azureAPIVersion != nil || dialect == "azure"
        else { return }
        if !hasChosenAuthentication { authentication = .apiKey }
        if azureAPIVersion != nil, dialect == "auto" { dialect = "azure" }
        var path = address.path
        while path.hasSuffix("/") { path.removeLast() }
        // Where no deployment is named it is called as the model.
        if azureAPIVersion != nil, path.isEmpty || path == "/openai" {
            path = "/openai/deployments/{model}"
        }
        if path.contains("/deployments/") {
            guard !baseURL.contains("?") else { return }
            if !path.hasSuffix("/chat/completions") { path += "/chat/completions" }
            path += "?api-version=" + (azureAPIVersion ?? "2024-10-21")
        } else if azureAPIVersion != nil {
            reader.mistake(
                "AZURE_API_VERSION: expected the address of an Azure resource, or one that ends "
                    + "in /openai/deployments/NAME; without AZURE_API_VERSION Azure's v1 API "
                    + "serves every deployment")
            return
        } else if path.isEmpty || path == "/openai" {
            path = "/openai/v1"
        } else {
            return
        }
        baseURL = baseURL.prefix(originLength) + path
    }

    /// Length of scheme, host and port of the base URL.
    private var originLength: Int {
        let scheme = baseURL.hasPrefix("https://") ? 8 : 7
        return scheme + baseURL.dropFirst(scheme).prefix { $0 != "/" && $0 != "?" }.count
    }
}

extension EnvironmentReader {
    fileprivate mutating func address(_ setting: Setting) -> UpstreamAddress? {
        let address = value(setting) { UpstreamAddress($0) }
        if let address, address.hasAssumedScheme {
            let scheme = address.isEncrypted ? "https" : "http"
            warn("\(setting.name) has no scheme; \(scheme) is assumed")
        }
        return address
    }

    /// Pairs of pattern and model.
    mutating func modelMap(_ setting: Setting) -> [(pattern: String, model: String)] {
        guard let (name, text) = givenText(setting) else { return [] }
        return Self.list(text).compactMap { pair in
            let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
                .map { String($0).trimmed }
            if pair.isPrintable, sides.count == 2, !sides.contains("") {
                return (sides[0], sides[1])
            }
            mistake(name, pair, setting.allowed)
            return nil
        }
    }
}
