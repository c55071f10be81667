// Thinking and effort (translation 1.3).
internal import JSON

/// How hard the model is asked to think.
struct ReasoningLevel: Equatable {
    enum Kind: Equatable {
        /// Nothing was said; the server's own default.
        case unset
        /// Thinking is on at the server's own level.
        case adaptive
        case off
        case effort(Effort)
    }

    var kind: Kind
    /// `thinking.budget_tokens`, for servers that count.
    var budget: Int?

    /// The level that the operator sets: `off`, or an effort.
    init(_ setting: String) {
        kind = setting == "off" ? .off : Effort(rawValue: setting).map { .effort($0) } ?? .unset
    }

    /// The level of a request: switched off, else by turn, by request, by budget.
    init(_ root: JSONValue, entryEffort: String?) {
        let thinking = root["thinking"]
        let type = thinking?["type"]?.text?.string
        let asked = entryEffort ?? root["output_config"]?["effort"]?.text?.string
        if type == "disabled" {
            kind = .off
        } else if let asked, let effort = Effort(rawValue: asked), effort != Effort.none {
            kind = .effort(effort)
        } else if type == "enabled", let budget = thinking?["budget_tokens"]?.integer {
            kind = .effort(Self.effort(budget: budget))
        } else {
            kind = type == nil ? .unset : .adaptive
        }
        if type == "enabled" { budget = thinking?["budget_tokens"]?.integer }
    }

    private static func effort(budget: Int) -> Effort {
        switch budget {
        case ..<2048: .low
        case ..<8192: .medium
        case ..<32768: .high
        default: .xhigh
        }
    }
}

extension JSONWriter {
    /// The parameters by which a server is told how hard to think.
    mutating func reasoning(_ level: ReasoningLevel, _ control: ReasoningControl, hides: Bool) {
        guard level.kind != .unset else { return }
        if control.place == .object || control.budget == .object {
            return reasoningObject(level, control, hides: hides)
        }
        let effort = level.effort(control)
        switch control.toggle {
        case .none: break
        case .thinkingType:
            key("thinking")
            raw(level.kind == .off ? #"{"type":"disabled"}"# : #"{"type":"enabled"}"#)
        case .enableThinking:
            key("enable_thinking")
            bool(level.kind != .off)
        case .chatTemplate: templateArguments(level, control.place == .chatTemplate ? effort : nil)
        }
        if control.place == .top, let effort {
            key("reasoning_effort")
            string(effort.rawValue)
        }
        if control.asksForParsed {
            key("reasoning_format")
            string("parsed")
        }
        guard control.budget == .top, let budget = level.kind == .off ? 0 : level.budget else {
            return
        }
        key("thinking_budget_tokens")
        integer(budget)
    }

    /// Templates ignore what they do not know: Qwen's reads the one, DeepSeek's the other.
    private mutating func templateArguments(_ level: ReasoningLevel, _ effort: Effort?) {
        let isOff = level.kind == .off
        guard isOff || level.kind != .adaptive else { return }
        key("chat_template_kwargs")
        beginObject()
        key("enable_thinking")
        bool(!isOff)
        key("thinking")
        bool(!isOff)
        if let effort {
            key("reasoning_effort")
            string(effort.rawValue)
        }
        endObject()
    }

    private mutating func reasoningObject(
        _ level: ReasoningLevel, _ control: ReasoningControl, hides: Bool
    ) {
        key("reasoning")
        beginObject()
        if level.kind == .off {
            key("enabled")
            bool(false)
        } else if control.budget == .object, let budget = level.budget {
            key("max_tokens")
            integer(budget)
        } else if let effort = level.effort(control) {
            key("effort")
            string(effort.rawValue)
        } else {
            key("enabled")
            bool(true)
        }
        if hides, level.kind != .off {
            key("exclude")
            bool(true)
        }
        endObject()
    }
}

extension ReasoningLevel {
    /// What of it the server cannot be told.
    ///
    /// That nothing is known of a server's reasoning mostly means that it does not reason; then
    /// nothing is lost where none is wanted.
    func losses(_ dialect: Dialect, besideTools hasTools: Bool) -> [String] {
        let control = dialect.reasoning
        let isTold = effort(control) != nil && control.place != .none
        switch kind {
        case .unset, .adaptive: return []
        case .off:
            let isSwitched = control.toggle != .none || control.place == .object
            return isSwitched || isTold || control == ReasoningControl() ? [] : ["thinking"]
        case .effort:
            if dialect.forcesEffortNone, hasTools { return ["effort"] }
            let isBudget = budget != nil && control.budget != .none
            return isTold || isBudget ? [] : ["effort"]
        }
    }

    /// What the effort says; `nil` leaves it out.
    func effort(_ control: ReasoningControl) -> Effort? {
        switch kind {
        case .unset, .adaptive: nil
        case .off: control.off.flatMap { control.accepted($0) }
        case .effort(let effort): control.accepted(effort)
        }
    }
}
