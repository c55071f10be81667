// Reading settings: defaults, mistakes, secrets, units.
import Testing

@testable import Configuration

private func settings(_ environment: [String: String]) throws -> Settings {
    try Settings.parse(environment).get()
}

private func mistakes(_ environment: [String: String]) -> [String] {
    if case .failure(let mistakes) = Settings.parse(environment) { mistakes.lines } else { [] }
}

@Suite struct SettingsTests {
    @Test func nothingSetGivesTheDefaults() throws {
        let settings = try settings([:])
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.pingInterval == .seconds(10))
        #expect(settings.requestTimeout == nil)
        #expect(settings.warnings.isEmpty)
    }

    @Test func everyMistakeIsToldAtOnce() {
        let lines = mistakes([
            "PORT": "http", "PING_INTERVAL": "soon", "MAX_REQUEST_BYTES": "huge",
            "DIALECT": "klingon", "MODEL_MAP": "a=b,nonsense", "LOG_LEVEL": "loud",
        ])
        #expect(lines.count == 6)
        for name in [
            "PORT", "PING_INTERVAL", "MAX_REQUEST_BYTES", "DIALECT", "MODEL_MAP", "LOG_LEVEL",
        ] {
            #expect(lines.contains { $0.hasPrefix(name) }, "\(name)")
        }
    }

    @Test func secretsNeverPrint() throws {
        let settings = try settings(["OPENAI_API_KEY": "sk-planted", "PROXY_API_KEYS": "sk-client"])
        #expect(!"\(settings)".contains("planted"))
        #expect(!"\(settings)".contains("sk-client"))
    }

    @Test func theFileOfASecretWins() throws {
        let settings = try settings(["OPENAI_API_KEY": "sk-a", "OPENAI_API_KEY_FILE": "/run/key"])
        #expect(settings.upstreamKey == .file("/run/key"))
    }

    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("10s", .seconds(10)), ("5m", .seconds(300)),
        ("90", .seconds(90)), ("1.5s", .milliseconds(1500)), ("0", .zero),
    ])
    func durationsHaveUnits(text: String, expected: Duration) {
        #expect(EnvironmentReader.duration(text) == expected)
    }

    @Test(arguments: [
        ("32MiB", 32 << 20), ("1048576", 1 << 20), ("64kB", 64000), ("2GiB", 2 << 30),
    ])
    func sizesHaveUnits(text: String, expected: Int) {
        #expect(EnvironmentReader.bytes(text) == expected)
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

    @Test func anOpenListenerWithoutKeysIsWarnedAbout() throws {
        #expect(try settings(["HOST": "0.0.0.0"]).warnings.count == 1)
        #expect(try settings(["HOST": "0.0.0.0", "PROXY_API_KEYS": "k"]).warnings.isEmpty)
    }

    @Test func anUnknownNameNearAKnownOneIsWarnedAbout() throws {
        #expect(
            try settings(["OPENAI_BASEURL": "x"]).warnings.first?.contains("OPENAI_BASE_URL")
                == true)
        #expect(try settings(["PATH": "/bin", "HOME": "/"]).warnings.isEmpty)
    }

    @Test func aServiceLinkIsNamedAsOne() {
        #expect(
            mistakes(["PORT": "tcp://10.0.0.1:80"]).contains { $0.contains("enableServiceLinks") })
    }

    @Test func everyMistakeHidesSecrets() {
        let lines = mistakes(["OPENAI_API_KEY": "sk-planted", "PORT": "x"])
        #expect(!lines.joined().contains("planted"))
    }
}
