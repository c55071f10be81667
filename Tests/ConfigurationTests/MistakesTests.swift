// What does not parse stops the start, and every line says what to do.

import Testing

@testable import Configuration

@Suite struct Mistakes {
    @Test func everyMistakeIsToldAtOnce() {
        let wrong = [
            "PORT": "http", "PING_INTERVAL": "soon", "MAX_REQUEST_BYTES": "huge",
            "DIALECT": "klingon", "MODEL_MAP": "a=b,nonsense", "LOG_LEVEL": "loud",
        ]
        let lines = mistakes(wrong)
        #expect(lines.count == wrong.count)
        for name in wrong.keys { #expect(lines.contains { $0.hasPrefix(name + "=") }, "\(name)") }
    }

    @Test(arguments: [
        ("OPENAI_BASE_URL", "ftp://host"), ("OPENAI_BASE_URL", "https://"),
        ("OPENAI_BASE_URL", "https://host:0/v1"), ("OPENAI_BASE_URL", "https://host:port"),
        ("OPENAI_BASE_URL", "https://ho st"), ("OPENAI_BASE_URL", "https://host/#x"),
        ("OPENAI_BASE_URL", "https://user@host"), ("OPENAI_BASE_URL", "https://höst"),
        ("OPENAI_BASE_URL", "https://[::1"), ("OPENAI_BASE_URL", "https://a:b:c/"),
        ("AZURE_OPENAI_ENDPOINT", "nonsense here"), ("UPSTREAM_AUTH", "basic"),
        ("UPSTREAM_TLS_INSECURE", "perhaps"),
        ("MODEL_MAP", "a"), ("MODEL_MAP", "a="), ("MODEL_MAP", "=b"), ("MODEL_MAP", "a=b=c"),
        ("MIN_TOKENS_LIMIT", "0"), ("MAX_TOKENS_LIMIT", "-5"), ("MAX_TOKENS_FIELD", "tokens"),
        ("REASONING_EFFORT", "much"), ("DROP_UNSUPPORTED", "no"), ("STRIP_BILLING_NONCE", "2"),
        ("HOST", "0.0.0.0:8080"), ("HOST", "http://localhost"), ("HOST", "a b"), ("HOST", "/tmp"),
        ("PORT", "65536"), ("PORT", "-1"), ("PORT", "+80"), ("PORT", "8080 8081"), ("PORT", "0x50"),
        ("CORS_ORIGINS", "app.example.com"), ("CORS_ORIGINS", "https://a/b"),
        ("CORS_ORIGINS", "*,https://a"), ("CORS_ORIGINS", "null"), ("CORS_ORIGINS", "https://A.b"),
        ("REASONING_HEADROOM", "-1"), ("ADMIN_PORT", "off"), ("LISTEN", "/run/x.sock"),
        ("LISTEN", "unix:run/x.sock"),
        ("LISTEN", "tcp:8080"), ("LISTEN", "unix:/" + String(repeating: "x", count: 107)),
        ("LISTEN_MODE", "0777"), ("REQUEST_TIMEOUT", "-1s"), ("CONNECT_TIMEOUT", "0"),
        ("FIRST_BYTE_TIMEOUT", "0s"),
        ("UPSTREAM_IDLE_TIMEOUT", "5 minutes"), ("PING_INTERVAL", "0"), ("COMMIT_AFTER", "1e9"),
        ("MAX_REQUEST_BYTES", "0"), ("MEMORY_BUDGET", "0"), ("MEMORY_BUDGET", "half"),
        ("RATE_LIMIT_RPM", "0"), ("RATE_LIMIT_RPM", "60/minute"), ("RATE_LIMIT_TPM", "=5"),
        ("RATE_LIMIT_TPM", "gpt-5=many,5"), ("TOKEN_BUDGET", "1M"), ("TOKEN_BUDGET", "1M/year"),
        ("TOKEN_BUDGET", "2000G/day"), ("TOKEN_BUDGET", "1.5M/day"),
        ("MAX_CONCURRENT_REQUESTS", "0"), ("WORKERS", "0"),
        ("WORKERS", "65"), ("LOG_FORMAT", "xml"), ("DRAIN_TIMEOUT", "never"),
    ])
    func mistakeNamesTheVariableTheValueAndWhatIsAllowed(name: String, value: String) {
        let lines = mistakes([name: value])
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix(name + "=") == true)
        #expect(lines.first?.contains("expected ") == true)
    }

