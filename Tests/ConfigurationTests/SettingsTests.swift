// Reading settings: defaults, values, mistakes, secrets.

import Testing

@testable import Configuration

@Suite struct Defaults {
    @Test func nothingSetGivesTheDefaults() throws {
        let settings = try settings([:])
        #expect(settings.upstreams[0].baseURL == "https://api.openai.com/v1")
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.adminHost == "0.0.0.0")
        #expect(settings.adminPort == nil)
        #expect(settings.upstreams[0].authentication == .bearer)
        #expect(settings.upstreams[0].dialect == "auto")
        #expect(settings.connectTimeout == .seconds(10))
        #expect(settings.firstByteTimeout == .seconds(600))
        #expect(settings.upstreamIdleTimeout == .seconds(300))
        #expect(settings.requestTimeout == nil)
        #expect(settings.commitAfter == .seconds(10))
        #expect(settings.pingInterval == .seconds(10))
        #expect(settings.drainTimeout == .seconds(25))
        #expect(settings.exitsZeroOnSignal && !settings.allowsQuit)
        #expect(settings.requestBytesMax == 32 << 20)
        #expect(settings.concurrentRequestsMax == 10_000)
        #expect(settings.memoryBudget == .auto)
        #expect(settings.usesMaxCompletionTokens == nil)
        #expect(settings.stripsBillingNonce)
        #expect(settings.modelRules.isEmpty)
        #expect(settings.clientKeys.isEmpty)
        #expect(settings.given.isEmpty)
    }

    @Test func everySettingOfTheTableIsRead() {
        var reader = EnvironmentReader([:])
        _ = Settings(&reader, [:])
        #expect(reader.known == Set(SettingsTable.all.map(\.name)))
    }

    @Test func everyNameStandsInTheTableOnce() {
        let names = SettingsTable.all.flatMap(\.names)
        #expect(names.count == Set(names).count)
        for setting in SettingsTable.all {
            #expect(!setting.meaning.isEmpty && setting.meaning.count < 80, "\(setting.name)")
        }
    }

    @Test(arguments: SettingsTable.all.filter { $0.defaultValue != nil }.map(\.name))
    func everyDefaultMayBeWrittenOut(name: String) {
        let setting = SettingsTable.all.first { $0.name == name }
        #expect(mistakes([name: setting?.defaultValue ?? ""]) == [])
    }

    @Test func emptyAndBlankValuesCountAsNotSet() throws {
        let names = SettingsTable.all.flatMap(\.names)
        let empty = Dictionary(uniqueKeysWithValues: names.map { ($0, " \n") })
        let settings = try settings(empty)
        #expect(settings.given.isEmpty)
        #expect(settings.port == 8080)
    }
}

