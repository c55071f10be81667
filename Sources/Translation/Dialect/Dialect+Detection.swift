// Which dialect a server speaks, and what one of its models changes.

extension Dialect {
    /// The dialect of that name.
    package static func named(_ name: String) -> Dialect? { all.first { $0.name == name } }

    /// The dialect of a server, told by its host or port.
    package static func detect(baseURL: String) -> Dialect {
        let url = baseURL.lowercased()
        let rest = url.split(separator: "/", omittingEmptySubsequences: true)
        let authority = url.hasPrefix("http") && rest.count > 1 ? rest[1] : rest.first ?? ""
        let host = authority.prefix { $0 != ":" }
        let known = all.first { dialect in
            dialect.addresses.contains { address in
                address.hasPrefix(":")
                    ? authority.hasSuffix(address)
                    : host == address || host.hasSuffix("." + address)
            }
        }
        var dialect = known ?? .generic
        // The one that takes a prefix stands apart.
        if dialect.name == "deepseek", rest.contains("beta") { dialect.prefill = .prefix }
        dialect.goesByModel = known == nil
        return dialect
    }

    /// The dialect for one model.
    ///
    /// Behind an unknown address a model that only one service has tells which service it is.
    package func refined(for model: String) -> Dialect {
        let name = model.lowercased()
        var dialect = self
        if goesByModel,
            let known = Self.prefixes.first(where: { name.hasPrefix($0.prefix) })
        {
            dialect = Self.all[known.place]
        }
        for family in ModelFamily.all where family.holds(dialect, name) { family.change(&dialect) }
        return dialect
    }

    /// How names of models begin, and the places of their dialects: this is asked with each
    /// request, and a dialect is much to copy.
    private static let prefixes: [(prefix: String, place: Int)] = all.enumerated().flatMap {
        place, dialect in dialect.models.map { ($0, place) }
    }
}

/// Models of a server that differ from its others.
private struct ModelFamily: Sendable {
    /// The dialects it is about; so few names are compared sooner than hashed.
    let dialects: [String]
    /// Whether a model's name, in small letters, belongs to it.
    let isMember: @Sendable (String) -> Bool
    let change: @Sendable (inout Dialect) -> Void

    func holds(_ dialect: Dialect, _ model: String) -> Bool {
        dialects.contains(dialect.name) && isMember(model)
    }

    static let all = [
        // OpenAI's reasoning models take neither sampling parameters nor stop sequences.
        ModelFamily(
            dialects: ["openai", "azure"],
            isMember: { name in
                ["o1", "o3", "o4", "gpt-5", "gpt-6"].contains { name.hasPrefix($0) }
            },
            change: {
                $0.acceptsSampling = false
                $0.acceptsStop = false
                $0.knowsDeveloperRole = true
                $0.reasoning = ReasoningControl(effort: .top, off: Effort.none)
            }),
        ModelFamily(
            dialects: ["openai"], isMember: { isAtLeast(5, 6, $0) },
            change: { $0.takesCacheBreakpoints = true }),
        ModelFamily(
            dialects: ["openai"], isMember: { has($0, "-search-") },
            change: { $0.webSearch = .options }),
        // OpenRouter hands these to services that cache by marker and think by budget.
        ModelFamily(
            dialects: ["openrouter"],
            isMember: { $0.hasPrefix("anthropic/") || $0.hasPrefix("google/gemini") },
            change: {
                $0.cacheMarkers = .cacheControl
                $0.reasoning.budget = .object
            }),
        ModelFamily(
            dialects: ["openrouter"], isMember: { $0.hasPrefix("anthropic/") },
            change: {
                $0.acceptsImagesInTools = true
                $0.fillsEmptyResults = true
            }),
        // Flash models can do without thinking; the others only with little of it.
        ModelFamily(
            dialects: ["gemini"], isMember: { has($0, "flash") },
            change: { $0.reasoning.off = .minimal }),
        ModelFamily(
            dialects: ["gemini"], isMember: { has($0, "2.5-flash") },
            change: { $0.reasoning.off = Effort.none }),
        ModelFamily(
            dialects: ["groq"], isMember: { has($0, "gpt-oss") },
            change: {
                $0.reasoning = ReasoningControl(effort: .top, ReasoningControl.upToHigh)
            }),
        // Qwen on Groq knows none and default; and its tags would be part of the text.
        ModelFamily(
            dialects: ["groq"], isMember: { has($0, "qwen") },
            change: {
                $0.reasoning = ReasoningControl(effort: .top, off: Effort.none)
                $0.reasoning.refused = [.minimal, .low, .medium, .high, .xhigh, .max]
                $0.reasoning.asksForParsed = true
            }),
        ModelFamily(
            dialects: ["mistral"], isMember: { has($0, "mistral-small") },
            change: {
                let high: [Effort: Effort] = [
                    .minimal: .high, .low: .high, .medium: .high, .xhigh: .high, .max: .high,
                ]
                $0.reasoning = ReasoningControl(effort: .top, off: Effort.none, high)
                $0.replay = .parts
            }),
        ModelFamily(
            dialects: ["mistral"], isMember: { has($0, "magistral") },
            change: { $0.replay = .parts }),
        // Their templates read the ids of calls.
        ModelFamily(
            dialects: ["vllm", "sglang", "generic"], isMember: { has($0, "kimi-k2") },
            change: { $0.toolIDs = .functionsAndNumber }),
        ModelFamily(
            dialects: ["vllm", "sglang"],
            isMember: { name in
                has(name, "mistral") || has(name, "magistral") || has(name, "devstral")
                    || has(name, "mixtral")
            },
            change: { $0.toolIDs = .nineAlphanumerics }),
    ]

    /// Whether a name like `gpt-5.6-mini` is of that version or a later one.
    private static func isAtLeast(_ major: Int, _ minor: Int, _ name: String) -> Bool {
        guard name.hasPrefix("gpt-") else { return false }
        let version = name.dropFirst(4).prefix { $0 != "-" }.split(separator: ".")
        guard let first = version.first.flatMap({ Int($0) }) else { return false }
        let second = version.dropFirst().first.flatMap { Int($0) } ?? 0
        return (first, second) >= (major, minor)
    }

    /// Whether a name holds a part; asked several times a request, so byte by byte.
    private static func has(_ name: String, _ part: StaticString) -> Bool {
        let part = unsafe UnsafeBufferPointer(
            start: part.utf8Start, count: part.utf8CodeUnitCount)
        return name.utf8.span.indices.contains { start in
            let rest = name.utf8.span.extracting(start...)
            guard rest.count >= part.count else { return false }
            return part.indices.allSatisfy { unsafe rest[$0] == part[$0] }
        }
    }
}
