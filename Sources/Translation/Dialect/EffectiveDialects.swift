// The dialect of a request: what the model, experience and the operator change of the server's.
internal import Synchronization

/// The dialects of one upstream's models.
///
/// A dialect is much to copy and to compare: those of the models asked for so far are remembered.
/// What was learned changes by the hour and is applied each time.
final class EffectiveDialects: Sendable {
    /// Clients choose the names of models, and may never stop to think of new ones.
    private static let modelsMax = 64

    private let dialect: Dialect
    private let limits: RequestLimits
    private let known = Mutex<[String: Dialect]>([:])

    init(_ dialect: Dialect, _ limits: RequestLimits) {
        self.dialect = dialect
        self.limits = limits
    }

    func dialect(for model: String, _ quirks: Set<Quirk>) -> Dialect {
        guard quirks.isEmpty else { return made(for: model, quirks) }
        // The lock is held for a look-up; workers rarely meet.
        return known.withLock { known in
            if let dialect = known[model] { return dialect }
            if known.count >= Self.modelsMax { known.removeAll() }
            let dialect = made(for: model, [])
            known[model] = dialect
            return dialect
        }
    }

    private func made(for model: String, _ quirks: Set<Quirk>) -> Dialect {
        var dialect = dialect.refined(for: model)
        if let place = limits.effortPlace { dialect.reasoning.place = place }
        if limits.fastTier != nil { dialect.acceptsServiceTier = true }
        if limits.marksCacheBreakpoints, dialect.takesCacheBreakpoints {
            dialect.cacheMarkers = .breakpoint
        }
        dialect.usesDeveloperRole = limits.usesDeveloperRole && dialect.knowsDeveloperRole
        dialect = dialect.applying(quirks)
        if let usesMaxCompletionTokens = limits.usesMaxCompletionTokens {
            dialect.usesMaxCompletionTokens = usesMaxCompletionTokens
        }
        if let systemEntries = limits.systemEntries { dialect.systemEntries = systemEntries }
        // DeepSeek wants the field even when nothing stands in it.
        if limits.keepsReasoning, dialect.replay != .everyToolCall { dialect.replay = .none }
        return dialect
    }
}
