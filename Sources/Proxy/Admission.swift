// How much may be under way at once: exchanges, and the bytes that they hold.
internal import Configuration
internal import Synchronization

/// Counts exchanges and their bytes in; shared by all workers, without a lock.
///
/// A request over either limit is refused before its body is read: to say no costs two additions.
final class Admission: Sendable {
    /// Why an exchange may not begin.
    enum Refusal: Error, Equatable {
        case concurrency, budget
    }

    /// What an exchange takes without a body: both connections, libcurl's handle and buffers, a
    /// piece of the answer each way; measured with idle streams (`scripts/soak idle`).
    ///
    /// It is half of that where libcurl only connects.
    static let exchangeBytes = 48 << 10

    /// What all exchanges together may hold; `nil` is no limit.
    let bytesMax: Int?
    private let exchangesMax: Int
    private let exchanges = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)

    init(exchangesMax: Int, bytesMax: Int?) {
        self.exchangesMax = exchangesMax
        self.bytesMax = bytesMax
    }

    /// Bytes that are held now.
    var heldBytes: Int { bytes.load(ordering: .relaxed) }

    /// Lets an exchange in, with room for the body that it announces.
    func admit(announced bodyBytes: Int) throws(Refusal) -> Room {
        let count = exchanges.add(1, ordering: .relaxed).newValue
        guard count <= exchangesMax else {
            exchanges.subtract(1, ordering: .relaxed)
            throw .concurrency
        }
        let needed = Self.exchangeBytes + Self.bytes(forBody: bodyBytes)
        guard take(needed, beside: 0) else {
            exchanges.subtract(1, ordering: .relaxed)
            throw .budget
        }
        return Room(self, bytes: needed)
    }

    /// A body and what becomes of it for the upstream, mostly slices of itself; both are kept for
    /// another attempt until the exchange is over.
    static func bytes(forBody count: Int) -> Int { count + count / 2 }

    /// Whoever is alone gets what it asks for: otherwise a body that is larger than the budget
    /// would be told to try again for ever.
    fileprivate func take(_ more: Int, beside own: Int) -> Bool {
        let total = bytes.add(more, ordering: .relaxed).newValue
        guard let bytesMax, total > bytesMax, total > own + more else { return true }
        bytes.subtract(more, ordering: .relaxed)
        return false
    }

    fileprivate func leave(_ count: Int) {
        bytes.subtract(count, ordering: .relaxed)
        exchanges.subtract(1, ordering: .relaxed)
    }
}

/// What one exchange holds of the budget; given back when nobody has it any more.
final class Room {
    private let admission: Admission
    private(set) var bytes: Int

    fileprivate init(_ admission: Admission, bytes: Int) {
        self.admission = admission
        self.bytes = bytes
    }

    deinit { admission.leave(bytes) }

    /// Makes room for a body that turned out to be so long; `false` when there is none.
    func hold(body count: Int) -> Bool { hold(Admission.bytes(forBody: count)) }

    /// Makes room for an answer that is gathered whole, besides the request that it answers.
    func hold(answer count: Int, besideBody body: Int) -> Bool {
        hold(Admission.bytes(forBody: body) + count)
    }

    private func hold(_ wanted: Int) -> Bool {
        let more = Admission.exchangeBytes + wanted - bytes
        guard more > 0 else { return true }
        guard admission.take(more, beside: bytes) else { return false }
        bytes += more
        return true
    }
}

extension Admission {
    convenience init(_ settings: Settings) {
        let limit: Int? =
            switch settings.memoryBudget {
            case .off: nil
            case .bytes(let count): count
            // The other half is for the program itself, the connections' buffers in the kernel and
            // what the allocator does not give back at once.
            case .auto: Container.memoryBytesMax().map { $0 / 2 }
            }
        self.init(exchangesMax: settings.concurrentRequestsMax, bytesMax: limit)
    }
}
