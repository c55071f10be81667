// docs/dialects.md says of every server what its dialect does.
import Foundation
import Testing

@testable import Translation

@Suite struct DialectDocumentTests {
    private static let document = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/dialects.md")

    @Test func theTablesSayWhatTheDialectsDo() throws {
        let text = try String(contentsOf: Self.document, encoding: .utf8)
        for table in [Self.conversations, Self.parameters, Self.addresses] {
            #expect(text.contains(table), "docs/dialects.md lacks this table:\n\(table)")
        }
    }

    private static func table(
        _ head: [String], _ row: (Dialect) -> [String]
    ) -> String {
        let rows = [head, head.map { _ in "---" }] + Dialect.all.map { ["`\($0.name)`"] + row($0) }
        return rows.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    private static var addresses: String {
        table(["`DIALECT`", "Server", "Known by its address", "or by its models"]) { dialect in
            [
                dialect.title, quoted(dialect.addresses), quoted(dialect.models.map { $0 + "*" }),
            ]
        }
    }

    private static var conversations: String {
        table([
            "`DIALECT`", "System entries", "Reasoning goes back", "Ids of calls",
            "Images by URL, in results", "PDF", "Prefill",
        ]) { dialect in
            [
                dialect.systemEntries.rawValue, replay(dialect.replay), ids(dialect.toolIDs),
                yes(dialect.fetchesImages) + ", " + yes(dialect.acceptsImagesInTools),
                yes(dialect.acceptsPDF), prefill(dialect.prefill),
            ]
        }
    }

    private static var parameters: String {
        table([
            "`DIALECT`", "Reasoning is asked for by", "Token limit", "`top_k`", "`stop`",
            "Structured output", "Schemas", "`strict` tools", "`prompt_cache_key`",
        ]) { dialect in
            [
                reasoning(dialect.reasoning),
                dialect.usesMaxCompletionTokens ? "`max_completion_tokens`" : "`max_tokens`",
                yes(dialect.acceptsTopK), dialect.stopsMax > 100 ? "any" : "\(dialect.stopsMax)",
                dialect.structuredOutput == .schema ? "`json_schema`" : "`json_object`",
                schemas(dialect.schemas), yes(dialect.acceptsStrictTools),
                yes(dialect.wantsPromptCacheKey),
            ]
        }
    }

    private static func yes(_ flag: Bool) -> String { flag ? "yes" : "no" }

    private static func quoted(_ names: [String]) -> String {
        names.map { "`\($0)`" }.joined(separator: " ")
    }

    private static func replay(_ replay: Dialect.ReasoningReplay) -> String {
        switch replay {
        case .bothNames: "`reasoning_content` and `reasoning`"
        case .none: "no"
        case .content: "`reasoning_content`"
        case .everyToolCall: "`reasoning_content` with every call"
        case .details: "`reasoning_details`"
        case .thoughtSignatures: "thought signatures"
        case .parts: "parts of type `thinking`"
        }
    }

    private static func ids(_ style: Dialect.ToolIDStyle) -> String {
        switch style {
        case .atMost40: "at most 40 characters"
        case .nineAlphanumerics: "9 letters and digits"
        case .functionsAndNumber: "`functions.NAME:N`"
        }
    }

    private static func prefill(_ prefill: Dialect.Prefill) -> String {
        switch prefill {
        case .emulated: "asked for in words"
        case .automatic, .repeated: "as it is"
        case .continueFinalMessage: "`continue_final_message`"
        case .prefix: "`prefix`"
        }
    }

    private static func schemas(_ style: Dialect.SchemaStyle) -> String {
        switch style {
        case .jsonSchema: "as they are"
        case .uncommented: "no `$id`, `$comment`"
        case .grammar: "no `true`"
        case .gemini: "Gemini's subset"
        }
    }

    private static func reasoning(_ control: ReasoningControl) -> String {
        var parts: [String] = []
        switch control.toggle {
        case .none: break
        case .thinkingType: parts.append("`thinking.type`")
        case .enableThinking: parts.append("`enable_thinking`")
        case .chatTemplate: parts.append("`chat_template_kwargs`")
        }
        switch control.place {
        case .none, .chatTemplate: break
        case .top: parts.append("`reasoning_effort`")
        case .object: parts.append("`reasoning`")
        }
        if control.budget == .top { parts.append("`thinking_budget_tokens`") }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }
}
