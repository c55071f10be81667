// From bytes to chunks, and from a chunk to what it brings.
internal import Bytes
internal import EventStream
internal import JSON

extension StreamTranslator {
    /// Members that are never looked into, or whose place in the bytes is needed; and those that
    /// every chunk has and no answer tells.
    private static let opaqueKeys = OpaqueKeys(
        ["content", "reasoning_content", "reasoning", "arguments"],
        unread: ["created", "model", "system_fingerprint", "logprobs", "prompt_logprobs"])
    private static let reasoningKeys: [StaticString] = [
        "reasoning_content", "reasoning", "thinking", "reasoning_text",
    ]
    private static let malformedMax = 3

    /// Takes every event that is whole.
    mutating func take(into events: inout [UInt8]) {
        while !isOver {
            takeFramed(into: &events)
            guard !isOver, let event = reader.next() else { break }
            self.event(event, into: &events)
        }
        guard reader.isOverlong, !isOver else { return }
        fail(.upstreamProtocol("the upstream sent a line without end"), into: &events)
    }

    // MARK: - The short way

    /// Takes the events at the reader's place that look like the one before them.
    private mutating func takeFramed(into events: inout [UInt8]) {
        guard let frame else { return }
        let unread = reader.unread
        let bytes = unread.span
        var place = 0
        while self.frame != nil, let match = frame.match(bytes, at: place) {
            framed(bytes, match, frame.target, into: &events)
            place = match.end
        }
        reader.skip(place)
    }

    /// What a chunk with a known frame brings.
    private mutating func framed(
        _ bytes: Span<UInt8>, _ match: ChunkFrame.Match, _ target: ChunkFrame.Target,
        into events: inout [UInt8]
    ) {
        malformedCount = 0
        if let usage = match.usage {
            usageText.removeAll(keepingCapacity: true)
            usageText.append(bytes.extracting(usage))
        }
        let content = bytes.extracting(match.content)
        switch target {
        case .text: text(content, isClean: true, into: &events)
        case .reasoning:
            if frameHasDetails, plan.thinking != .hidden { reasoningDetails.add(text: content) }
            reasoning(content, isClean: true, into: &events)
        case .arguments(let place):
            arguments(content, isClean: true, to: place, into: &events)
            if !gathersTools { pump(into: &events) }
        }
        if isOver { frame = nil }
    }

    // MARK: - The full way

    private mutating func event(_ event: ServerSentEvent, into events: inout [UInt8]) {
        if let frame, let match = frame.match(data: event.data.span) {
            return framed(event.data.span, match, frame.target, into: &events)
        }
        guard event.hasSeveralLines, (try? JSONDocument(parsing: Array(event.data))) == nil else {
            return data(event.data, isError: event.isError, into: &events)
        }
        // Several events between which the server forgot the empty line.
        for line in event.data.split(separator: 0x0a) where !isOver {
            data(line, isError: event.isError, into: &events)
        }
    }

    /// The data of one event: a chunk, or the end marker.
    private mutating func data(
        _ data: ArraySlice<UInt8>, isError: Bool, into events: inout [UInt8]
    ) {
        var data = data
        while let last = data.last, last <= 0x20 { data.removeLast() }
        guard !data.isEmpty else { return }
        if data.elementsEqual("[DONE]".utf8) || data.elementsEqual("\"[DONE]\"".utf8) {
            return complete(into: &events)
        }
        chunk(data, isError: isError, into: &events)
    }

    /// Parses a chunk, and takes what it brings in the order that the blocks of a message have.
    mutating func chunk(
        _ data: ArraySlice<UInt8>, isError: Bool = false, into events: inout [UInt8]
    ) {
        frame = nil
        guard let document = try? JSONDocument(parsing: Array(data), opaqueKeys: Self.opaqueKeys)
        else { return skip(into: &events) }
        // Gemini puts its errors into an array.
        let root = document.root.elements.first ?? document.root
        guard root.kind == .object else { return skip(into: &events) }
        malformedCount = 0
        if let error = error(in: root, isError: isError) {
            return failed(error, into: &events)
        }
        note(root)
        if !phase.isBegun { start(into: &events) }
        let choices = root["choices"]?.elements.map { $0 } ?? []
        let choice = choices.first { ($0["index"]?.integer ?? 0) == 0 }
        if choices.count > (choice == nil ? 0 : 1) { report.lost("choice") }
        if let choice { take(choice, of: document, into: &events) }
        // With the finish reason and the usage nothing is missing; `[DONE]` says nothing more.
        if case .finishing = phase, hasUsage(root, choice), !isWhole { complete(into: &events) }
    }

    /// Something that is no chunk between chunks is left out; many of them are a failure.
    private mutating func skip(into events: inout [UInt8]) {
        malformedCount += 1
        report.repaired("malformed_chunk")
        guard malformedCount >= Self.malformedMax else { return }
        fail(.upstreamProtocol("the upstream sent what is no completion"), into: &events)
    }

    private func error(in root: JSONValue, isError: Bool) -> APIError? {
        UpstreamError.inBand(root, isError: isError, plan)
            ?? root["x_groq"].flatMap { UpstreamError.inBand($0, plan) }
    }

    /// A context that was used up while text came is the end of that text.
    private mutating func failed(_ error: APIError, into events: inout [UInt8]) {
        guard error.label == .contextOverflow, report.hasText, !hasUnclosedTools else {
            return fail(error, into: &events)
        }
        report.repaired("missing_end")
        finish = .length
        complete(into: &events)
    }

