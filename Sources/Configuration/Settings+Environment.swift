// From the environment to validated settings, or to every mistake in it.

extension Settings {
    /// Reads the environment; pure: files are named here and read elsewhere.
    package static func parse(
        _ environment: [String: String]
    ) -> Result<Settings, ConfigurationMistakes> {
        var reader = EnvironmentReader(environment)
        var settings = Settings()
        settings.readUpstream(&reader)
        settings.readModels(&reader)
        settings.readClients(&reader)
        settings.readLimits(&reader)
        settings.customHeaders = customHeaders(environment, &reader)
        settings.given = reader.given
        settings.warn(environment)
        guard reader.mistakes.isEmpty else {
            return .failure(ConfigurationMistakes(lines: reader.mistakes))
        }
        return .success(settings)
    }

    private mutating func readUpstream(_ reader: inout EnvironmentReader) {
        if let url = reader.text("OPENAI_BASE_URL", "OPENAI_API_BASE", "UPSTREAM_BASE_URL") {
            let hasScheme = url.hasPrefix("http://") || url.hasPrefix("https://")
            let whole = hasScheme ? url : "https://" + url
            let rest = whole.split(separator: "/", maxSplits: 2).last ?? ""
            if url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) || rest.isEmpty {
                reader.mistake("OPENAI_BASE_URL", url, "a URL like https://host/v1")
            }
            baseURL = whole
        }
        upstreamKey = reader.secret("OPENAI_API_KEY")
        organization = reader.text("OPENAI_ORG_ID")
        project = reader.text("OPENAI_PROJECT_ID")
        azureAPIVersion = reader.text("AZURE_API_VERSION", "OPENAI_API_VERSION")
        // Azure wants its keys in a header of its own.
        if baseURL.contains(".azure.com") { authentication = .apiKey }
        reader.choice(&authentication, "UPSTREAM_AUTH")
        if let name = reader.text("DIALECT") {
            dialect = name.lowercased()
            if !Self.dialects.contains(dialect) {
                reader.mistake("DIALECT", name, "one of \(Self.dialects.joined(separator: ", "))")
            }
        }
        caFile = reader.text("UPSTREAM_CA_FILE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
        clientCertificateFile = reader.text("UPSTREAM_CLIENT_CERT")
        clientKeyFile = reader.text("UPSTREAM_CLIENT_KEY")
        reader.into(
            &skipsTLSVerification, "UPSTREAM_TLS_INSECURE", allowed: "true or false",
            EnvironmentReader.bool)
    }

    /// The dialects that can be named.
    package static let dialects = [
        "auto", "generic", "openai", "azure", "openrouter", "deepseek", "gemini", "vllm", "sglang",
        "llamacpp", "ollama", "lmstudio", "groq", "mistral", "kimi",
    ]

    private mutating func readModels(_ reader: inout EnvironmentReader) {
        for pair in list(reader.text("MODEL_MAP")) {
            let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty else {
                reader.mistake("MODEL_MAP", pair, "pairs like claude-*haiku*=gpt-5-mini")
                continue
            }
            modelRules.append((sides[0], sides[1]))
        }
        let prefixes =
            reader.text("MODEL_PASSTHROUGH_PREFIXES")
            ?? "gpt-,o1-,o3-,o4-,ep-,doubao-,deepseek-"
        let big = reader.text("BIG_MODEL")
        let middle = reader.text("MIDDLE_MODEL")
        let small = reader.text("SMALL_MODEL")
        if big != nil || middle != nil || small != nil {
            modelRules += list(prefixes).map { ($0 + "*", nil) }
            let families = [
                ("*haiku*", small ?? big), ("*sonnet*", middle ?? big), ("*opus*", big),
            ]
            modelRules += families.compactMap { pattern, model in model.map { (pattern, $0) } }
            if let big { modelRules.append(("*", big)) }
        }
        models = list(reader.text("MODELS"))
        readTokenLimits(&reader)
    }

    private mutating func readTokenLimits(_ reader: inout EnvironmentReader) {
        func count(_ text: String) -> Int?? { Int(text).flatMap { $0 > 0 ? .some($0) : nil } }
        reader.into(&minTokens, "MIN_TOKENS_LIMIT", allowed: "a positive number", count)
        reader.into(&maxTokens, "MAX_TOKENS_LIMIT", allowed: "a positive number", count)
        if let minTokens, let maxTokens, minTokens > maxTokens {
            reader.mistake(
                "MIN_TOKENS_LIMIT=\(minTokens): larger than MAX_TOKENS_LIMIT=\(maxTokens)")
        }
        reader.into(
            &usesMaxCompletionTokens, "MAX_TOKENS_FIELD",
            allowed: "max_tokens, max_completion_tokens or auto"
        ) { text -> Bool?? in
            switch text {
            case "auto": .some(nil)
            case "max_tokens": false
            case "max_completion_tokens": true
            default: nil
            }
        }
    }

