// What users write as the upstream's address, and what `check` shows.

import Testing

@testable import Configuration

@Suite struct Addresses {
    @Test(arguments: [
        ("https://api.deepseek.com", "https://api.deepseek.com"),
        ("HTTPS://host/v1/", "https://host/v1/"), ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://host/v1?key=1", "https://host/v1?key=1"), ("https://host?x", "https://host?x"),
        ("localhost:11434", "http://localhost:11434"), ("ollama/v1", "http://ollama/v1"),
        ("192.168.1.5:1234/v1", "http://192.168.1.5:1234/v1"),
        ("api.openai.com/v1", "https://api.openai.com/v1"), ("1.2.3.4", "https://1.2.3.4"),
        ("172.32.0.1", "https://172.32.0.1"), ("172.16.0.1", "http://172.16.0.1"),
        ("vllm.models.svc.cluster.local:8000", "http://vllm.models.svc.cluster.local:8000"),
    ])
    func addressIsCompleted(text: String, expected: String) throws {
        #expect(try settings(["UPSTREAM_BASE_URL": text]).upstreams[0].baseURL == expected)
    }

    @Test(arguments: [
        (
            ["AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com/"],
            "https://x.openai.azure.com/openai/v1"
        ),
        (
            ["OPENAI_BASE_URL": "https://x.openai.azure.com/openai/v1"],
            "https://x.openai.azure.com/openai/v1"
        ),
        (
            [
                "OPENAI_BASE_URL": "https://x.openai.azure.com/openai/deployments/d",
                "AZURE_API_VERSION": "2025-01-01",
            ],
            "https://x.openai.azure.com/openai/deployments/d/chat/completions"
                + "?api-version=2025-01-01"
        ),
        (
            [
                "AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com",
                "AZURE_API_VERSION": "2025-01-01",
            ],
            "https://x.openai.azure.com/openai/deployments/{model}/chat/completions"
                + "?api-version=2025-01-01"
        ),
        (
            [
                "OPENAI_BASE_URL":
                    "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=1"
            ],
            "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=1"
        ),
    ])
    func azureHasItsOwnPaths(environment: [String: String], expected: String) throws {
        let settings = try settings(
            environment.merging(["AZURE_OPENAI_API_KEY": "k"]) { a, _ in a })
        #expect(settings.upstreams[0].baseURL == expected)
        #expect(settings.upstreams[0].authentication == .apiKey)
        #expect(settings.upstreams[0].key == .value(Secret("k")))
        #expect(settings.warnings.isEmpty)
    }

    @Test func azureVersionNeedsADeployment() {
        let lines = mistakes([
            "AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com/openai/v1",
            "AZURE_API_VERSION": "2025",
        ])
        #expect(lines.count == 1)
        #expect(lines.first?.contains("/deployments/") == true)
    }

    @Test func whoNamesTheAuthenticationGetsIt() throws {
        let settings = try settings([
            "AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com", "UPSTREAM_AUTH": "bearer",
        ])
        #expect(settings.upstreams[0].authentication == .bearer)
    }
}

@Suite struct Descriptions {
    @Test func tablesHaveARowForEverySetting() {
        for setting in SettingsTable.all {
            let help = SettingsTable.helpLines.filter { $0.hasPrefix("  \(setting.name) ") }
            #expect(help.count == 1)
            let rows = SettingsTable.markdownLines.filter { $0.hasPrefix("| `\(setting.name)`") }
            #expect(rows.count == 1)
        }
        #expect(SettingsTable.helpLines.allSatisfy { $0.count < 160 })
    }

    @Test func everySettingHasALine() throws {
        let lines = try settings([:]).describe()
        for setting in SettingsTable.all where !setting.name.contains("<") {
            #expect(lines.contains { $0.hasPrefix(setting.name + " = ") }, "\(setting.name)")
        }
        #expect(lines.contains("PING_INTERVAL = 10s (default)"))
        #expect(lines.contains("MIDDLE_MODEL = (not set: BIG_MODEL)"))
        #expect(lines.contains("OPENAI_ORG_ID = (not set)"))
    }

    @Test func whatWasSetIsShownUnderItsName() throws {
        let lines = try settings([
            "OPENAI_API_BASE": "https://a.example/v1", "PORT": "9000", "OPENAI_API_KEY": "k",
            "PROXY_API_KEYS": "a,b", "ANTHROPIC_API_KEY_FILE": "/run/key",
            "CUSTOM_HEADER_X_TEAM": "t", "HTTPS_PROXY": "http://u:p@proxy:3128",
        ]).describe()
        for line in [
            "OPENAI_API_BASE = https://a.example/v1 (set)", "PORT = 9000 (set)",
            "OPENAI_API_KEY = *** (set)", "PROXY_API_KEYS = *** (set)",
            "ANTHROPIC_API_KEY_FILE = /run/key (set)", "CUSTOM_HEADER_X_TEAM = *** (set)",
            "HTTPS_PROXY = http://***@proxy:3128 (set)",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }
}
