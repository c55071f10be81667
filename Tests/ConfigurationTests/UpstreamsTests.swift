// Several upstreams, read from the environment.
import Testing

@testable import Configuration

private let two = [
    "UPSTREAMS": "azure, my-vllm", "UPSTREAM_AZURE_BASE_URL": "https://x.openai.azure.com",
    "UPSTREAM_AZURE_API_KEY": "k", "UPSTREAM_MY_VLLM_BASE_URL": "http://vllm:8000/v1",
    "UPSTREAM_MY_VLLM_API_KEY_FILE": "/run/key", "UPSTREAM_MY_VLLM_DIALECT": "vllm",
    "UPSTREAM_MY_VLLM_MODELS": "qwen3,claude-*haiku*",
    "UPSTREAM_MY_VLLM_MODEL_MAP": "claude-*=qwen3",
]

@Suite struct UpstreamsTests {
    @Test func eachHasSettingsOfItsOwn() throws {
        let settings = try settings(two)
        #expect(settings.upstreams.map(\.name) == ["azure", "my-vllm"])
        let (azure, vllm) = (settings.upstreams[0], settings.upstreams[1])
        #expect(azure.baseURL == "https://x.openai.azure.com/openai/v1")
        #expect(azure.key == .value(Secret("k")) && azure.authentication == .apiKey)
        #expect(azure.models.isEmpty && azure.modelRules.isEmpty)
        #expect(vllm.baseURL == "http://vllm:8000/v1")
        #expect(vllm.key == .file("/run/key") && vllm.authentication == .bearer)
        #expect(vllm.dialect == "vllm" && vllm.models == ["qwen3", "claude-*haiku*"])
        #expect(vllm.modelRules.map(\.pattern) == ["claude-*"])
    }

    @Test func withoutNamesThereIsOne() throws {
        let upstream = try settings([:]).upstreams
        #expect(upstream.map(\.name) == ["default"])
        #expect(upstream[0].baseURL == "https://api.openai.com/v1")
    }

    @Test func allMistakesAreToldAtOnce() {
        let lines = mistakes([
            "UPSTREAMS": "a,b,b,c d", "UPSTREAM_A_BASE_URL": "ftp://x", "UPSTREAM_A_AUTH": "basic",
            "UPSTREAM_B_PROTOCOL": "soap", "UPSTREAM_B_MODEL_MAP": "x", "MAX_RETRIES": "-1",
        ])
        for expected in [
            "UPSTREAM_A_BASE_URL=ftp://x: expected a URL", "UPSTREAM_A_AUTH=basic: expected one of",
            "UPSTREAM_B_BASE_URL is not set", "UPSTREAM_B_PROTOCOL=soap: expected one of",
            "UPSTREAM_B_MODEL_MAP=x: expected pairs", "UPSTREAMS=b: expected each name once",
            "UPSTREAMS=c d: expected names of letters", "MAX_RETRIES=-1: expected a number",
        ] {
            #expect(lines.contains { $0.hasPrefix(expected) }, "\(expected) in \(lines)")
        }
        #expect(lines.count == 8)
    }

