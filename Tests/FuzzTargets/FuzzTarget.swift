// The targets of the fuzzer: what takes bytes from strangers, each with what must hold.

/// One thing that is fuzzed; its name is also that of its corpus.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case http, answer, events, json, request, completion, stream, error, environment, gzip

    /// Runs one input; the process ends if anything that must hold does not.
    package func run(_ bytes: [UInt8]) {
        switch self {
        case .http: HTTPFuzz.run(bytes)
        case .answer: AnswerFuzz.run(bytes)
        case .events: EventsFuzz.run(bytes)
        case .json: JSONFuzz.run(bytes)
        case .request: RequestFuzz.run(bytes)
        case .completion: CompletionFuzz.run(bytes)
        case .stream: StreamFuzz.run(bytes)
        case .error: ErrorFuzz.run(bytes)
        case .environment: EnvironmentFuzz.run(bytes)
        case .gzip: GzipFuzz.run(bytes)
        }
    }
}