@Suite struct Values {
    @Test func valuesAreTrimmedAndAliasesWork() throws {
        let settings = try settings([
            "OPENAI_API_BASE": " http://localhost:11434/v1\n", "PORT": " 9000 ",
            "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "text", "WORKERS": "3",
            "UPSTREAM_AUTH": "x-api-key", "DIALECT": "Ollama", "ADMIN_PORT": "9464",
        ])
        #expect(settings.upstreams[0].baseURL == "http://localhost:11434/v1")
        #expect(settings.port == 9000)
        #expect(settings.logLevel == .debug)
        #expect(settings.logFormat == .text)
        #expect(settings.workers == 3)
        #expect(settings.upstreams[0].authentication == .xAPIKey)
        #expect(settings.upstreams[0].dialect == "ollama")
        #expect(settings.adminPort == 9464)
        #expect(settings.given.contains("OPENAI_API_BASE"))
    }

    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("10s", .seconds(10)), ("5m", .seconds(300)),
        ("1h", .seconds(3600)), ("90", .seconds(90)), ("1.5s", .milliseconds(1500)), ("0", .zero),
        ("0.25", .milliseconds(250)),
    ])
    func durationsHaveUnits(text: String, expected: Duration) {
        #expect(EnvironmentReader.duration(text) == expected)
    }

    @Test(arguments: [
        "", "s", "-1s", "+1s", "1 s", "1e3", "0x10", "inf", "nan", "1.", ".5", "1.2.3", "ten", "1d",
        "99999999999999999999s", "1,5s",
    ])
    func otherDurationsAreNone(text: String) {
        #expect(EnvironmentReader.duration(text) == nil)
    }

    @Test(arguments: [
        ("32MiB", 32 << 20), ("1048576", 1 << 20), ("64kB", 64000), ("2GiB", 2 << 30),
        ("128Mi", 128 << 20), ("1B", 1), ("5MB", 5_000_000),
    ])
    func sizesHaveUnits(text: String, expected: Int) {
        #expect(EnvironmentReader.bytes(text) == expected)
    }

    @Test(arguments: ["", "MiB", "0", "-1", "1.5MiB", "1 MiB", "9999999999GiB", "1TB", "0x1MiB"])
    func otherSizesAreNone(text: String) {
        #expect(EnvironmentReader.bytes(text) == nil)
    }

    @Test(arguments: [
        ("auto", Settings.MemoryBudget.auto), ("OFF", .off), ("64MiB", .bytes(64 << 20)),
    ])
    func theMemoryBudgetIsASizeOrAWord(text: String, expected: Settings.MemoryBudget) throws {
        #expect(try settings(["MEMORY_BUDGET": text]).memoryBudget == expected)
    }

    @Test func limitsAreForAModelOrForAll() throws {
        let settings = try settings([
            "RATE_LIMIT_RPM": "gpt-5*=10, 60", "RATE_LIMIT_TPM": "200k",
            "TOKEN_BUDGET": "a=b=1M/day,30M/Month",
        ])
        #expect(
            settings.requestRates
                == [ModelLimit("gpt-5*", 10, per: .minute), ModelLimit("*", 60, per: .minute)])
        #expect(settings.tokenRates == [ModelLimit("*", 200_000, per: .minute)])
        #expect(
            settings.tokenBudgets == [
                ModelLimit("a=b", 1_000_000, per: .day), ModelLimit("*", 30_000_000, per: .month),
            ])
    }

    @Test func modelRulesComeInTheOrderOfTheirWeight() throws {
        let settings = try settings([
            "MODEL_MAP": "claude-x=a, claude-y*=b", "BIG_MODEL": "big", "SMALL_MODEL": "small",
            "MODEL_PASSTHROUGH_PREFIXES": "gpt-",
        ])
        #expect(
            settings.modelRules.map(\.pattern)
                == ["claude-x", "claude-y*", "gpt-*", "*haiku*", "*sonnet*", "*opus*", "*"])
        #expect(settings.modelRules.map(\.model) == ["a", "b", nil, "small", "big", "big", "big"])
    }

    @Test func modelsWithoutARuleGoUnchanged() throws {
        let settings = try settings(["SMALL_MODEL": "small", "MODEL_PASSTHROUGH_PREFIXES": "x-"])
        #expect(settings.modelRules.map(\.pattern) == ["x-*", "*haiku*"])
    }

    @Test(arguments: [
        ("auto", nil), ("max_tokens", false), ("MAX_COMPLETION_TOKENS", true),
    ])
    func limitHasAName(text: String, expected: Bool?) throws {
        #expect(try settings(["MAX_TOKENS_FIELD": text]).usesMaxCompletionTokens == expected)
    }

    @Test func customHeadersGoByTheirVariables() throws {
        let upstream = try settings([
            "CUSTOM_HEADER_X_TEAM": "a b", "CUSTOM_HEADER_COOKIE": "c=d", "CUSTOM_HEADER_EMPTY": "",
        ]).upstreams[0]
        #expect(upstream.headers.map(\.name) == ["COOKIE", "X-TEAM"])
        #expect(upstream.headers.map(\.value) == ["c=d", "a b"])
    }

    @Test func socketHasAPath() throws {
        let settings = try settings(["LISTEN": "unix:/run/sidecar.sock", "HOST": "0.0.0.0"])
        #expect(settings.unixPath == "/run/sidecar.sock")
        #expect(settings.socketMode == 0o660)
        #expect(settings.isOnLoopback)
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.53", "::1", "[::1]", "localhost"])
    func loopbackIsKnown(host: String) throws {
        #expect(try settings(["HOST": host]).isOnLoopback)
    }
}

@Suite struct Secrets {
    @Test func theFileOfASecretWins() throws {
        let settings = try settings(["OPENAI_API_KEY": "sk-a", "OPENAI_API_KEY_FILE": "/run/key"])
        #expect(settings.upstreams[0].key == .file("/run/key"))
    }

