// What the process may use, and what may be seen of it.
internal import CLinux

/// Limits that hold for the whole process.
package enum ProcessLimits {
    /// Allows as many descriptors as the system does, and no core dump with memory in it.
    package static func prepare() { clinux_prepare_process() }
}
