// Chat Completions chunks become Anthropic's events (translation 4).
internal import Bytes
internal import EventStream
internal import JSON

/// What the books want to know of a stream.
package struct StreamReport: Sendable {
    /// Tokens of the exchange.
    package var usage: Usage?
    /// Why the model stopped.
    package var stopReason: StopReason?
    /// What was mended on the way, by kind.
    package var repairs: [String] = []
    /// How many tool use blocks there are.
    package var toolCallCount = 0
    /// Whether any text, reasoning or tool call has gone out.
    package var hasOutput = false
    var textBlockCount = 0
}

/// Translates one stream; pure.
///
/// Exactly one block is open at a time.
package struct StreamTranslator {
    /// Where the stream is.
    package enum Phase: Sendable {
        /// Nothing valid was seen yet: the answer may still become an HTTP error.
        case waiting
        /// `message_start` is out.
        case open
        /// The finish reason is known; usage may follow.
        case finishing
        /// `message_stop` is out.
        case ended
        /// Before `message_start` nothing was written; after it an `error` event was.
        case failed(APIError)
    }

    /// How an upstream's stream can end.
    package enum End: Sendable {
        case endOfStream, reset, idleTimeout, graceElapsed, draining
    }

    /// The block that is open, if any.
    enum OpenBlock: Equatable { case none, thinking, text, toolUse(Int) }

    let plan: ExchangePlan
    let requestID: String
    let messageID: String
    var mint: IdentifierMint
    /// Where the stream is.
    package internal(set) var phase = Phase.waiting
    /// The books so far.
    package internal(set) var report = StreamReport()
    /// Whether the upstream goes on after the client has got all it wanted.
    package internal(set) var wantsUpstreamCancelled = false
    /// Off only for tests, which compare both ways.
    package var remembersFrames = true

    private var reader = EventStreamReader()
    private var frame: ChunkFrame?
    private var malformed = 0
    var block = OpenBlock.none
    var nextIndex = 0
    var finish: FinishReason?
    var usage: JSONValue?
    var isPriority = false
    private var sawDone = false
    var outputBytes = 0

    var stopScanner: StopScanner
    var thinkTags = ThinkTagScanner()
    /// Half a surrogate pair at the end of the last text, still escaped.
    var heldHalf: [UInt8] = []
    var refusal: [UInt8]?
    /// The text of the open thinking block, when its signature must carry it.
    var thought: [UInt8] = []
    var tools: [StreamedToolCall] = []
    /// Text that came while a tool call was incomplete.
    var textAfterTools: [UInt8] = []
    /// Ids of tool use blocks that have gone out.
    var givenIDs: Set<String> = []

    /// A translator for one stream.
    package init(plan: ExchangePlan, messageID: String, requestID: String, mint: IdentifierMint) {
        self.plan = plan
        self.messageID = messageID
        self.requestID = requestID
        self.mint = mint
        stopScanner = StopScanner(plan.stopSequences)
    }

    // MARK: - Driven by the exchange

    /// Takes a piece of the upstream's stream; appends whole events.
    package mutating func feed(_ piece: [UInt8], into events: inout [UInt8]) {
        reader.feed(piece)
        take(into: &events)
        guard reader.isOverlong, !isOver else { return }
        fail(.upstreamProtocol("the upstream sent a line without end"), into: &events)
    }

    /// Begins the message although nothing has come: the client must not wait longer for a status.
    package mutating func commit(into events: inout [UInt8]) {
        guard case .waiting = phase else { return }
        start(into: &events)
        EventWriter.ping(into: &events)
    }

    /// A sign of life.
    package static func ping(into events: inout [UInt8]) { EventWriter.ping(into: &events) }

    /// A whole completion, from an upstream that does not stream.
    package mutating func feedCompletion(_ body: [UInt8], into events: inout [UInt8]) {
        if body.first(where: { $0 > 0x20 }) == UInt8(ascii: "d") {
            feed(body, into: &events)
        } else {
            chunk(body[...], into: &events)
        }
        if !isOver { finish(.endOfStream, into: &events) }
    }

    /// The upstream's stream is over, one way or another.
    package mutating func finish(_ end: End, into events: inout [UInt8]) {
        guard !isOver else { return }
        switch end {
        case .endOfStream, .reset:
            reader.end()
            take(into: &events)
            guard !isOver else { return }
            if finish != nil || sawDone { return complete(into: &events) }
            fail(.upstreamCut, into: &events)
        case .graceElapsed:
            wantsUpstreamCancelled = true
            complete(into: &events)
        case .idleTimeout:
            fail(
                APIError(.timeout, "the upstream stopped sending", label: .upstreamTimeout),
                into: &events)
        case .draining:
            fail(
                APIError(
                    .overloaded, "the gateway is shutting down; try again", label: .proxyOverload),
                into: &events)
        }
    }

    var isOver: Bool {
        switch phase {
        case .waiting, .open, .finishing: false
        case .ended, .failed: true
        }
    }

    // MARK: - Chunks

    private mutating func take(into events: inout [UInt8]) {
        while !isOver, let event = reader.next() { self.event(event, into: &events) }
    }

    private mutating func event(_ event: ServerSentEvent, into events: inout [UInt8]) {
        if let frame, let content = frame.content(in: event.data) {
            return delta(event.data[content], frame.kind, into: &events)
        }
        var data = event.data
        while let last = data.last, last <= 0x20 { data.removeLast() }
        guard !data.isEmpty else { return }
        if data.elementsEqual("[DONE]".utf8) || data.elementsEqual("\"[DONE]\"".utf8) {
            return done(into: &events)
        }
        guard event.hasSeveralLines, (try? JSONDocument(parsing: Array(data))) == nil else {
            return chunk(data, isError: event.isError, into: &events)
        }
        for line in data.split(separator: 0x0a) where !isOver {
            chunk(line, isError: event.isError, into: &events)
        }
    }

    private mutating func done(into events: inout [UInt8]) {
        sawDone = true
        guard phase.isBegun || finish != nil else {
            return fail(.upstreamProtocol("the upstream sent no completion"), into: &events)
        }
        complete(into: &events)
    }

    private static let opaqueKeys = OpaqueKeys([
        "content", "reasoning_content", "reasoning", "arguments", "logprobs",
    ])

    /// The full way: parse, then each field in the order that the blocks of a message have.
    private mutating func chunk(
        _ data: ArraySlice<UInt8>, isError: Bool = false, into events: inout [UInt8]
    ) {
        frame = nil
        guard let document = try? JSONDocument(parsing: Array(data), opaqueKeys: Self.opaqueKeys),
            document.root.kind == .object
        else { return skip(into: &events) }
        malformed = 0
        let root = document.root
        if let error = UpstreamError.inBand(root, isError: isError) {
            return fail(error, into: &events)
        }
        if !phase.isBegun { start(into: &events) }
        note(root)
        guard
            let choice = root["choices"]?.elements.first(where: { ($0["index"]?.integer ?? 0) == 0 }
            )
        else { return afterChunk(into: &events) }
        if let delta = choice["delta"] ?? choice["message"], delta.kind == .object {
            self.delta(delta, of: document, into: &events)
        }
        if !isOver, let reason = choice["finish_reason"]?.text?.string, !reason.isEmpty {
            finish(reason, choice, into: &events)
        }
        afterChunk(into: &events)
    }

    /// Something that is no chunk between chunks is left out; many of them are a failure.
    private mutating func skip(into events: inout [UInt8]) {
        malformed += 1
        report.repairs.append("malformed_chunk")
        guard malformed >= 3 else { return }
        fail(.upstreamProtocol("the upstream sent what is no completion"), into: &events)
    }

    private mutating func note(_ root: JSONValue) {
        let usage = root["usage"] ?? root["x_groq"]?["usage"]
        if let usage, usage.kind == .object { self.usage = usage }
        if let tier = root["service_tier"]?.text, tier == "priority" || tier == "fast" {
            isPriority = true
        }
    }

    private mutating func finish(_ reason: String, _ choice: JSONValue, into events: inout [UInt8])
    {
        let finish = FinishReason(reason)
        if var failure = finish.failure {
            if let message = choice["error"]?["message"]?.text?.string { failure.message = message }
            return fail(failure, into: &events)
        }
        self.finish = finish
        phase = .finishing
    }

    /// With the finish reason and the usage nothing is missing; `[DONE]` says nothing more.
    private mutating func afterChunk(into events: inout [UInt8]) {
        guard case .finishing = phase, usage != nil else { return }
        complete(into: &events)
    }

    private mutating func delta(
        _ delta: JSONValue, of document: JSONDocument, into events: inout [UInt8]
    ) {
        if let reasoning = Self.reasoning(delta) { self.reasoning(reasoning, into: &events) }
        if let content = delta["content"] { self.content(content, into: &events) }
        if let refusal = delta["refusal"]?.text, !refusal.isEmpty {
            self.refusal = (self.refusal ?? []) + refusal.decoded()
            text(refusal, into: &events)
        }
        guard !isOver else { return }
        for call in delta["tool_calls"]?.elements.map({ $0 }) ?? [] {
            toolCall(call, into: &events)
        }
        if delta["tool_calls"] == nil, let call = delta["function_call"], call.kind == .object {
            legacyCall(call, into: &events)
        }
        learnFrame(delta, document)
    }

    /// The first alias that holds something: vLLM and OpenRouter send two with the same text.
    private static func reasoning(_ delta: JSONValue) -> JSONText? {
        for key in ["reasoning_content", "reasoning", "thinking", "reasoning_text"]
            as [StaticString]
        {
            if let text = delta[key]?.text, !text.isEmpty { return text }
        }
        return nil
    }

    /// Remembers the chunk when the next one may go the short way: one string, nothing to look at.
    private mutating func learnFrame(_ delta: JSONValue, _ document: JSONDocument) {
        guard remembersFrames, heldHalf.isEmpty else { return }
        let keys: [(StaticString, DeltaKind)] = [
            ("content", .text), ("reasoning_content", .thinking), ("reasoning", .thinking),
        ]
        let brought = keys.filter { key, _ in
            delta[key].map { $0.text.map { !$0.isEmpty } ?? !$0.isNull } ?? false
        }
        let finished = document.root["choices"]?.elements.first?["finish_reason"]
        guard brought.count == 1, let (key, kind) = brought.first, finished?.isNull ?? true,
            document.root["usage"]?.isNull ?? true, delta["tool_calls"] == nil,
            delta["function_call"] == nil, delta["refusal"]?.isNull ?? true,
            let slice = delta[key]?.slice, slice.kind == .string, goesStraight(kind)
        else { return }
        frame = ChunkFrame(
            document.source, content: slice.range.lowerBound + 1..<slice.range.upperBound - 1,
            kind: kind)
    }

    /// Whether text of that kind needs no look and its block is open.
    private func goesStraight(_ kind: DeltaKind) -> Bool {
        switch kind {
        case .text: block == .text && !stopScanner.isActive && thinkTags.isDecided
        case .thinking: block == .thinking && plan.thinking == .shown
        case .signature, .inputJSON: false
        }
    }

    /// The short way.
    private mutating func delta(
        _ content: ArraySlice<UInt8>, _ kind: DeltaKind, into events: inout [UInt8]
    ) {
        outputBytes += content.count
        EventWriter.deltaStart(nextIndex - 1, kind, into: &events)
        events.append(contentsOf: content)
        EventWriter.deltaEnd(into: &events)
    }
}
