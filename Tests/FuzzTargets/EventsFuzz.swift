// Event streams: the same events for every split.
import EventStream

enum EventsFuzz {
    private struct Event: Equatable {
        var data: [UInt8]
        var isError: Bool
        var hasSeveralLines: Bool
    }

    static func run(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let seed = input.byte()
        let whole = events([input.rest])
        must(events(input.pieces(seed: seed)) == whole, "a split changed the events")
        let length = whole.reduce(0) { $0 + $1.data.count }
        must(length <= input.rest.count, "events hold more than came")
        must(!whole.contains { $0.data.contains(0x0d) }, "a line end inside a line")
    }

    private static func events(_ pieces: [ArraySlice<UInt8>]) -> [Event] {
        var reader = EventStreamReader()
        var events: [Event] = []
        func take(_ reader: inout EventStreamReader) {
            while let event = reader.next() {
                events.append(
                    Event(
                        data: Array(event.data), isError: event.isError,
                        hasSeveralLines: event.hasSeveralLines))
            }
        }
        for piece in pieces {
            reader.feed(Array(piece))
            take(&reader)
        }
        reader.end()
        take(&reader)
        return events
    }
}
