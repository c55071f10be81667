// SIGTERM and SIGINT as events of a loop.
internal import CLinux
internal import Glibc

/// Hears SIGTERM and SIGINT on a worker.
///
/// Make it before any other thread is started: threads inherit the mask that keeps the signals from
/// ending the process.
package final class TerminationSignals: DescriptorHandler {
    private let descriptor = clinux_watch_termination()
    private let loop: EventLoop
    private let heard: () -> Void

    /// Blocks the two signals in the calling thread and those it starts; ignores SIGPIPE.
    package static func blockEverywhere() { Glibc.close(clinux_watch_termination()) }

    /// Calls `heard` on the loop's worker for each signal.
    package init(_ loop: EventLoop, heard: @escaping () -> Void) {
        self.loop = loop
        self.heard = heard
        loop.watch(descriptor, for: .input, self)
    }

    /// The watched descriptor has changed.
    package func descriptorReady(_ readiness: Readiness) {
        while clinux_next_signal(descriptor) != 0 { heard() }
    }
}
