// From the environment to validated settings, or to every mistake in it.
internal import JSON

extension Settings {
    /// Reads the environment; pure: files are named here and read elsewhere.
    package static func parse(
        _ environment: [String: String]
    ) -> Result<Settings, ConfigurationMistakes> {
        var reader = EnvironmentReader(environment)
        let settings = Settings(&reader, environment)
        guard reader.mistakes.isEmpty else {
            // What is odd besides may be the reason for it: a name that was misspelt.
            let misspelt = Settings.misspelt(environment, settings.upstreams.map(\.name))
            return .failure(ConfigurationMistakes(lines: reader.mistakes + misspelt))
        }
        return .success(settings)
    }

    init(_ reader: inout EnvironmentReader, _ environment: [String: String]) {
        readUpstreams(&reader)
        readModels(&reader)
        readTranslation(&reader)
        readListeners(&reader)
        readTimes(&reader)
        readLimits(&reader)
        readOperation(&reader)
        given = reader.given
        let names = upstreams.map(\.name)
        remarks = reader.warnings + Self.misspelt(environment, names)
        lines = Self.describe(environment, names)
    }

    private mutating func readModels(_ reader: inout EnvironmentReader) {
        var rules: [(String, String?)] = reader.modelMap(.modelMap).map { ($0.pattern, $0.model) }
        let prefixes = reader.list(.passthroughPrefixes)
        let big = reader.text(.bigModel)
        let middle = reader.text(.middleModel)
        let small = reader.text(.smallModel)
        if big != nil || middle != nil || small != nil {
            rules += prefixes.map { ($0 + "*", nil) }
            let families = [
                ("*haiku*", small ?? big), ("*sonnet*", middle ?? big), ("*opus*", big),
            ]
            rules += families.compactMap { pattern, model in model.map { (pattern, $0) } }
            if let big { rules.append(("*", big)) }
        }
        modelRules = rules.map { pattern, model in
            let (upstream, name) = target(model)
            return (pattern, upstream, name)
        }
        models = reader.list(.servedModels)
    }

    /// What a rule leads to: `azure/gpt-5` is a model of one upstream, if that is its name;
    /// otherwise the slash belongs to the model's name.
    private func target(_ model: String?) -> (upstream: String?, model: String?) {
        guard let model, let slash = model.firstIndex(of: "/") else { return (nil, model) }
        let name = model[..<slash].lowercased()
        let rest = String(model[model.index(after: slash)...])
        let isNamed = !rest.isEmpty && upstreams.contains { $0.name == name }
        return isNamed ? (name, rest) : (nil, model)
    }

    private mutating func readTranslation(_ reader: inout EnvironmentReader) {
        minTokens = reader.number(.minTokens)
        maxTokens = reader.number(.maxTokens)
        if let minTokens, let maxTokens, minTokens > maxTokens {
            reader.mistake(
                "MIN_TOKENS_LIMIT=\(minTokens): expected at most MAX_TOKENS_LIMIT=\(maxTokens)")
        }
        let field = reader.value(.maxTokensField) { text in
            ["auto", "max_tokens", "max_completion_tokens"].first { $0 == text.lowercased() }
        }
        usesMaxCompletionTokens = field == "auto" ? nil : field == "max_completion_tokens"
        reasoningEffort = reader.choice(.reasoningEffort) ?? .auto
        thinkingDefault = reader.choice(.thinkingDefault) ?? .auto
        effortField = reader.choice(.effortField) ?? .auto
        reasoningHeadroom = reader.number(.reasoningHeadroom) ?? 0
        filterAsRefusal = reader.flag(.filterAsRefusal)
        rejectsInferenceGeo = reader.flag(.rejectsInferenceGeo)
        modelEcho = reader.choice(.modelEcho) ?? .client
        fastTier = reader.choice(.fastTier)
        marksCacheBreakpoints = reader.flag(.cacheBreakpoints)
        passedFields = reader.list(.passedFields)
        if let field = passedFields.first(where: Self.ownFields.contains) {
            reader.mistake("EXTRA_PASSTHROUGH: expected no field \(field), which is translated")
        }
        refusesAsAnthropic = reader.flag(.strictAnthropic)
        stripsFences = reader.flag(.stripsFences)
        systemRole = reader.choice(.systemRole) ?? .system
        reservedToolNames = reader.list(.reservedToolNames)
        inputExamples = reader.choice(.inputExamples) ?? .drop
        thinkTags = reader.choice(.thinkTags) ?? .auto
        startUsage = reader.choice(.startUsage) ?? .zero
        reasoningReplay = reader.choice(.reasoningReplay) ?? .auto
        systemEntries = reader.choice(.systemEntries) ?? .auto
        prefill = reader.choice(.prefill) ?? .auto
        compaction = reader.choice(.compaction) ?? .reject
        webSearch = reader.choice(.webSearch) ?? .reject
        deferLoading = reader.choice(.deferLoading) ?? .auto
        forwardUser = reader.choice(.forwardUser) ?? .off
        extraBody = reader.value(.extraBody) { Self.isExtraBody($0) ? $0 : nil }
        unsupported = reader.choice(.unsupported) ?? .auto
        stripsBillingNonce = reader.flag(.stripsBillingNonce)
    }

