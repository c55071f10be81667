// How every server is told how hard to think (translation 1.3).
import Testing

@testable import Translation

@Suite struct ReasoningTests {
    /// What a client may ask for, as members of its request.
    private static let levels = [
        "off": #","thinking":{"type":"disabled"},"output_config":{"effort":"high"}"#,
        "adaptive": #","thinking":{"type":"adaptive"}"#,
        "budget": #","thinking":{"type":"enabled","budget_tokens":10000}"#,
        "low": #","output_config":{"effort":"low"}"#,
        "medium": #","output_config":{"effort":"medium"}"#,
        "high": #","output_config":{"effort":"high"}"#,
        "xhigh": #","output_config":{"effort":"xhigh"}"#,
        "max": #","output_config":{"effort":"max"}"#,
    ]

    @Test(
        arguments: [
            ("openai", "gpt-5", "off", #","reasoning_effort":"none""#),
            ("openai", "gpt-5", "low", #","reasoning_effort":"low""#),
            ("openai", "gpt-5", "max", #","reasoning_effort":"max""#),
            ("openai", "gpt-5", "adaptive", #""#),
            ("openai", "gpt-5", "budget", #","reasoning_effort":"high""#),
            ("azure", "gpt-5", "off", #","reasoning_effort":"none""#),
            ("azure", "gpt-5", "xhigh", #","reasoning_effort":"xhigh""#),
            ("azure", "gpt-5", "adaptive", #""#),
            ("openai", "gpt-4o", "off", #""#),
            ("openai", "gpt-4o", "high", #""#),
            ("openai", "gpt-4o", "adaptive", #""#),
            ("openrouter", "x/y", "off", #","reasoning":{"enabled":false}"#),
            ("openrouter", "x/y", "medium", #","reasoning":{"effort":"medium"}"#),
            ("openrouter", "x/y", "adaptive", #","reasoning":{"enabled":true}"#),
            ("openrouter", "x/y", "budget", #","reasoning":{"effort":"high"}"#),
            ("openrouter", "google/gemini-3-pro", "budget", #","reasoning":{"max_tokens":10000}"#),
            ("openrouter", "google/gemini-3-pro", "high", #","reasoning":{"effort":"high"}"#),
            ("deepseek", "deepseek-chat", "off", #","thinking":{"type":"disabled"}"#),
            (
                "deepseek", "deepseek-chat", "low",
                #","thinking":{"type":"enabled"},"reasoning_effort":"low""#
            ),
            (
                "deepseek", "deepseek-chat", "medium",
                #","thinking":{"type":"enabled"},"reasoning_effort":"high""#
            ),
            (
                "deepseek", "deepseek-chat", "max",
                #","thinking":{"type":"enabled"},"reasoning_effort":"max""#
            ),
            ("deepseek", "deepseek-chat", "adaptive", #","thinking":{"type":"enabled"}"#),
            ("gemini", "gemini-2.5-flash", "off", #","reasoning_effort":"none""#),
            ("gemini", "gemini-2.5-flash", "max", #","reasoning_effort":"high""#),
            ("gemini", "gemini-2.5-flash", "adaptive", #""#),
            ("gemini", "gemini-3-pro", "off", #","reasoning_effort":"low""#),
            ("gemini", "gemini-3-pro", "medium", #","reasoning_effort":"medium""#),
            (
                "vllm", "q", "off",
                #","chat_template_kwargs":{"enable_thinking":false,"thinking":false}"#
            ),
            (
                "vllm", "q", "xhigh",
                #","chat_template_kwargs":{"enable_thinking":true,"thinking":true}"#
                    + #","reasoning_effort":"high""#
            ),
            ("vllm", "q", "adaptive", #""#),
            (
                "sglang", "q", "off",
                #","chat_template_kwargs":{"enable_thinking":false,"thinking":false}"#
            ),
            (
                "sglang", "q", "low",
                #","chat_template_kwargs":{"enable_thinking":true,"thinking":true}"#
                    + #","reasoning_effort":"low""#
            ),
            (
                "llamacpp", "q", "off",
                #","chat_template_kwargs":{"enable_thinking":false,"thinking":false}"#
                    + #","thinking_budget_tokens":0"#
            ),
            (
                "llamacpp", "q", "high",
                #","chat_template_kwargs":{"enable_thinking":true,"thinking":true"#
                    + #","reasoning_effort":"high"}"#
            ),
            (
                "llamacpp", "q", "budget",
                #","chat_template_kwargs":{"enable_thinking":true,"thinking":true"#
                    + #","reasoning_effort":"high"},"thinking_budget_tokens":10000"#
            ),
            ("llamacpp", "q", "adaptive", #""#),
            ("ollama", "q", "off", #","reasoning_effort":"none""#),
            ("ollama", "q", "max", #","reasoning_effort":"max""#),
            ("ollama", "q", "adaptive", #""#),
            ("groq", "openai/gpt-oss-120b", "off", #""#),
            ("groq", "openai/gpt-oss-120b", "max", #","reasoning_effort":"high""#),
            (
                "groq", "qwen/qwen3-32b", "off",
                #","reasoning_effort":"none","reasoning_format":"parsed""#
            ),
            ("groq", "qwen/qwen3-32b", "high", #","reasoning_format":"parsed""#),
            ("groq", "llama-3.3-70b", "off", #""#),
            ("groq", "llama-3.3-70b", "high", #""#),
            ("mistral", "mistral-small-latest", "off", #","reasoning_effort":"none""#),
            ("mistral", "mistral-small-latest", "low", #","reasoning_effort":"high""#),
            ("mistral", "mistral-large-latest", "off", #""#),
            ("mistral", "mistral-large-latest", "high", #""#),
            ("kimi", "kimi-k2-thinking", "off", #","thinking":{"type":"disabled"}"#),
            ("kimi", "kimi-k2-thinking", "high", #","thinking":{"type":"enabled"}"#),
            ("kimi", "kimi-k2-thinking", "adaptive", #","thinking":{"type":"enabled"}"#),
            ("glm", "glm-4.7", "off", #","thinking":{"type":"disabled"}"#),
            ("glm", "glm-4.7", "high", #","thinking":{"type":"enabled"}"#),
            ("qwen", "qwen3-max", "off", #","enable_thinking":false"#),
            ("qwen", "qwen3-max", "high", #","enable_thinking":true"#),
            ("lmstudio", "q", "off", #""#),
            ("lmstudio", "q", "high", #""#),
            ("generic", "q", "off", #""#),
            ("generic", "q", "high", #""#),
            ("generic", "q", "adaptive", #""#),
        ])
    func everyServerIsToldInItsOwnWay(
        dialect: String, model: String, level: String, members: String
    ) throws {
        let user = #"{"role":"user","content":"hi"}"#
        let asked = try #require(Self.levels[level])
        let body = #"{"model":"\#(model)","messages":[\#(user)]\#(asked)}"#
        let (chat, _) = try translate(
            Array(body.utf8), dialect: try #require(Dialect.named(dialect)))
        #expect(chat.hasSuffix(#"}]\#(members)}"#))
    }

    @Test(arguments: Dialect.all)
    func nothingIsSaidWhenNothingWasAsked(dialect: Dialect) throws {
        let body = #"{"model":"gpt-5","messages":[{"role":"user","content":"hi"}]}"#
        #expect(try translate(Array(body.utf8), dialect: dialect).chat == body)
    }

    @Test(arguments: [(1024, "low"), (2048, "medium"), (8192, "high"), (32768, "xhigh")])
    func aBudgetIsAnEffort(tokens: Int, effort: String) throws {
        let thinking = #","thinking":{"type":"enabled","budget_tokens":\#(tokens)}"#
        let (chat, _) = try translate(
            request(#"{"role":"user","content":"hi"}"#, thinking), dialect: .ollama)
        #expect(chat.hasSuffix(#","reasoning_effort":"\#(effort)"}"#))
    }

    @Test func detailsStayAwayOnlyFromClientsThatNeverSendThemBack() throws {
        let hidden = #","thinking":{"type":"adaptive","display":"omitted"}"#
        let tools = #","tools":[{"name":"f"}]"#
        let user = #"{"role":"user","content":"hi"}"#
        #expect(
            try translate(request(user, hidden), dialect: .openrouter).chat
                .hasSuffix(#""reasoning":{"enabled":true,"exclude":true}}"#))
        #expect(
            try translate(request(user, hidden + tools), dialect: .openrouter).chat
                .hasSuffix(#""reasoning":{"enabled":true}}"#))
    }
}
