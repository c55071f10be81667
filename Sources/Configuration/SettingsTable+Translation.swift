// Settings of the translation that most operators never touch.

extension Setting {
    static let thinkingDefault = Setting(
        .models, "THINKING_DEFAULT", .choice(Settings.ThinkingDefault.allCases.map(\.rawValue)),
        default: "auto", "off: requests that say nothing of thinking want none of it")
    static let effortField = Setting(
        .models, "EFFORT_FIELD", .choice(Settings.EffortField.allCases.map(\.rawValue)),
        default: "auto", "the field that tells an upstream the effort; auto goes by the dialect")
    static let reasoningHeadroom = Setting(
        .models, "REASONING_HEADROOM", .number(0...1_000_000), default: "0",
        "tokens to reason within, beside max_tokens, for requests that want no thinking")
    static let reasoningReplay = Setting(
        .models, "REASONING_REPLAY", .choice(Settings.ReasoningReplay.allCases.map(\.rawValue)),
        default: "auto",
        "earlier reasoning that goes back: all, what came since the user spoke, none")
    static let systemEntries = Setting(
        .models, "SYSTEM_ENTRIES", .choice(Settings.SystemEntries.allCases.map(\.rawValue)),
        default: "auto",
        "system entries among messages: left, folded into others, put at the top")
    static let prefill = Setting(
        .models, "PREFILL", .choice(Settings.Prefill.allCases.map(\.rawValue)), default: "auto",
        "requests that end with an assistant message: continued or refused")
    static let compaction = Setting(
        .models, "COMPACTION", .choice(Settings.Compaction.allCases.map(\.rawValue)),
        default: "reject",
        "requests for a summary of the conversation: refused, or asked of the model")
    static let webSearch = Setting(
        .models, "WEB_SEARCH", .choice(Settings.WebSearch.allCases.map(\.rawValue)),
        default: "reject",
        "Anthropic's search: refused when alone, left out, or the upstream's own")
    static let deferLoading = Setting(
        .models, "DEFER_LOADING", .choice(Settings.DeferLoading.allCases.map(\.rawValue)),
        default: "auto", "deferred tools: offered when the conversation found them, or at once")
    static let forwardUser = Setting(
        .models, "FORWARD_USER", .choice(Settings.ForwardUser.allCases.map(\.rawValue)),
        default: "off", "whether the upstream can tell users apart, by a digest of user_id")
    static let fastTier = Setting(
        .models, "FAST_TIER", .choice(Settings.FastTier.allCases.map(\.rawValue)),
        unset: "speed is left out", "service_tier for requests that want to be fast")
    static let cacheBreakpoints = Setting(
        .models, "PROMPT_CACHE_BREAKPOINTS", .flag, default: "false",
        "whether OpenAI's models from gpt-5.6 on get the cache markers of clients")
    static let modelEcho = Setting(
        .models, "MODEL_ECHO", .choice(Settings.ModelEcho.allCases.map(\.rawValue)),
        default: "client", "whose name of the model answers tell")
    static let filterAsRefusal = Setting(
        .models, "FILTER_AS_REFUSAL", .flag, default: "false",
        "whether a prompt that the upstream's filter refuses is answered as a refusal")
    static let rejectsInferenceGeo = Setting(
        .models, "REJECT_INFERENCE_GEO", .flag, default: "false",
        "whether a request for a region (inference_geo) is refused; none is promised")
    static let strictAnthropic = Setting(
        .models, "STRICT_ANTHROPIC", .flag, default: "false",
        "whether a missing max_tokens, and what API versions ended, is refused")
    static let stripsFences = Setting(
        .models, "STRIP_JSON_FENCES", .flag, default: "false",
        "whether a code fence around JSON is taken off, when JSON was asked for")
    static let systemRole = Setting(
        .models, "SYSTEM_ROLE", .choice(Settings.SystemRole.allCases.map(\.rawValue)),
        default: "system", "role of the system prompt for OpenAI's reasoning models")
    static let reservedToolNames = Setting(
        .models, "RESERVED_TOOL_NAMES", .list,
        "tools like python,browser that the upstream has itself; ours are renamed")
    static let inputExamples = Setting(
        .models, "INPUT_EXAMPLES", .choice(Settings.InputExamples.allCases.map(\.rawValue)),
        default: "drop", "input_examples of tools: left out, or put into the description")
    static let passedFields = Setting(
        .models, "EXTRA_PASSTHROUGH", .list,
        "fields like seed,logprobs that clients may send to the upstream as they are")
    static let extraBody = Setting(
        .models, "EXTRA_BODY", .object,
        "JSON object whose members every request upstream gets, in place of ours")
}
