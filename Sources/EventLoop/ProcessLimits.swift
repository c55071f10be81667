// What the process may use, and what may be seen of it.
internal import CLinux

/// Limits that hold for the whole process.
package enum ProcessLimits {
    /// Allows as many descriptors as the system does, no core dump with memory in it, and a little
    /// memory to be kept for the next request.
    package static func prepare() {
        clinux_prepare_process()
        clinux_keep_freed_memory()
    }

    /// Whether there are descriptors enough for one more connection: its socket, and what resolving
    /// a name or reading a bundle of certificates takes for a moment.
    package static var hasDescriptors: Bool { clinux_has_descriptors(4) != 0 }
}
