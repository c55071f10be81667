// Settings of the translation that most operators never touch.

extension Setting {
    static let reasoningReplay = Setting(
        .models, "REASONING_REPLAY", .choice(Settings.ReasoningReplay.allCases.map(\.rawValue)),
        default: "auto", "whether reasoning of earlier answers goes back to the upstream")
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
    static let extraBody = Setting(
        .models, "EXTRA_BODY", .object,
        "JSON object whose members every request upstream gets, in place of ours")
}
