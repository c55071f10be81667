// What an operator sees of the upstreams: how they are, and what was learned about them.
internal import Configuration
internal import EventLoop
internal import JSON
internal import Telemetry
internal import Translation

extension AdminEndpoint {
    /// `GET /debug/upstreams`.
    static let showUpstreams = AdminEndpoint(
        method: "GET", path: "/debug/upstreams", isLocal: true
    ) { request in
        let now = Instant.read()
        var text = JSONWriter()
        text.beginObject()
        text.key("upstreams")
        text.beginArray()
        for upstream in request.shared.upstreams { upstream.describe(in: &text, now: now) }
        text.endArray()
        text.endObject()
        return .json(text.finish().contiguous() + [0x0a])
    }
}

extension UpstreamServer {
    fileprivate func describe(in text: inout JSONWriter, now: Instant) {
        let health = health(now: now)
        text.beginObject()
        text.key("name")
        text.string(name)
        text.key("endpoint")
        text.string(shownURL)
        text.key("protocol")
        text.string(settings.interface.rawValue)
        text.key("dialect")
        text.string(dialect.name)
        text.key("reached")
        if let isReached = health.isReached { text.bool(isReached) } else { text.null() }
        text.key("breaker")
        describe(health.breaker.state, in: &text, now)
        text.key("retry_budget")
        text.integer(health.budget.retries)
        text.key("learned")
        text.beginArray()
        for entry in learned.known(now: now).sorted(by: { $0.model < $1.model }) {
            text.beginObject()
            text.key("model")
            text.string(entry.model)
            text.key("quirks")
            text.beginArray()
            for name in entry.quirks.map(\.name).sorted() { text.string(name) }
            text.endArray()
            text.key("remaining_seconds")
            text.integer(Self.seconds(until: entry.until, now))
            text.endObject()
        }
        text.endArray()
        text.endObject()
    }

    private func describe(
        _ state: CircuitBreaker.State, in text: inout JSONWriter, _ now: Instant
    ) {
        text.beginObject()
        text.key("state")
        text.string(state.label.rawValue)
        switch state {
        case .closed(let failures):
            text.key("failures")
            text.integer(failures)
        case .open(let until, _):
            text.key("remaining_seconds")
            text.integer(Self.seconds(until: until, now))
        case .halfOpen: break
        }
        text.endObject()
    }

    private static func seconds(until: Instant, _ now: Instant) -> Int {
        Int(clamping: (until.nanoseconds(since: now) + 999_999_999) / 1_000_000_000)
    }
}
