// The upstream's key and the keys of clients; files are read again when they change.
internal import Configuration
internal import HTTP
internal import Synchronization

/// Keys, replaced whole when a file behind them changes.
final class Credentials: Sendable {
    private struct State {
        /// What each file said when it could last be read.
        var texts: [String: [String]] = [:]
        var versions: [String: UInt64] = [:]
        var unreadable: Set<String> = []
        /// One for each upstream, by its place.
        var upstreamKeys: [String?] = []
        var clientKeys = ClientKeys([])
    }

    private let sources: (upstreams: [SecretSource?], clients: [SecretSource])
    private let state = Mutex(State())
    private let changes = Atomic<Int>(0)

    init(_ settings: Settings) {
        sources = (settings.upstreams.map(\.key), settings.clientKeys)
        state.withLock { $0.upstreamKeys = settings.upstreams.map { _ in nil } }
    }

    /// Goes up whenever a key has changed; cheap to compare.
    var generation: Int { changes.load(ordering: .acquiring) }

    /// The key for the upstream at that place.
    func upstreamKey(_ place: Int) -> String? { state.withLock { $0.upstreamKeys[place] } }

    /// Whether clients need a key at all.
    var areRequired: Bool { !sources.clients.isEmpty }

    /// Whether a request presents one of the client keys.
    func accepts(_ head: RequestHead) -> Bool {
        guard areRequired else { return true }
        let keys = state.withLock { $0.clientKeys }
        return Self.presented(head).map { keys.contains($0) }.contains(true)
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

    /// Looks whether files have changed and reads them; a file that cannot be read keeps its last
    /// value.
    ///
    /// What there is to say about it, without contents; of a file that stays unreadable only once.
    @discardableResult
    func reload() -> [String] {
        var remarks: [String] = []
        var next = state.withLock { $0 }
        var hasChanged = generation == 0
        for path in files {
            let version = SmallFile.version(path)
            guard version == nil || next.versions[path] != version else { continue }
            do throws(SmallFile.ReadError) {
                next.texts[path] = try Self.keys(in: SmallFile.readText(path))
                next.versions[path] = version
                next.unreadable.remove(path)
                remarks += remark(on: path, next.texts[path] ?? [])
                hasChanged = true
            } catch {
                guard next.unreadable.insert(path).inserted else { continue }
                remarks.append("cannot read \(path): \(error.reason)")
            }
        }
        if hasChanged {
            next.upstreamKeys = sources.upstreams.map { source in
                source.flatMap { texts($0, next).first }
            }
            next.clientKeys = ClientKeys(sources.clients.flatMap { texts($0, next) })
        }
        let replacement = next
        state.withLock { $0 = replacement }
        if hasChanged { changes.add(1, ordering: .releasing) }
        return remarks
    }

    /// The files that keys come from.
    var files: [String] {
        (sources.upstreams.compactMap { $0 } + sources.clients).compactMap {
            if case .file(let path) = $0 { path } else { nil }
        }
    }

    private func texts(_ source: SecretSource, _ state: State) -> [String] {
        switch source {
        case .value(let secret): [secret.revealed]
        case .file(let path): state.texts[path] ?? []
        }
    }

    /// Settings warn of such values; of files they know no more than the name.
    private func remark(on path: String, _ keys: [String]) -> [String] {
        let isClients = sources.clients.contains(.file(path))
        guard isClients, keys.contains(where: { $0.hasPrefix("sk-ant-") }) else { return [] }
        return ["a client key in \(path) looks like a real Anthropic key"]
    }

    /// Keys by comma or line.
    private static func keys(in text: String) -> [String] {
        text.split { $0 == "," || $0.isNewline }.map(String.init)
            .map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    }
}

extension MessagesExchange {
    /// What the upstream was sent and may say back: no error shows it.
    func secrets(_ link: UpstreamLink) -> [String] {
        [link.key(head)].compactMap { $0 } + link.server.settings.headers.map(\.value)
            + link.server.querySecrets
    }
}