    @Test func keysOfClientsAddUp() throws {
        let settings = try settings([
            "PROXY_API_KEYS": "a, b", "ANTHROPIC_API_KEY": "c", "PROXY_API_KEY": "d",
            "ANTHROPIC_AUTH_TOKEN_FILE": "/run/token", "ANTHROPIC_AUTH_TOKEN": "not this one",
        ])
        #expect(
            settings.clientKeys == [
                .value(Secret("a")), .value(Secret("b")), .value(Secret("d")), .value(Secret("c")),
                .file("/run/token"),
            ])
    }

    @Test func secretsNeverPrint() throws {
        let names = SettingsTable.all.filter(\.isSecret).flatMap { [$0.name] + $0.aliases }
        var environment = Dictionary(uniqueKeysWithValues: names.map { ($0, "sk-planted") })
        environment["CUSTOM_HEADER_AUTHORIZATION"] = "planted"
        environment["HTTPS_PROXY"] = "http://planted:planted@proxy:3128/planted"
        environment["HTTPS_PROXY"] = "http://user:planted@proxy:3128"
        let settings = try settings(environment)
        var dumped = ""
        dump(settings.upstreams[0].key, to: &dumped)
        dump(settings.clientKeys, to: &dumped)
        let text = settings.describe().joined() + settings.warnings.joined() + dumped
        #expect(!text.contains("planted"))
        #expect(text.contains("***"))
        #expect(!"\(Secret("planted"))\(String(reflecting: Secret("planted")))".contains("planted"))
    }

    @Test func mistakesNeverShowSecrets() {
        let lines = mistakes([
            "OPENAI_API_KEY": "planted\u{1}", "PROXY_API_KEYS": "planted\nplanted", "PORT": "x",
            "CUSTOM_HEADER_X": "planted\u{7f}", "CUSTOM_HEADER_EXPECT": "planted",
            "OPENAI_BASE_URL": "https://user:planted@host/v1",
        ])
        #expect(lines.count == 6)
        #expect(!lines.joined().contains("planted"))
    }
}

@Suite struct TranslationSettings {
    @Test func choicesOfTheTranslationAreRead() throws {
        let read = try settings([
            "REASONING_REPLAY": "none", "SYSTEM_ENTRIES": "fold", "PREFILL": "reject",
            "WEB_SEARCH": "upstream", "DEFER_LOADING": "include", "FORWARD_USER": "hash",
            "COMPACTION": "emulate", "STRICT_ANTHROPIC": "true", "STRIP_JSON_FENCES": "1",
            "SYSTEM_ROLE": "developer", "RESERVED_TOOL_NAMES": "python, browser",
            "INPUT_EXAMPLES": "describe",
        ])
        #expect(read.reasoningReplay == .none && read.systemEntries == .fold)
        #expect(read.prefill == .reject && read.webSearch == .upstream)
        #expect(read.deferLoading == .include && read.forwardUser == .hash)
        #expect(read.compaction == .emulate && read.inputExamples == .describe)
        #expect(read.refusesAsAnthropic && read.stripsFences && read.systemRole == .developer)
        #expect(read.reservedToolNames == ["python", "browser"])
        #expect(try settings(["REASONING_REPLAY": "turn"]).reasoningReplay == .turn)
        let unset = try settings([:])
        #expect(!unset.refusesAsAnthropic && !unset.stripsFences && unset.systemRole == .system)
        #expect(unset.reservedToolNames.isEmpty && unset.inputExamples == .drop)
    }

    @Test func whatServersAreToldIsChosenToo() throws {
        let read = try settings([
            "THINKING_DEFAULT": "off", "EFFORT_FIELD": "reasoning", "FAST_TIER": "priority",
            "PROMPT_CACHE_BREAKPOINTS": "true", "MODEL_ECHO": "upstream",
            "EXTRA_PASSTHROUGH": "seed, logprobs", "FILTER_AS_REFUSAL": "true",
            "REJECT_INFERENCE_GEO": "true",
            "REASONING_HEADROOM": "512", "CORS_ORIGINS": "https://a.b:8443, http://localhost",
        ])
        #expect(read.thinkingDefault == .off && read.effortField == .object)
        #expect(read.fastTier == .priority && read.marksCacheBreakpoints)
        #expect(read.modelEcho == .upstream && read.passedFields == ["seed", "logprobs"])
        #expect(read.rejectsInferenceGeo)
        #expect(read.filterAsRefusal && read.reasoningHeadroom == 512)
        #expect(read.origins == ["https://a.b:8443", "http://localhost"])
        let unset = try settings([:])
        #expect(unset.fastTier == nil && !unset.filterAsRefusal)
        for field in ["model", "messages", "tools", "stream"] {
            #expect(
                mistakes(["EXTRA_PASSTHROUGH": "seed,\(field)"])
                    == ["EXTRA_PASSTHROUGH: expected no field \(field), which is translated"])
        }
    }

    @Test func anExtraBodyIsAnObjectWithoutWhatIsOurs() throws {
        let object = #"{"provider":{"order":["a"]}}"#
        #expect(try settings(["EXTRA_BODY": object]).extraBody == object)
        for text in ["[]", "{", "x", #"{"model":"m"}"#, #"{"stream":true}"#, #"{"a":1} {}"#] {
            #expect(
                mistakes(["EXTRA_BODY": text]).first?.hasSuffix(
                    "a JSON object without model, messages, tools and stream") == true)
        }
    }
}