    /// What goes upstream only by way of the translation.
    private static let ownFields = ["model", "messages", "tools", "stream"]

    /// Whether a text is a JSON object without the members that only the translation may set.
    private static func isExtraBody(_ text: String) -> Bool {
        guard let root = try? JSONDocument(parsing: Array(text.utf8)).root, root.kind == .object
        else { return false }
        return root.members.allSatisfy { name, _ in !ownFields.contains(name.string) }
    }

    private mutating func readListeners(_ reader: inout EnvironmentReader) {
        clientKeys = reader.secrets(.clientKeys)
        origins = reader.value(.origins, else: [], EnvironmentReader.origins)
        host = reader.host(.host)
        port = reader.port(.port) ?? 0
        unixPath = reader.value(.listen) { text in
            // The kernel's limit for a socket's path is 108 bytes with the NUL at its end.
            text.hasPrefix("unix:/") && text.utf8.count <= 5 + 107 && text.isPrintable
                ? String(text.dropFirst(5)) : nil
        }
        socketMode = reader.value(.listenMode, else: 0) { text in
            ["0600", "0660", "0666"].contains(text) ? UInt32(text, radix: 8) : nil
        }
        adminHost = reader.host(.adminHost)
        adminPort = reader.port(.adminPort)
        if let adminPort, adminPort == port, port != 0, unixPath == nil {
            reader.mistake("ADMIN_PORT=\(adminPort): expected another port than PORT")
        }
    }

    private mutating func readTimes(_ reader: inout EnvironmentReader) {
        let total = reader.duration(.requestTimeout)
        requestTimeout = total > .zero ? total : nil
        connectTimeout = reader.duration(.connectTimeout)
        firstByteTimeout = reader.duration(.firstByteTimeout)
        upstreamIdleTimeout = reader.duration(.upstreamIdleTimeout)
        commitAfter = reader.duration(.commitAfter)
        pingInterval = reader.duration(.pingInterval)
        drainDelay = reader.duration(.drainDelay)
        drainTimeout = reader.duration(.drainTimeout)
        lastScrapeWait = reader.duration(.lastScrapeWait)
        headerTimeout = reader.duration(.headerTimeout)
        bodyTimeout = reader.duration(.bodyTimeout)
        idleTimeout = reader.duration(.idleTimeout)
    }

    private mutating func readLimits(_ reader: inout EnvironmentReader) {
        retriesMax = reader.number(.retries) ?? 0
        requestBytesMax = reader.size(.requestBytes) ?? 0
        concurrentRequestsMax = reader.number(.concurrentRequests) ?? 0
        memoryBudget = reader.value(.memoryBudget, else: .auto) { text in
            switch text.lowercased() {
            case "auto": .auto
            case "off": .off
            default: EnvironmentReader.bytes(text).map { .bytes($0) }
            }
        }
        connectionsMax = reader.number(.connections) ?? 0
        let perPeer = reader.number(.connectionsPerPeer) ?? 0
        connectionsPerPeerMax = perPeer > 0 ? perPeer : nil
        requestRates = reader.limits(.requestRate)
        tokenRates = reader.limits(.tokenRate)
        tokenBudgets = reader.limits(.tokenBudget)
        workers = reader.number(.workers)
    }

    private mutating func readOperation(_ reader: inout EnvironmentReader) {
        logLevel = reader.choice(.logLevel) ?? .info
        logFormat = reader.choice(.logFormat) ?? .json
        exitsZeroOnSignal = reader.flag(.exitsZero)
        allowsQuit = reader.flag(.adminQuit)
        podName = reader.text(.podName)
        podNamespace = reader.text(.podNamespace)
        nodeName = reader.text(.nodeName)
        serviceName = reader.text(.serviceName)
        let isOptedIn = reader.list(.conventions).contains("gen_ai_latest_experimental")
        addsGenAINames = reader.flag(.genAINames) || isOptedIn
        // Other programs of the pod may read it too: what is wrong with it stops nobody.
        for pair in EnvironmentReader.list(reader.text(.resourceAttributes) ?? "") {
            let sides = pair.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            if sides.count == 2, !sides[0].isEmpty {
                resourceAttributes.append((sides[0], sides[1].percentDecoded))
            } else {
                reader.warn("OTEL_RESOURCE_ATTRIBUTES: \(pair.shown) is no name=value")
            }
        }
    }
}
