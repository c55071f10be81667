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
