// One request that stands for many: the way from a histogram's bucket to a trace.

/// A value that was observed, and the trace that it came from.
struct Exemplar: Sendable {
    let traceID: String
    let value: Double
    /// When, in seconds since 1970.
    let seconds: Double
}
