// Who may look at whom: the drawing of the house, as a table.

import Testing

/// What each target may import; the arrows go down, never up and never sideways.
private let modules: [String: Set<String>] = [
    "Bytes": [],
    "JSON": ["CArena", "CJansson", "CScan", "Bytes"],
    "EventStream": ["Bytes"],
    "HTTP": ["Bytes"],
    "Compression": ["CZlib"],
    "Translation": ["JSON", "EventStream", "CCrypto", "Bytes"],
    "EventLoop": ["CLinux", "Bytes"],
    "Server": ["HTTP", "EventLoop", "Bytes"],
    "Upstream": ["CCurl", "HTTP", "EventLoop", "Bytes"],
    "Telemetry": ["CBuild", "Bytes"],
    "Configuration": ["JSON", "Bytes"],
    "Proxy": [
        "Translation", "Server", "HTTP", "Compression", "Upstream", "EventLoop", "Telemetry",
        "Configuration",
        "JSON", "EventStream", "Bytes",
    ],
    "claude-sidecar": ["Proxy", "Telemetry", "Configuration", "EventLoop"],
]

/// What comes with the toolchain and any target may use.
private let system: Set<String> = ["Glibc", "Musl", "Synchronization"]

/// The doors to C libraries, each used by exactly one module.
private let doors: [String: String] = [
    "CCurl": "Upstream", "CJansson": "JSON", "CArena": "JSON", "CScan": "JSON",
    "CCrypto": "Translation",
    "CLinux": "EventLoop", "CZlib": "Compression", "CBuild": "Telemetry",
]

/// The modules that a line imports; empty for any other line.
func imports(of line: String) -> String? {
    let words = line.split(whereSeparator: { $0 == " " || $0 == ";" })
    guard let keyword = words.firstIndex(of: "import"), keyword + 1 < words.count,
        words[..<keyword].allSatisfy({ $0.hasPrefix("@") || accessLevels.contains(String($0)) })
    else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let"]
    let name = kinds.contains(words[keyword + 1]) ? words.last : words[keyword + 1]
    return name?.split(separator: ".").first.map(String.init)
}

private let accessLevels: Set<String> = [
    "private", "fileprivate", "internal", "package", "public", "open",
]

@Suite struct Imports {
    @Test func everyModuleLooksDownOnly() {
        expectNone(
            Repository.sources.flatMap { file in
                file.code.enumerated().compactMap { number, line in
                    guard let name = imports(of: line), !system.contains(name),
                        modules[file.target]?.contains(name) != true
                    else { return nil }
                    return file.finding(line: number, "\(file.target) may not import \(name)")
                }
            })
    }

    @Test func everyTargetStandsInTheTable() {
        let targets = Set(Repository.sources.map(\.target))
        #expect(targets.subtracting(modules.keys).isEmpty)
        #expect(Set(modules.keys).subtracting(targets).isEmpty)
    }

    @Test func everyDoorHasOneKeyHolder() {
        for (door, holder) in doors {
            let holders = modules.filter { $0.value.contains(door) }.map(\.key)
            #expect(holders == [holder])
        }
    }

    @Test func tableHasNoCircle() {
        var open = modules
        while let leaf = open.first(where: { $0.value.isDisjoint(with: open.keys) }) {
            open[leaf.key] = nil
        }
        #expect(open.isEmpty)
    }

    @Test(arguments: [
        ("import Bytes", "Bytes"), ("package import HTTP", "HTTP"),
        ("@testable import JSON", "JSON"), ("internal import struct Glibc.stat", "Glibc"),
        ("    let text = importance", nil), ("/// import x", nil),
    ])
    func importIsRecognised(line: String, module: String?) {
        #expect(imports(of: line) == module)
    }
}
