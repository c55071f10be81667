// The kinds of text that a delta carries.

/// What a `content_block_delta` adds to its block.
enum DeltaKind: Sendable {
    case text, thinking, signature, inputJSON, compaction

    /// The beginning of `delta`, up to its text.
    var opening: StaticString {
        switch self {
        case .text: #","delta":{"type":"text_delta","text":""#
        case .thinking: #","delta":{"type":"thinking_delta","thinking":""#
        case .signature: #","delta":{"type":"signature_delta","signature":""#
        case .inputJSON: #","delta":{"type":"input_json_delta","partial_json":""#
        case .compaction: #","delta":{"type":"compaction_delta","content":""#
        }
    }
}