    @Test func variablesOfNobodyAndOfTheUnnamedOneAreTold() throws {
        let warnings = try settings(
            two.merging([
                "UPSTREAM_OTHER_BASE_URL": "http://x", "OPENAI_BASE_URL": "http://y",
                "UPSTREAM_MY_VLLM_MODLES": "z",
            ]) { $1 }
        ).warnings
        #expect(warnings.contains { $0.hasPrefix("UPSTREAM_OTHER_BASE_URL is not used") })
        #expect(warnings.contains { $0.hasPrefix("OPENAI_BASE_URL is not used") })
        #expect(
            warnings.contains {
                $0 == "UPSTREAM_MY_VLLM_MODLES is no setting; did you mean UPSTREAM_MY_VLLM_MODELS?"
            })
        #expect(warnings.count == 3, "\(warnings)")
    }

    @Test func theyAreShownWithoutTheirKeys() throws {
        let lines = try settings(two).describe()
        #expect(lines.contains("UPSTREAM_AZURE_API_KEY = *** (set)"))
        #expect(lines.contains("UPSTREAM_MY_VLLM_API_KEY_FILE = /run/key (set)"))
        #expect(lines.contains("UPSTREAM_AZURE_DIALECT = auto (default)"))
    }

    @Test func whatIsSharedHoldsWhereNothingElseIsSaid() throws {
        let settings = try settings(
            two.merging([
                "UPSTREAM_CA_FILE": "/ca", "UPSTREAM_CLIENT_CERT": "/cert",
                "UPSTREAM_CLIENT_KEY": "/key", "UPSTREAM_TLS_INSECURE": "true",
                "UPSTREAM_HTTP_VERSION": "2", "CUSTOM_HEADER_X_TEAM": "all",
                "CUSTOM_HEADER_X_MORE": "more", "UPSTREAM_MY_VLLM_CA_DIR": "/own",
                "UPSTREAM_MY_VLLM_CLIENT_CERT": "/own-cert",
                "UPSTREAM_MY_VLLM_TLS_INSECURE": "false", "UPSTREAM_MY_VLLM_HTTP_VERSION": "1.1",
                "UPSTREAM_MY_VLLM_PROXY": "http://u:p@proxy:3128",
                "UPSTREAM_MY_VLLM_NO_PROXY": "a, b", "UPSTREAM_MY_VLLM_CUSTOM_HEADER_X_Team": "own",
            ]) { $1 })
        let (azure, vllm) = (settings.upstreams[0], settings.upstreams[1])
        #expect(azure.transport.paths.map(\.path) == ["/ca", "/cert", "/key"])
        #expect(azure.transport.paths.map(\.variable).last == "UPSTREAM_CLIENT_KEY")
        #expect(azure.transport.skipsVerification && azure.transport.httpVersion == .two)
        #expect(azure.transport.proxy == nil && azure.transport.proxyExceptions == nil)
        #expect(azure.headers.map(\.value) == ["more", "all"])
        // Its folder replaces the bundle too, and its certificate does not go with another's key.
        #expect(vllm.transport.paths.map(\.path) == ["/own", "/own-cert"])
        #expect(vllm.transport.paths[0].variable == "UPSTREAM_MY_VLLM_CA_DIR")
        #expect(!vllm.transport.skipsVerification && vllm.transport.httpVersion == .one)
        #expect(vllm.transport.proxy == "http://u:p@proxy:3128")
        #expect(vllm.transport.proxyExceptions == "a,b")
        #expect(vllm.headers.map(\.name) == ["X-MORE", "X-Team"])
        #expect(vllm.headers.map(\.value) == ["more", "own"])
        let insecure = settings.warnings.filter { $0.contains("INSECURE") }
        #expect(insecure == ["UPSTREAM_TLS_INSECURE=true: the upstream's identity is not checked"])
        let lines = settings.describe()
        #expect(lines.contains("UPSTREAM_MY_VLLM_CUSTOM_HEADER_X_Team = *** (set)"))
        #expect(lines.contains("UPSTREAM_MY_VLLM_PROXY = http://***@proxy:3128 (set)"))
        #expect(lines.contains("UPSTREAM_AZURE_CA_FILE = (not set: as UPSTREAM_CA_FILE)"))
    }

    @Test func mistakesInTheWayToOneAreTold() {
        let lines = mistakes(
            two.merging([
                "UPSTREAM_AZURE_CLIENT_KEY": "/key", "UPSTREAM_CLIENT_CERT": "/shared",
                "UPSTREAM_AZURE_TLS_INSECURE": "perhaps", "UPSTREAM_AZURE_HTTP_VERSION": "3",
                "UPSTREAM_AZURE_PROXY": "user:planted@bad host:1",
                "UPSTREAM_AZURE_CUSTOM_HEADER_CONTENT_LENGTH": "1",
                "UPSTREAM_AZURE_CUSTOM_HEADER_X": "a\u{1}b",
            ]) { $1 })
        for expected in [
            "UPSTREAM_AZURE_CLIENT_KEY: expected UPSTREAM_AZURE_CLIENT_CERT beside it",
            "UPSTREAM_AZURE_TLS_INSECURE=perhaps: expected true or false",
            "UPSTREAM_AZURE_HTTP_VERSION=3: expected one of",
            "UPSTREAM_AZURE_PROXY: expected a proxy",
            "UPSTREAM_AZURE_CUSTOM_HEADER_CONTENT_LENGTH: expected another header",
            "UPSTREAM_AZURE_CUSTOM_HEADER_X: expected a header value",
        ] {
            #expect(lines.contains { $0.hasPrefix(expected) }, "\(expected) in \(lines)")
        }
        #expect(lines.count == 6)
        #expect(!lines.joined().contains("planted"))
    }

    @Test(arguments: [
        ("none", ""), ("NONE", ""), ("proxy:3128", "proxy:3128"), ("proxy", "proxy"),
        ("socks5h://[::1]:1080", "socks5h://[::1]:1080"), ("https://u:p@p:1/", "https://u:p@p:1/"),
        ("ftp://proxy:1", nil), ("http://", nil), ("http://p:99999", nil), ("p:1/path", nil),
    ])
    func aProxyIsAnAddress(text: String, proxy: String?) throws {
        let environment = two.merging(["UPSTREAM_AZURE_PROXY": text]) { $1 }
        guard let proxy else { return #expect(mistakes(environment).count == 1) }
        #expect(try settings(environment).upstreams[0].transport.proxy == proxy)
    }

    @Test func aPasswordOfAProxyWithoutSchemeIsHidden() throws {
        let lines = try settings(["HTTPS_PROXY": "user:planted@proxy:3128"]).describe()
        #expect(lines.contains("HTTPS_PROXY = ***@proxy:3128 (set)"))
    }

    @Test func oneVariableIsNotForTwo() {
        for (name, other) in [("a-no", "a"), ("a-custom-header-x", "a")] {
            let middle = name.uppercased().replacing("-", with: "_")
            let lines = mistakes([
                "UPSTREAMS": "\(name),\(other)", "UPSTREAM_A_BASE_URL": "http://x",
                "UPSTREAM_\(middle)_BASE_URL": "http://y",
            ])
            #expect(lines.count == 1 && lines[0].hasPrefix("UPSTREAMS=\(name): "), "\(lines)")
        }
    }

    @Test func whoIsTrustedBesideABundleIsSaid() throws {
        let both = try settings(["SSL_CERT_FILE": "/f", "SSL_CERT_DIR": "/d"]).upstreams[0]
        #expect(both.transport.paths.map(\.path) == ["/f", "/d"])
        let settings = try settings(["UPSTREAM_CA_FILE": "/f", "SSL_CERT_DIR": "/d"])
        #expect(settings.upstreams[0].transport.paths.map(\.path) == ["/f"])
        #expect(settings.warnings.contains { $0.hasPrefix("SSL_CERT_DIR is not used") })
    }

    @Test func headersOfNobodyAreTold() throws {
        let warnings = try settings(
            two.merging(["UPSTREAM_OTHER_CUSTOM_HEADER_X_TEAM": "planted"]) { $1 }
        ).warnings
        #expect(
            warnings.contains { $0.hasPrefix("UPSTREAM_OTHER_CUSTOM_HEADER_X_TEAM is not used") })
        #expect(warnings.count == 1 && !warnings[0].contains("planted"))
    }

    @Test(arguments: [
        ("https://api.anthropic.com", "anthropic"), ("https://api.anthropic.com/v1", "anthropic"),
        ("https://api.deepseek.com/anthropic", "anthropic"),
        ("https://api.deepseek.com/anthropic/", "anthropic"),
        ("http://gateway/v1/messages", "anthropic"), ("https://api.openai.com/v1", "openai"),
        ("http://anthropic.example/v1", "openai"),
    ])
    func theInterfaceGoesByTheAddress(base: String, interface: String) throws {
        let upstream = try settings(["OPENAI_BASE_URL": base]).upstreams[0]
        #expect(upstream.interface.rawValue == interface)
        #expect(upstream.authentication == (interface == "openai" ? .bearer : .xAPIKey))
        let chosen = try settings([
            "OPENAI_BASE_URL": base, "UPSTREAM_PROTOCOL": "anthropic", "UPSTREAM_AUTH": "bearer",
        ]).upstreams[0]
        #expect(chosen.interface == .anthropic && chosen.authentication == .bearer)
    }

    @Test(arguments: [
        ("unix:/run/model.sock", "/run/model.sock", "http://localhost"),
        ("unix:/run/model.sock:/v1", "/run/model.sock", "http://localhost/v1"),
    ])
    func aSocketIsAnAddress(text: String, path: String, url: String) throws {
        let upstream = try settings(["OPENAI_BASE_URL": text]).upstreams[0]
        #expect(upstream.unixPath == path && upstream.baseURL == url)
    }

    @Test(arguments: [
        "unix:model.sock", "unix:/a:b", "unix:/" + String(repeating: "x", count: 107),
    ])
    func whatIsNoSocketIsAMistake(text: String) {
        #expect(mistakes(["OPENAI_BASE_URL": text]).count == 1)
    }
}
