// What a server turns out not to accept, learned from its refusals (translation 0.9).

/// One habit of a server that its dialect does not know of.
package enum Quirk: Hashable, Sendable {
    case noStop, noSampling, noTopK, noParallelToolCalls, noStreamOptions, noPromptCacheKey
    case noReasoning, noUser, noServiceTier, noStrictTools, noPrefix
    /// The token limit goes by the other name.
    case maxCompletionTokens, maxTokens
    /// No more, or no less, output than this.
    case outputLimit(Int)
    case outputMinimum(Int)
    /// The model reasons although nobody asks it to, and needs tokens for that.
    case reasoningHeadroom
    /// So much output is left behind this one prompt.
    case room(Int)
    /// Tools work only with reasoning switched off by name.
    case effortNone
    /// An effort is refused.
    case noEffort(Effort)
    /// System entries belong into user messages.
    case foldedSystem
    /// User and assistant must take turns.
    case alternatingRoles
    /// Reasoning must come back with every tool call; or must not come back.
    case reasoningContent, noReasoningContent
    /// A call needs a thought signature.
    case thoughtSignature
    /// No tool can be chosen by name; none can be demanded.
    case noNamedChoice, noRequiredChoice
    /// `json_schema` is refused; so is `json_object`; so is either beside tools.
    case noJSONSchema, noJSONObject, noFormatBesideTools
    /// What stands for no text: `null`, or `""`.
    case nullContent, emptyContent
    case noImages, noPDF
    /// `tools` must be there when the history has calls.
    case toolsNeeded
    case nineCharacterToolIDs
    case shortDescriptions
    case noPatterns

    /// The name for logs.
    package var name: String {
        switch self {
        case .outputLimit: "outputLimit"
        case .outputMinimum: "outputMinimum"
        case .room: "room"
        case .noEffort(let effort): "no\(effort.rawValue.capitalizedASCII)Effort"
        default: "\(self)"
        }
    }

    /// Whether it is true of one request alone and not to be remembered.
    package var isPassing: Bool { if case .room = self { true } else { false } }
}

extension String {
    fileprivate var capitalizedASCII: String { prefix(1).uppercased() + dropFirst() }
}

extension Dialect {
    /// This dialect with what was learned about one server and model.
    func applying(_ quirks: Set<Quirk>) -> Dialect {
        var dialect = self
        for quirk in quirks { dialect.apply(quirk) }
        return dialect
    }

    private mutating func apply(_ quirk: Quirk) {
        switch quirk {
        case .noStop: acceptsStop = false
        case .noSampling: acceptsSampling = false
        case .noTopK: acceptsTopK = false
        case .noParallelToolCalls: acceptsParallelToolCalls = false
        case .noStreamOptions: acceptsStreamOptions = false
        case .noPromptCacheKey: wantsPromptCacheKey = false
        case .noReasoning: reasoning = ReasoningControl()
        case .noUser: acceptsUser = false
        case .noServiceTier: acceptsServiceTier = false
        case .noStrictTools: acceptsStrictTools = false
        case .noPrefix: prefill = .emulated
        case .maxCompletionTokens: usesMaxCompletionTokens = true
        case .maxTokens: usesMaxCompletionTokens = false
        case .outputLimit(let most), .room(let most):
            let most = max(1, min(most, outputTokens.upperBound))
            outputTokens = min(outputTokens.lowerBound, most)...most
        case .outputMinimum(let least):
            outputTokens = min(least, outputTokens.upperBound)...outputTokens.upperBound
        case .reasoningHeadroom: reasoningHeadroom = 2048
        case .effortNone: forcesEffortNone = true
        case .noEffort(let effort): reasoning.refused.insert(effort)
        case .foldedSystem: systemEntries = .fold
        case .alternatingRoles: (systemEntries, alternatesRoles) = (.fold, true)
        case .reasoningContent: replay = .everyToolCall
        case .noReasoningContent: replay = .none
        case .thoughtSignature: fillsThoughtSignatures = true
        case .noNamedChoice: toolChoices = min(toolChoices, .required)
        case .noRequiredChoice: toolChoices = .auto
        case .noJSONSchema: structuredOutput = min(structuredOutput, .object)
        case .noJSONObject: structuredOutput = .instruction
        case .noFormatBesideTools: constrainsBesideTools = false
        case .nullContent: (nullsEmptyContent, fillsEmptyResults) = (true, true)
        case .emptyContent: nullsEmptyContent = false
        case .noImages: acceptsImages = false
        case .noPDF: acceptsPDF = false
        case .toolsNeeded: needsTools = true
        case .nineCharacterToolIDs: toolIDs = .nineAlphanumerics
        case .shortDescriptions: descriptionMax = 1024
        case .noPatterns: dropsPatterns = true
        }
    }
}
