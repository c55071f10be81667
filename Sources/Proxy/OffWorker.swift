// Work that would hold up a worker's tokens, done on another thread.

/// Runs something long beside the workers.
enum OffWorker {
    static func run<Output: Sendable>(
        _ work: @escaping @Sendable () -> Output
    ) async -> Output {
        // Without the preference the worker itself, being the task's executor, would do it.
        await withTaskExecutorPreference(globalConcurrentExecutor) { await concurrently(work) }
    }

    @concurrent
    private static func concurrently<Output: Sendable>(
        _ work: @escaping @Sendable () -> Output
    ) async -> Output { work() }
}
