// Work that would hold up a worker, done on another thread.

enum OffWorker {
    /// A body from this size on would hold up other people's tokens: below it, translation takes
    /// less than a millisecond, and to go to another thread and back costs a third of that.
    static let bytesMin = 768 * 1024
    /// So much takes as long to decompress.
    static let compressedBytesMin = 256 * 1024

    /// Does the work elsewhere while the worker goes on.
    static func run<Value>(
        _ work: @escaping @Sendable () -> sending Value
    ) async -> sending Value {
        // Without the preference the worker itself, being the task's executor, would do it.
        await withTaskExecutorPreference(globalConcurrentExecutor) { await concurrently(work) }
    }

    @concurrent
    private static func concurrently<Value>(
        _ work: @Sendable () -> sending Value
    ) async -> sending Value { work() }
}
