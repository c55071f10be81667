// What was learned about the upstream's models, for an hour.
internal import EventLoop
internal import Synchronization
internal import Translation

/// Quirks by upstream model, shared by all workers.
final class LearnedQuirks: Sendable {
    private struct Entry {
        var quirks: Set<Quirk>
        var until: Instant
    }

    /// Servers are updated; what was true is asked again after a while.
    private static let lifetime = Duration.seconds(3600)
    /// More models than that are not remembered: their names come from clients.
    private static let modelsMax = 256

    private let entries = Mutex<[String: Entry]>([:])

    /// What is known of a model.
    func quirks(of model: String, now: Instant) -> Set<Quirk> {
        entries.withLock { entries in
            guard let entry = entries[model], entry.until > now else { return [] }
            return entry.quirks
        }
    }

    /// For every quirk the number of models that have it.
    func counts(now: Instant) -> [(quirk: String, models: Int)] {
        let known = entries.withLock { $0.values.filter { $0.until > now } }
        let names = known.flatMap { Set($0.quirks.map(\.name)) }
        return Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +).map { ($0.key, $0.value) }
    }

    /// Remembers a quirk; `false` when it was known, so that trying again would change nothing.
    func learn(_ quirk: Quirk, of model: String, now: Instant) -> Bool {
        entries.withLock { entries in
            var entry =
                entries[model].flatMap { $0.until > now ? $0 : nil }
                ?? Entry(quirks: [], until: now + Self.lifetime)
            guard entry.quirks.insert(quirk).inserted else { return false }
            guard entries[model] != nil || entries.count < Self.modelsMax else { return true }
            entries[model] = entry
            return true
        }
    }
}
