// A streamed answer to a request that asked for none, put together (translation 3.1).
internal import Bytes
internal import EventStream
internal import JSON

/// Gathers chunks into the completion that they stand for.
struct StreamAggregate {
    private var content: [UInt8] = []
    private var reasoning: [UInt8] = []
    private var calls: [(index: Int, id: String, name: String, arguments: [UInt8])] = []
    private var finish: String?
    private var usage: [UInt8]?

    /// Whether a body is an event stream rather than a completion.
    static func isStream(_ body: [UInt8]) -> Bool {
        let start = body.drop { $0 <= 0x20 }
        return ["data:", "event:", ":"].contains { start.starts(with: $0.utf8) }
    }

    /// The completion, as JSON; a stream that does not say how it ended is an error.
    static func completion(_ body: [UInt8]) throws(APIError) -> [UInt8] {
        var aggregate = StreamAggregate()
        var reader = EventStreamReader()
        reader.feed(body)
        reader.end()
        while let event = reader.next() {
            guard let document = try? JSONDocument(parsing: Array(event.data)) else { continue }
            if let error = UpstreamError.inBand(document.root, isError: event.isError) {
                throw error
            }
            aggregate.add(document.root)
        }
        guard aggregate.finish != nil else { throw .upstreamCut }
        return aggregate.write()
    }

    private mutating func add(_ root: JSONValue) {
        if let usage = root["usage"], usage.kind == .object {
            var writer = JSONWriter()
            writer.value(usage)
            self.usage = writer.finish().contiguous()
        }
        guard let choice = root["choices"]?.elements.first, let delta = choice["delta"] else {
            return
        }
        if let reason = choice["finish_reason"]?.text?.string { finish = reason }
        delta["content"]?.text?.appendDecoded(to: &content)
        (delta["reasoning_content"] ?? delta["reasoning"])?.text?.appendDecoded(to: &reasoning)
        for entry in delta["tool_calls"]?.elements.map({ $0 }) ?? [] { add(call: entry) }
    }

    private mutating func add(call entry: JSONValue) {
        let index = entry["index"]?.integer ?? max(0, calls.count - 1)
        let place = calls.firstIndex { $0.index == index } ?? calls.count
        if place == calls.count { calls.append((index, "", "", [])) }
        if let id = entry["id"]?.text?.string, !id.isEmpty { calls[place].id = id }
        let function = entry["function"]
        if calls[place].name.isEmpty { calls[place].name = function?["name"]?.text?.string ?? "" }
        function?["arguments"]?.text?.appendDecoded(to: &calls[place].arguments)
    }

    private func write() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(#"{"choices":[{"index":0,"message":{"content":""#)
        JSONEscape.append(content, to: &bytes)
        bytes.append(#"","reasoning_content":""#)
        JSONEscape.append(reasoning, to: &bytes)
        bytes.append(#"","tool_calls":["#)
        for (place, call) in calls.enumerated() {
            bytes.append(place == 0 ? #"{"id":""# : #",{"id":""#)
            JSONEscape.append(call.id, to: &bytes)
            bytes.append(#"","function":{"name":""#)
            JSONEscape.append(call.name, to: &bytes)
            bytes.append(#"","arguments":""#)
            JSONEscape.append(call.arguments, to: &bytes)
            bytes.append(#""}}"#)
        }
        bytes.append(#"]},"finish_reason":""#)
        JSONEscape.append(finish ?? "stop", to: &bytes)
        bytes.append(#""}]"#)
        if let usage {
            bytes.append(#","usage":"#)
            bytes.append(contentsOf: usage)
        }
        bytes.append("}")
        return bytes
    }
}
