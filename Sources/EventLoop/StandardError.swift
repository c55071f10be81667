// Standard error without waiting for who reads it.
internal import CLinux
internal import Glibc

/// What a descriptor for messages leads to, opened for ourselves.
package final class StandardError: Sendable {
    private let shared: CInt
    /// Ours, on which a write does not wait; -1 when the system gives none.
    private let own: Descriptor

    /// Opens what a descriptor leads to, standard error if nobody says otherwise.
    package init(_ descriptor: CInt = 2) {
        shared = descriptor
        own = Descriptor(clinux_open_standard_error(descriptor))
    }

    /// What a pipe takes whole or not at all, whoever else writes to it (`PIPE_BUF`).
    package static let wholeBytesMax = 4096

    /// Writes bytes if that takes no waiting; whether it did.
    package func writeNow(_ bytes: borrowing [UInt8]) -> Bool {
        let own = own.number
        guard own >= 0, bytes.count <= Self.wholeBytesMax else { return false }
        let count = unsafe bytes.withUnsafeBytes { unsafe write(own, $0.baseAddress, $0.count) }
        return count == bytes.count
    }

    /// Writes bytes however long it takes; whether there is anywhere to write to.
    package func writeWaiting(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe write(shared, $0.baseAddress, $0.count)
            }
            guard count >= 0 || errno == EINTR else { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }
}

/// A flag that one thread raises and another waits for, for a while.
package final class Flag: Sendable {
    private let descriptor = Descriptor(eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC)))

    /// A flag that is down.
    package init() {}

    /// Wakes who waits, or who will.
    package func raise() { eventfd_write(descriptor.number, 1) }

    /// Waits until it is raised; whether that came in time.
    package func wait(milliseconds: Int) -> Bool {
        guard clinux_wait_readable(descriptor.number, CInt(clamping: milliseconds)) > 0 else {
            return false
        }
        var count: eventfd_t = 0
        return unsafe eventfd_read(descriptor.number, &count) == 0
    }
}
