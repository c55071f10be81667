// Descriptors of the kernel, each given back once.
internal import Glibc
internal import Synchronization

/// Owns a descriptor: it is closed when its owner says so, at the latest when nobody holds it.
///
/// A number that was given back may mean something else at once, so it is not to be had any more.
package final class Descriptor: Sendable {
    private let current: Atomic<CInt>

    /// Takes a descriptor over; a negative number is none.
    package init(_ number: CInt) { current = Atomic(number) }

    deinit { close() }

    /// The kernel's number; -1 when there is none, or none any more.
    package var number: CInt { current.load(ordering: .relaxed) }

    /// Gives the descriptor back, if that has not been done.
    package func close() {
        let number = current.exchange(-1, ordering: .relaxed)
        if number >= 0 { _ = Glibc.close(number) }
    }
}