    @Test(arguments: SettingsTable.all.filter { !$0.name.contains("<") }.map(\.name))
    func noSettingTakesControlCharacters(name: String) {
        let lines = mistakes([name: "a\r\nx-evil: b"])
        #expect(!lines.isEmpty)
        #expect(lines.allSatisfy { $0.isPrintable })
    }

    @Test(arguments: [
        ["CUSTOM_HEADER_": "x"], ["CUSTOM_HEADER_A B": "x"], ["CUSTOM_HEADER_A:": "x"],
        ["CUSTOM_HEADER_X": "a\r\nb: c"], ["CUSTOM_HEADER_CONTENT_LENGTH": "5"],
        ["CUSTOM_HEADER_Transfer_Encoding": "chunked"],
        ["CUSTOM_HEADER_X_A": "1", "CUSTOM_HEADER_x_a": "2"],
    ])
    func headersThatBreakTheRequestAreRefused(environment: [String: String]) {
        #expect(mistakes(environment).count == 1)
    }

    @Test func limitsMustNotCross() {
        #expect(mistakes(["MIN_TOKENS_LIMIT": "10", "MAX_TOKENS_LIMIT": "5"]).count == 1)
        #expect(mistakes(["MIN_TOKENS_LIMIT": "5", "MAX_TOKENS_LIMIT": "5"]).isEmpty)
    }

    @Test func aNameLikeOursThatIsNoneIsWarnedAbout() throws {
        #expect(
            try warnings(["UPSTREAM_IDLE": "5s"]) == [
                "UPSTREAM_IDLE is no setting; did you mean UPSTREAM_IDLE_TIMEOUT?"
            ])
        #expect(try warnings(["DRAIN_SECONDS": "5"]) == ["DRAIN_SECONDS is no setting"])
        #expect(
            try warnings(["UPSTREAM_SERVICE_HOST": "10.0.0.1", "UPSTREAM_PORT_80_TCP": "x"]) == [])
    }

    @Test func aMisspeltNameIsToldBesideTheMistakes() {
        let lines = mistakes(["PORT": "http", "OPENAI_BASE_URI": "https://host/v1"])
        #expect(lines.count == 2)
        #expect(lines.last?.contains("did you mean OPENAI_BASE_URL?") == true)
    }

    @Test func whatOthersReadAndWeDoNotIsSaid() throws {
        #expect(
            try warnings(["NODE_EXTRA_CA_CERTS": "/certs"]).first?.contains("UPSTREAM_CA_FILE")
                == true)
    }

    @Test func portsMustDiffer() {
        #expect(mistakes(["ADMIN_PORT": "8080"]).count == 1)
        #expect(mistakes(["ADMIN_PORT": "0", "PORT": "0"]).isEmpty)
    }

    @Test func keyOfACertificateNeedsTheCertificate() {
        #expect(mistakes(["UPSTREAM_CLIENT_KEY": "/k"]).count == 1)
        #expect(mistakes(["UPSTREAM_CLIENT_KEY": "/k", "UPSTREAM_CLIENT_CERT": "/c"]).isEmpty)
    }

    @Test(arguments: ["PORT", "ADMIN_PORT", "WORKERS", "HOST", "LISTEN"])
    func serviceLinkIsNamedAsOne(name: String) {
        let lines = mistakes([name: "tcp://10.0.0.1:80"])
        #expect(lines.count == 1)
        #expect(lines.first?.contains("enableServiceLinks: false") == true)
    }

    @Test func longValuesAreCut() {
        let line = mistakes(["PORT": String(repeating: "9", count: 5000)]).first ?? ""
        #expect(line.count < 200)
    }
}

