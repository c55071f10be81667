// Chat Completions chunks become Anthropic's events (translation 4).
internal import EventStream
internal import JSON

/// Translates one stream; pure.
///
/// Exactly one block is open at a time. A chunk goes the full way, through a parser, unless it
/// looks like the one before it (`ChunkFrame`); both ways lead to the same methods.
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
    enum OpenBlock: Equatable {
        case none, thinking, text, toolUse(Int)

        var deltaKind: DeltaKind {
            switch self {
            case .none, .text: .text
            case .thinking: .thinking
            case .toolUse: .inputJSON
            }
        }
    }

    /// More than this is not kept back of one answer.
    static let heldBytesMax = EventStreamReader.lineBytesMax

    let plan: ExchangePlan
    let form: AnswerForm
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

    var reader = EventStreamReader()
    var frame: ChunkFrame?
    /// How many events in a row were no chunks.
    var malformedCount = 0
    /// Whether the answer is one completion rather than a stream of chunks.
    var isWhole = false
    /// Whether a chunk had a `delta`: a `message` beside or after it repeats what is known.
    var hasDelta = false

    var block = OpenBlock.none
    /// The index of the next block; the open one's is one less.
    var nextIndex = 0
    /// What every delta of the open block begins and ends with.
    var deltaOpening: [UInt8] = []
    let deltaClosing: StaticString

    var finish: FinishReason?
    /// The stop sequence that the upstream says it met.
    var metSequence: String?
    /// The last usage: a value, or, when that is empty, newer bytes of one.
    var usage: JSONValue?
    var usageText: [UInt8] = []
    /// Whether the upstream served it with priority, once it has told.
    var isPriority: Bool?
    /// Pages that the answer cites.
    var searchResults = WebSearchResults()
    /// Whether sound came, and whether its words came with it.
    var hasAudio = false
    var hasTranscript = false
    /// Bytes of text, reasoning and arguments; an estimate where the upstream counts nothing.
    var outputBytes = 0

    var prefill: PrefillScanner
    var thinkTags: ThinkTagScanner
    var stopScanner: StopScanner
    var textLimit: TextLimit?
    var fence: FenceScanner
    /// Whether text is looked at for where it must end.
    let watchesText: Bool
    /// Half a surrogate pair at the end of the last text, or reasoning, still escaped.
    var textHalf: [UInt8] = []
    var reasoningHalf: [UInt8] = []
    /// What the model said in refusing, still escaped.
    var refusal: [UInt8]?
    /// The text of the open thinking block, when its signature must carry it.
    var thought: [UInt8] = []
    /// The text of a compaction, which goes out when all of it is known.
    var summary: [UInt8] = []
    /// What opaque data the next thinking block's signature carries.
    var reasoningDetails = ReasoningDetails()
    var toolSignatures: [String: String] = [:]
    /// Whether chunks with the frame repeat their reasoning in `reasoning_details`.
    var frameHasDetails = false

    var tools: [StreamedToolCall] = []
    /// Text that came while a tool call was incomplete, decoded.
    var textBehindTools: [UInt8] = []
    /// Ids of tool use blocks that have gone out.
    var givenIDs: Set<String> = []
    /// Decoded arguments, kept for its room.
    var scratch: [UInt8] = []

    /// A translator for one stream.
    package init(plan: ExchangePlan, messageID: String, requestID: String, mint: IdentifierMint) {
        self.init(
            plan: plan, form: .events, messageID: messageID, requestID: requestID, mint: mint)
    }

    init(
        plan: ExchangePlan, form: AnswerForm, messageID: String, requestID: String,
        mint: IdentifierMint
    ) {
        self.plan = plan
        self.form = form
        deltaClosing = form.deltaClosing
        self.messageID = messageID
        self.requestID = requestID
        self.mint = mint
        thinkTags = ThinkTagScanner(plan.options.thinkTags)
        prefill = PrefillScanner(plan.prefill)
        stopScanner = StopScanner(plan.stopSequences)
        textLimit = plan.textTokensMax.map { TextLimit(tokens: $0) }
        fence = FenceScanner(isOn: plan.stripsFences)
        watchesText = stopScanner.isActive || textLimit != nil || plan.stripsFences
    }

    /// Takes a piece of the upstream's stream; appends whole events.
    package mutating func feed(_ piece: [UInt8], into events: inout [UInt8]) {
        reader.feed(piece)
        take(into: &events)
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
        let first = body.first { $0 > 0x20 }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            // Events after all, under the wrong content type; or nothing of use.
            feed(body, into: &events)
            return finish(.endOfStream, into: &events)
        }
        isWhole = true
        chunk(body[...], into: &events)
        guard !isOver else { return }
        if case .waiting = phase {
            return fail(.upstreamProtocol("upstream returned what is no JSON"), into: &events)
        }
        guard hasDelta else {
            return fail(.upstreamProtocol("upstream returned no choices"), into: &events)
        }
        complete(into: &events)
    }

    /// The upstream's stream is over, one way or another.
    package mutating func finish(_ end: End, into events: inout [UInt8]) {
        guard !isOver else { return }
        switch end {
        case .endOfStream, .reset:
            reader.end()
            take(into: &events)
        case .graceElapsed: wantsUpstreamCancelled = true
        case .idleTimeout, .draining: break
        }
        guard !isOver else { return }
        // With the finish reason only the usage is missing, however the stream ends.
        if finish != nil { return complete(into: &events) }
        if case .waiting = phase { return fail(end.error(isWaiting: true), into: &events) }
        fail(end.error(isWaiting: false), into: &events)
    }

    /// Whether calls wait until all of them is known, so that each can still be mended or left out.
    var gathersTools: Bool { isWhole || form == .message }

    var isOver: Bool {
        switch phase {
        case .waiting, .open, .finishing: false
        case .ended, .failed: true
        }
    }

    /// Begins the message.
    mutating func start(into events: inout [UInt8]) {
        phase = .open
        let input = plan.options.estimatesAtStart ? inputAtStart : 0
        form.messageStart(
            id: messageID, model: plan.shownModel, inputTokens: input,
            isFast: plan.tellsSpeed ? isPriority : nil, into: &events)
    }

    /// The input as vLLM counts it in its first chunk, or as we do.
    private var inputAtStart: Int {
        usage.flatMap { Usage(upstream: $0) }?.inputTokens ?? max(1, plan.estimatedInputTokens)
    }
}

extension StreamTranslator.End {
    /// What the client is told of a stream that ended so, too early.
    func error(isWaiting: Bool) -> APIError {
        switch self {
        case .endOfStream, .reset:
            isWaiting
                ? .upstreamProtocol("the upstream closed the connection without a completion")
                : .upstreamCut
        case .idleTimeout:
            APIError(.timeout, "the upstream stopped sending", label: .upstreamTimeout)
        case .graceElapsed: .upstreamCut
        case .draining:
            APIError(
                .overloaded, "the gateway is shutting down; try again", label: .proxyOverload)
        }
    }
}

extension StreamTranslator.Phase {
    /// Whether `message_start` is out.
    package var isBegun: Bool {
        switch self {
        case .waiting, .failed: false
        case .open, .finishing, .ended: true
        }
    }
}
