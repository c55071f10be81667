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
}
