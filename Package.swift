// swift-tools-version: 6.2
import PackageDescription

let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
/// What ships is optimised across modules, which takes the calls out of the way of a token, and
/// leaves out the checks for overlapping access at run time, which every test makes.
let settings =
    testSettings + [
        .strictMemorySafety(),
        .unsafeFlags(
            ["-cross-module-optimization", "-enforce-exclusivity=unchecked"],
            .when(configuration: .release)),
    ]

/// A module and its tests; `TidyTests` holds the same table of who may import whom.
func module(
    _ name: String, _ dependencies: [Target.Dependency], fixtures: [String] = []
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: settings),
        .testTarget(
            name: name + "Tests", dependencies: [.byName(name: name)] + dependencies,
            exclude: fixtures, swiftSettings: testSettings),
    ]
}

/// The commit is told by who builds (`scripts/lib`, `Dockerfile`): a manifest is cached, and what
/// it would read of git with it.
let commit = Context.environment["CLAUDE_SIDECAR_COMMIT"] ?? ""

/// Each list has its type and is no sum: of one expression Swift 6.2 cannot find the types in time.
let libraries: [Target] = [
    .systemLibrary(
        name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(
        name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
    .systemLibrary(
        name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
        name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLinux"),
    .target(
        name: "CBuild",
        cSettings: [
            .define("CLAUDE_SIDECAR_COMMIT", to: "\"\(commit)\""),
            // As Swift's own: valgrind stops at newer debugging information.
            .unsafeFlags(["-gdwarf-4"]),
        ]),
    .target(name: "CArena", cSettings: [.unsafeFlags(["-gdwarf-4"])]),
    .target(name: "CScan", cSettings: [.unsafeFlags(["-gdwarf-4"])]),
]
let targets: [Target] = [
    .target(name: "Bytes", swiftSettings: settings),
    .executableTarget(
        name: "claude-sidecar",
        dependencies: ["Proxy", "Telemetry", "Configuration", "EventLoop"],
        swiftSettings: settings),
    .testTarget(name: "TidyTests", swiftSettings: testSettings),
    .target(
        name: "FuzzTargets",
        dependencies: [
            "HTTP", "EventStream", "JSON", "CJansson", "Translation", "Configuration",
            "Compression",
        ], path: "Tests/FuzzTargets", swiftSettings: testSettings),
    .testTarget(
        name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: testSettings),
]
let modules: [[Target]] = [
    module("JSON", ["CJansson", "CArena", "CScan", "Bytes"]),
    module("EventStream", ["Bytes"]),
    module("HTTP", ["Bytes"]),
    module("Compression", ["CZlib"]),
    module("Translation", ["JSON", "EventStream", "Bytes", "CCrypto"], fixtures: ["Fixtures"]),
    module("EventLoop", ["CLinux", "Bytes"]),
    module("Server", ["HTTP", "EventLoop", "Bytes"]),
    module("Upstream", ["CCurl", "HTTP", "EventLoop", "Bytes"]),
    module("Telemetry", ["Bytes", "CBuild"]),
    module("Configuration", ["JSON", "Bytes"]),
    module(
        "Proxy",
        [
            "Translation", "Server", "HTTP", "Compression", "Upstream", "EventLoop", "Telemetry",
            "Configuration", "JSON", "EventStream", "Bytes",
        ]),
]

let package = Package(
    name: "claude-sidecar", targets: libraries + targets + modules.flatMap { $0 })

// It needs libFuzzer, which a plain `swift build` does not link.
if Context.environment["FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz",
            exclude: ["Corpus", "dictionary.txt"],
            swiftSettings: testSettings))
}
