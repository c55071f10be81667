// SIGTERM and SIGINT as an event of a loop.
internal import CLinux
internal import Glibc

/// Hears SIGTERM and SIGINT on a worker.
///
/// The second signal ends the process at once, whatever its threads do: no loop is asked.
package final class TerminationSignals: DescriptorHandler {
    private static let wakeup = clinux_watch_termination(128 + SIGTERM)

    private let heard: () -> Void

    /// Hears the signals from here on, and keeps them for whoever comes to watch; ignores SIGPIPE.
    package static func prepare() { _ = wakeup }

    /// As if the first signal had come, but not counted as one.
    package static func imitate() { eventfd_write(wakeup, 1) }

    /// Calls `heard` on the loop's worker when the first signal comes.
    package init(_ loop: EventLoop, heard: @escaping () -> Void) {
        self.heard = heard
        loop.watch(Self.wakeup, for: .input, self)
    }

    /// A signal has come.
    package func descriptorReady(_ readiness: Readiness) {
        var count: eventfd_t = 0
        if unsafe eventfd_read(Self.wakeup, &count) == 0 { heard() }
    }
}