    /// What a chunk tells beside its news; the last usage counts, wherever it stands.
    private mutating func note(_ root: JSONValue) {
        let choice = root["choices"]?.elements.first
        for value in [root["usage"], root["x_groq"]?["usage"], choice?["usage"]] {
            guard let value, value.kind == .object else { continue }
            usage = value
            usageText.removeAll(keepingCapacity: true)
            break
        }
        if let tier = root["service_tier"]?.text {
            isPriority = tier == "priority" || tier == "fast"
        }
        if report.completionID == nil { report.completionID = CompletionID.read(root) }
    }

    private func hasUsage(_ root: JSONValue, _ choice: JSONValue?) -> Bool {
        [root["usage"], root["x_groq"]?["usage"], choice?["usage"]].contains {
            $0?.kind == .object
        }
    }

    private mutating func take(
        _ choice: JSONValue, of document: JSONDocument, into events: inout [UInt8]
    ) {
        if let delta = delta(of: choice) {
            hasDelta = true
            news(delta, of: document, into: &events)
        }
        guard !isOver, let reason = choice["finish_reason"]?.text?.string, !reason.isEmpty else {
            return
        }
        frame = nil
        let finish = FinishReason(reason)
        if !FinishReason.isKnown(reason) { report.repaired("finish_reason") }
        if var failure = finish.failure {
            if let message = choice["error"]?["message"]?.text?.string { failure.message = message }
            return fail(failure, into: &events)
        }
        self.finish = finish
        metSequence = sequence(choice)
        phase = .finishing
    }

    /// The chunk's news: `delta`, or the `message` of a server that does not stream.
    private func delta(of choice: JSONValue) -> JSONValue? {
        if let delta = choice["delta"], delta.kind == .object { return delta }
        guard !hasDelta || isWhole, let message = choice["message"], message.kind == .object else {
            return nil
        }
        return message
    }

    /// Which of the client's stop sequences the upstream says it met: vLLM, SGLang, llama.cpp.
    private func sequence(_ choice: JSONValue) -> String? {
        for key in ["stop_reason", "matched_stop", "stopping_word"] as [StaticString] {
            guard let word = choice[key]?.text?.string else { continue }
            if plan.stopSequences.contains(word) { return word }
        }
        // OpenRouter tells that there was one, not which.
        guard choice["native_finish_reason"]?.text.map({ $0 == "stop_sequence" }) == true,
            plan.stopSequences.count == 1
        else { return nil }
        return plan.stopSequences[0]
    }

    private mutating func news(
        _ delta: JSONValue, of document: JSONDocument, into events: inout [UInt8]
    ) {
        var brought: [(ChunkFrame.Target, JSONSlice?)] = []
        if let key = Self.reasoningKeys.first(where: { delta[$0]?.text?.isEmpty == false }),
            let value = delta[key]
        {
            value.text?.withEscaped { reasoning($0, into: &events) }
            brought.append((.reasoning, value.slice))
        }
        if let details = delta["reasoning_details"], details.kind == .array {
            self.details(details, hasText: brought.isEmpty, into: &events)
            if !Self.isRepetition(details, of: brought.first?.1) { brought.append((.text, nil)) }
            frameHasDetails = true
        } else {
            frameHasDetails = false
        }
        if let content = delta["content"], !content.isNull, content.text?.isEmpty != true {
            self.content(content, into: &events)
            brought.append((.text, content.kind == .string ? content.slice : nil))
        }
        if let text = delta["refusal"]?.text, !text.isEmpty {
            text.withEscaped { refuse($0, into: &events) }
            brought.append((.text, nil))
        }
        if media(delta, into: &events) { brought.append((.text, nil)) }
        guard !isOver else { return }
        if plan.isCompaction {
            noteCalls(delta)
        } else if let calls = delta["tool_calls"], !calls.elements.isEmpty {
            for call in calls.elements {
                let place = toolCall(call, into: &events)
                guard !isOver else { return }
                let arguments = Self.isPlain(call) ? call["function"]?["arguments"] : nil
                brought.append((.arguments(place), arguments?.slice))
            }
        } else if let call = delta["function_call"], call.kind == .object {
            legacyCall(call, into: &events)
            brought.append((.arguments(-1), nil))
        }
        guard brought.count == 1, let (target, slice) = brought.first, let slice else { return }
        learn(target, slice, document)
    }

    /// Whether details say the chunk's reasoning once more and nothing else that changes.
    private static func isRepetition(_ details: JSONValue, of reasoning: JSONSlice?) -> Bool {
        guard details.elements.count == 1, let reasoning, let detail = details.elements.first,
            let text = (detail["text"] ?? detail["summary"])?.slice,
            detail["data"]?.text == nil, detail["signature"]?.text == nil
        else { return false }
        return text.source[text.range] == reasoning.source[reasoning.range]
    }

    /// Whether the next chunk with the same index, id and name certainly means the same call.
    private static func isPlain(_ call: JSONValue) -> Bool {
        call["function"]?["name"]?.text?.isEmpty != false
    }

    /// Remembers a chunk that brought one string and nothing else.
    private mutating func learn(
        _ target: ChunkFrame.Target, _ slice: JSONSlice, _ document: JSONDocument
    ) {
        guard remembersFrames, !isWhole, finish == nil, slice.kind == .string else { return }
        let content = slice.range.lowerBound + 1..<slice.range.upperBound - 1
        guard !content.isEmpty else { return }
        frame = ChunkFrame(
            document.source, content: content, target: target,
            readsUsage: document.root["usage"]?.kind == .object)
    }
}
