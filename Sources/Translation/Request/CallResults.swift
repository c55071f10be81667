// Which call of a turn each result belongs to (translation 2.5).
internal import JSON

/// The results of a turn, dealt out to the calls before it.
///
/// Where one id was used for several calls they are dealt out in order; more results of one id than
/// calls belong to the last of these.
struct CallResults {
    /// Few calls are compared one by one, which costs less than to hash one of their ids.
    private static let fewMax = 8

    /// The results of each call, in the order of the calls.
    private(set) var values: [[JSONValue]]
    private let calls: [ToolUse]
    /// Where the calls of an id stand, and how many of them have a result; only of many calls.
    private var places: [String: (all: [Int], dealt: Int)] = [:]

    init(_ calls: [ToolUse]) {
        self.calls = calls
        values = Array(repeating: [], count: calls.count)
        guard calls.count > Self.fewMax else { return }
        for (place, call) in calls.enumerated() {
            places[call.id, default: ([], 0)].all.append(place)
        }
    }

    /// Gives a result to its call, if there is one.
    mutating func deal(_ value: JSONValue, to id: String) {
        guard let place = next(id) else { return }
        values[place].append(value)
    }

    /// Whether any call has an id.
    func hasCall(_ id: String) -> Bool {
        places.isEmpty ? calls.contains { $0.id == id } : places[id] != nil
    }

    private mutating func next(_ id: String) -> Int? {
        guard places.isEmpty else {
            guard let (all, dealt) = places[id] else { return nil }
            places[id]?.dealt = min(dealt + 1, all.count - 1)
            return all[dealt]
        }
        var last: Int?
        for place in calls.indices where calls[place].id == id {
            if values[place].isEmpty { return place }
            last = place
        }
        return last
    }
}