    private mutating func readClients(_ reader: inout EnvironmentReader) {
        for name in ["PROXY_API_KEYS", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"] {
            switch reader.secret(name) {
            case .file(let path): clientKeys.append(.file(path))
            case .value(let keys): clientKeys += list(keys.revealed).map { .value(Secret($0)) }
            case nil: break
            }
        }
        if let text = reader.text("HOST") { host = text }
        reader.port(&port, "PORT")
        if let text = reader.text("LISTEN") {
            if text.hasPrefix("unix:/") {
                unixPath = String(text.dropFirst(5))
            } else {
                reader.mistake("LISTEN", text, "unix: and an absolute path")
            }
        }
        if let text = reader.text("ADMIN_HOST") { adminHost = text }
        var adminPort = self.adminPort ?? 0
        if reader.text("ADMIN_PORT") != nil {
            reader.port(&adminPort, "ADMIN_PORT")
            self.adminPort = adminPort
        }
    }

    private mutating func readLimits(_ reader: inout EnvironmentReader) {
        reader.into(&workers, "WORKERS", allowed: "a number from 1 to 64") { text -> Int?? in
            Int(text).flatMap { (1...64).contains($0) ? .some($0) : nil }
        }
        reader.choice(&logLevel, "LOG_LEVEL")
        reader.choice(&logFormat, "LOG_FORMAT")
        reader.duration(&connectTimeout, "CONNECT_TIMEOUT")
        reader.duration(&firstByteTimeout, "FIRST_BYTE_TIMEOUT")
        reader.duration(&upstreamIdleTimeout, "UPSTREAM_IDLE_TIMEOUT")
        var total = Duration.zero
        reader.duration(&total, "REQUEST_TIMEOUT")
        if total > .zero { requestTimeout = total }
        reader.duration(&commitAfter, "COMMIT_AFTER")
        reader.duration(&pingInterval, "PING_INTERVAL")
        reader.duration(&drainTimeout, "DRAIN_TIMEOUT")
        reader.into(
            &requestBytesMax, "MAX_REQUEST_BYTES", allowed: "a size like 32MiB",
            EnvironmentReader.bytes)
        reader.into(
            &concurrentRequestsMax, "MAX_CONCURRENT_REQUESTS", allowed: "a positive number"
        ) { Int($0).flatMap { $0 > 0 ? $0 : nil } }
        reader.choice(&unsupported, "DROP_UNSUPPORTED")
    }

    private func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { Substring($0) }.map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }

    private static func customHeaders(
        _ environment: [String: String], _ reader: inout EnvironmentReader
    ) -> [(name: String, value: String)] {
        let prefix = "CUSTOM_HEADER_"
        return environment.keys.filter { $0.hasPrefix(prefix) }.sorted().compactMap { key in
            let name = key.dropFirst(prefix.count).map { $0 == "_" ? "-" : $0 }
            let value = reader.text(key) ?? ""
            guard !name.isEmpty, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                reader.mistake("\(key): expected a header value without control characters")
                return nil
            }
            return (String(name), value)
        }
    }

    // MARK: - Warnings

    private mutating func warn(_ environment: [String: String]) {
        if !isOnLoopback, clientKeys.isEmpty, authentication != .passthrough {
            warnings.append(
                "HOST=\(host) is reachable from other machines and PROXY_API_KEYS is not set: "
                    + "anybody there can spend the upstream's key")
        }
        if skipsTLSVerification {
            warnings.append("UPSTREAM_TLS_INSECURE=true: the upstream's identity is not checked")
        }
        for key in clientKeys {
            if case .value(let secret) = key, secret.revealed.hasPrefix("sk-ant-") {
                warnings.append(
                    "a client key looks like a real Anthropic key; "
                        + "clients of this sidecar need one of your own making")
            }
        }
        for name in environment.keys.sorted() {
            guard let near = Self.nearestName(name) else { continue }
            warnings.append("\(name) is no setting; did you mean \(near)?")
        }
    }

    /// The setting that an unknown name was meant to be, if it is that close.
    private static func nearestName(_ name: String) -> String? {
        guard !SettingsTable.names.contains(name), name.count > 4 else { return nil }
        return SettingsTable.names.first { distance(Array(name.utf8), Array($0.utf8)) <= 1 }
    }

    /// Letters that must be added, removed or changed.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard abs(a.count - b.count) <= 2 else { return 3 }
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