@Suite struct Warnings {
    @Test func ordinarySettingsWarnOfNothing() throws {
        #expect(try warnings([:]) == [])
        #expect(
            try warnings([
                "PATH": "/bin", "HOME": "/", "HOSTNAME": "pod", "LOGNAME": "me", "SHELL": "/bin/sh",
                "HTTP_PROXY": "http://p:1", "ANTHROPIC_BASE_URL": "http://localhost:8080",
                "ANTHROPIC_MODEL": "gpt-5", "ANTHROPIC_SMALL_FAST_MODEL": "x", "TERM": "xterm",
                "KUBERNETES_PORT": "tcp://10.0.0.1:443", "POD_NAME": "a", "NODE_NAME": "b",
            ]) == [])
        #expect(try warnings(["OPENAI_BASE_URL": "http://ollama:11434/v1"]) == [])
    }

    @Test(arguments: ["0.0.0.0", "::", "10.1.2.3", "pod.example"])
    func openListenerWithoutKeysIsWarnedAbout(host: String) throws {
        #expect(try warnings(["HOST": host]).count == 1)
        #expect(try warnings(["HOST": host, "PROXY_API_KEYS": "k"]).isEmpty)
        #expect(try warnings(["HOST": host, "ANTHROPIC_API_KEY_FILE": "/k"]).isEmpty)
    }

    @Test func openDoorForWebPagesIsWarnedAbout() throws {
        #expect(try warnings(["CORS_ORIGINS": "*"]).count == 1)
        #expect(try warnings(["CORS_ORIGINS": "https://a.b", "PROXY_API_KEYS": "k"]).isEmpty)
    }

    @Test func realKeyOfAnthropicIsWarnedAbout() throws {
        #expect(try warnings(["ANTHROPIC_API_KEY": "sk-ant-api03-abc"]).count == 1)
    }

    @Test(arguments: [
        ("OPENAI_BASEURL", "OPENAI_BASE_URL"), ("OPENAI_APIKEY", "OPENAI_API_KEY"),
        ("OPENAI_API_KEY_FLE", "OPENAI_API_KEY_FILE"), ("big_model", "BIG_MODEL"),
        ("MAX_TOKEN_LIMITS", "MAX_TOKENS_LIMIT"), ("LOGLEVEL", "LOG_LEVEL"),
        ("WORKER", "WORKERS"), ("PROXY_APIKEYS", "PROXY_API_KEYS"),
        ("BIG_MODLE", "BIG_MODEL"),
    ])
    func misspeltNameIsWarnedAbout(name: String, meant: String) throws {
        #expect(
            try warnings([name: "x"]) == ["\(name) is no setting; did you mean \(meant)?"])
    }

    @Test func namesAreShownWithoutTheirControlCharacters() throws {
        #expect(
            try warnings(["MAX_REQUEST_\u{2}YTES": "1"]) == [
                "MAX_REQUEST_?YTES is no setting; did you mean MAX_REQUEST_BYTES?"
            ])
        let mistaken = try #require(mistakes(["CUSTOM_HEADER_A\nB": "x"]).first)
        #expect(mistaken.hasPrefix("CUSTOM_HEADER_A?B: "))
    }

    @Test func unusedAliasIsWarnedAbout() throws {
        let environment = [
            "OPENAI_BASE_URL": "https://a.example/v1", "OPENAI_API_BASE": "https://b.example/v1",
        ]
        #expect(try warnings(environment).count == 1)
        #expect(try settings(environment).upstreams[0].baseURL == "https://a.example/v1")
    }

    @Test(arguments: [
        ["OPENAI_BASE_URL": "http://api.example.com/v1"], ["OPENAI_BASE_URL": "api.example.com"],
        ["UPSTREAM_TLS_INSECURE": "true"], ["UPSTREAM_AUTH": "passthrough"],
    ])
    func oddSettingIsWarnedAbout(environment: [String: String]) throws {
        #expect(try warnings(environment).count == 1)
    }

    @Test func missingKeyIsWarnedAboutWhereOneIsNeeded() throws {
        #expect(try settings([:]).warnings.count == 1)
        #expect(try settings(["OPENAI_BASE_URL": "http://localhost:1/v1"]).warnings.isEmpty)
        #expect(try settings(["UPSTREAM_AUTH": "none"]).warnings.isEmpty)
        #expect(try settings(["OPENAI_API_KEY_FILE": "/run/key"]).warnings.isEmpty)
    }
}
