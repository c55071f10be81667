// Which upstreams may answer for a model, in which order.
internal import Configuration
internal import Translation

/// The order in which upstreams are asked for a model; pure.
struct UpstreamRouter: Sendable {
    private let upstreams: [(name: String, map: ModelMap, models: [String])]
    private let rules: [(pattern: String, upstream: String?)]

    init(_ settings: Settings) {
        upstreams = settings.upstreams.map { upstream in
            (upstream.name, Self.map(upstream, settings.modelRules), upstream.models)
        }
        rules = settings.modelRules.map { ($0.pattern, $0.upstream) }
    }

    /// The models of one upstream: its own pairs, then those of the common map that are for it or
    /// for everybody.
    static func map(
        _ upstream: UpstreamSettings,
        _ rules: [(pattern: String, upstream: String?, model: String?)]
    ) -> ModelMap {
        let own = upstream.modelRules.map { ModelRule(pattern: $0.pattern, model: $0.model) }
        let common = rules.filter { $0.upstream == nil || $0.upstream == upstream.name }
        return ModelMap(rules: own + common.map { ModelRule(pattern: $0.pattern, model: $0.model) })
    }

    /// Places of the upstreams for a client's model name, the first choice first.
    ///
    /// Rules that name an upstream come first, in their order. As long as only such rules match,
    /// nobody else is asked; with a rule for everybody, or with none, the others follow in their
    /// own order if they serve the model.
    func candidates(for model: String) -> [Int] {
        let name = ModelMap.plain(model)
        let exact = rules.filter { $0.pattern == name }
        let matching =
            exact + rules.filter { $0.pattern != name && Self.fits(name, $0.pattern) }
        let pinned = matching.prefix { $0.upstream != nil }.compactMap { rule in
            upstreams.firstIndex { $0.name == rule.upstream }
        }
        var places: [Int] = []
        for place in pinned where !places.contains(place) { places.append(place) }
        guard pinned.isEmpty || pinned.count < matching.count else { return places }
        for place in upstreams.indices where !places.contains(place) && serves(place, name) {
            places.append(place)
        }
        return places
    }

    /// Whether an upstream is meant for a model, by the client's name or by its own.
    private func serves(_ place: Int, _ name: String) -> Bool {
        let (_, map, models) = upstreams[place]
        guard !models.isEmpty else { return true }
        let own = map.resolve(name)
        return models.contains { Self.fits(name, $0) || Self.fits(own, $0) }
    }

    private static func fits(_ name: String, _ pattern: String) -> Bool {
        ModelRule(pattern: pattern, model: nil).fits(name)
    }
}
