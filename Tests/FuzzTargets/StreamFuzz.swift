// Streams: the same events for every split and both ways of a chunk, always in their order.
import EventStream
import JSON
import Translation

enum StreamFuzz {
    private struct Run: Equatable {
        var events: [UInt8] = []
        var isFailedEarly = false
    }

    static func run(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let seed = input.byte()
        let plan = Plans.make(&input)
        let whole = run([input.rest], plan, remembersFrames: seed & 1 == 0)
        let told = Told(whole.events)
        if whole.isFailedEarly {
            must(whole.events.isEmpty, "an error before the start, and events")
        } else {
            must(told.hasEnded, "a stream without an end")
        }
        // To translate once is enough to find what is new; the input itself asks for more.
        if seed & 6 == 2 {
            let other = run([input.rest], plan, remembersFrames: seed & 1 != 0)
            must(other == whole, "the short way of a chunk wrote something else")
        }
        guard seed & 6 == 4 else { return }
        let pieces = run(input.pieces(seed: seed >> 3), plan, remembersFrames: seed & 1 == 0)
        must(pieces.isFailedEarly == whole.isFailedEarly, "a split changed the outcome")
        // Where it was cut may show in where a text is cut, and nowhere else.
        guard pieces.events != whole.events else { return }
        must(Told(pieces.events) == told, "a split changed what was told")
    }

    private static func run(
        _ pieces: [ArraySlice<UInt8>], _ plan: ExchangePlan, remembersFrames: Bool
    ) -> Run {
        var run = Run()
        var translator = StreamTranslator(
            plan: plan, messageID: "msg_1", requestID: "req_1", mint: IdentifierMint(seed: (1, 2)))
        translator.remembersFrames = remembersFrames
        for piece in pieces where !isOver(translator) {
            translator.feed(Array(piece), into: &run.events)
        }
        translator.finish(.endOfStream, into: &run.events)
        must(isOver(translator), "a finished stream goes on")
        if case .failed(let error) = translator.phase {
            RequestFuzz.check(error)
            run.isFailedEarly = run.events.isEmpty
        }
        return run
    }

    private static func isOver(_ translator: StreamTranslator) -> Bool {
        switch translator.phase {
        case .waiting, .open, .finishing: false
        case .ended, .failed: true
        }
    }
}

/// What a client understands from events, read by the grammar of the API (translation 4.2).
private struct Told: Equatable {
    private(set) var blocks: [[UInt8]] = []
    private(set) var last: [UInt8] = []
    private(set) var hasEnded = false
    private var isOpen = false
    private var hasBegun = false

    init(_ events: [UInt8]) {
        var reader = EventStreamReader()
        reader.feed(events)
        while let event = reader.next() {
            guard let root = try? JSONDocument(parsing: Array(event.data)).root else {
                broken("an event that is no JSON")
            }
            read(root, Array(event.data))
        }
    }

    private mutating func read(_ root: JSONValue, _ data: [UInt8]) {
        must(!hasEnded, "an event behind the end")
        let type = root["type"]?.text?.string ?? ""
        must(hasBegun != (type == "message_start"), "\(type) in the wrong place")
        let index = root["index"]?.integer
        switch type {
        case "message_start": hasBegun = true
        case "ping": break
        case "content_block_start":
            must(!isOpen && index == blocks.count, "a block begins where it must not")
            isOpen = true
            blocks.append(data)
        case "content_block_delta":
            must(isOpen && index == blocks.count - 1, "a delta of no open block")
            add(root["delta"])
        case "content_block_stop":
            must(isOpen && index == blocks.count - 1, "the end of no open block")
            isOpen = false
        case "message_delta":
            must(!isOpen && last.isEmpty, "message_delta in the wrong place")
            last = data
        case "message_stop":
            must(!last.isEmpty, "an end without a reason")
            hasEnded = true
        case "error":
            must(last.isEmpty, "an error behind the reason of the end")
            last = data
            hasEnded = true
        default: broken("an event of type \(type)")
        }
    }

    private mutating func add(_ delta: JSONValue?) {
        guard let delta else { return }
        for member in delta.members {
            blocks[blocks.count - 1] += member.value.text?.decoded() ?? []
        }
    }
}
