// The upstream's key and the keys of clients; files are read again when they change.
internal import Configuration
internal import HTTP
internal import Synchronization

/// Keys, replaced whole when a file behind them changes.
final class Credentials: Sendable {
    private struct State {
        /// One for each upstream, by its place.
        var upstreamKeys: [String?] = []
        var clientKeys: [[UInt8]] = []
        var versions: [String: UInt64] = [:]
    }

    private let sources: (upstreams: [SecretSource?], clients: [SecretSource])
    private let state = Mutex(State())
    private let changes = Atomic<Int>(0)

    init(_ settings: Settings) {
        sources = (settings.upstreams.map(\.key), settings.clientKeys)
        reload()
    }

    /// Goes up whenever a key has changed; cheap to compare.
    var generation: Int { changes.load(ordering: .acquiring) }

    /// The key for the upstream at that place.
    func upstreamKey(_ place: Int) -> String? { state.withLock { $0.upstreamKeys[place] } }

    /// Whether clients need a key at all.
    var areRequired: Bool { !sources.clients.isEmpty }

    /// Whether a request presents one of the client keys; every key is compared in full, in a time
    /// that does not depend on where they differ.
    func accepts(_ head: RequestHead) -> Bool {
        guard areRequired else { return true }
        let presented = Self.presented(head).map { Array($0.utf8) }
        let keys = state.withLock { $0.clientKeys }
        var isKnown = false
        for candidate in presented {
            for key in keys where Self.isEqual(candidate, key) { isKnown = true }
        }
        return isKnown
    }

    /// What a client presents: `x-api-key`, then a bearer token; Claude Code may send both.
    static func presented(_ head: RequestHead) -> [String] {
        var keys: [String] = []
        if let key = head.header("x-api-key") { keys.append(key) }
        if let value = head.header("authorization"), value.lowercased().hasPrefix("bearer ") {
            keys.append(String(value.dropFirst(7)))
        }
        return keys
    }

    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        var difference: UInt8 = a.count == b.count ? 0 : 1
        for index in b.indices { difference |= b[index] ^ (index < a.count ? a[index] : 0) }
        return difference == 0
    }

    /// Looks whether files have changed and reads them; a file that cannot be read keeps its last
    /// value.
    ///
    /// The reasons of failures, without contents.
    @discardableResult
    func reload() -> [String] {
        var failures: [String] = []
        var next = state.withLock { $0 }
        var hasChanged = false
        for path in files {
            let version = SmallFile.version(path)
            guard version == nil || next.versions[path] != version else { continue }
            do throws(SmallFile.ReadError) {
                _ = try SmallFile.readText(path)
                next.versions[path] = version
                hasChanged = true
            } catch {
                failures.append("cannot read \(path): \(error.reason)")
            }
        }
        let isFirst = generation == 0
        guard hasChanged || isFirst else { return failures }
        next.upstreamKeys = sources.upstreams.enumerated().map { place, source in
            source.flatMap { Self.texts($0).first }
                ?? (isFirst ? nil : next.upstreamKeys[place])
        }
        next.clientKeys = sources.clients.flatMap { Self.texts($0) }.map { Array($0.utf8) }
        let replacement = next
        state.withLock { $0 = replacement }
        changes.add(1, ordering: .releasing)
        return failures
    }

    /// Whether any key comes from a file.
    var files: [String] {
        (sources.upstreams.compactMap { $0 } + sources.clients).compactMap {
            if case .file(let path) = $0 { path } else { nil }
        }
    }

    private static func texts(_ source: SecretSource) -> [String] {
        switch source {
        case .value(let secret): [secret.revealed]
        case .file(let path):
            ((try? SmallFile.readText(path)) ?? "").split { $0 == "," || $0.isNewline }
                .map(String.init)
        }
    }
}
