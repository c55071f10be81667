// What servers say when a prompt, an answer or both are too long (translation 5.2).

/// Sentences and the numbers in them.
///
/// `L` is the limit, `I` the prompt, `O` the output that was asked for, `T` prompt and output
/// together, `X` by how much the prompt is too long.
enum OverflowPatterns {
    /// The output alone is more than the model can give.
    static let output: [TextPattern] = [
        // OpenAI, Azure.
        "max_tokens is too large: {O}. this model supports at most {L} completion tokens",
        "max_completion_tokens is too large: {O}. this model supports at most {L} completion",
        "supports at most {L} completion tokens",
        // DeepSeek, Qwen.
        "valid range of max_tokens is [1, {L}]",
        "range of max_tokens should be [1, {L}]",
        // Groq.
        "`max_tokens` must be less than or equal to `{L}`",
        "`max_completion_tokens` must be less than or equal to `{L}`",
        "max_tokens must be less than or equal to {L}",
        // Bedrock.
        "maximum tokens you requested exceeds the model limit of {L}",
        // Gemini.
        "max_output_tokens must be from 1 to {L}", "maxoutputtokens must be … to {L}",
        "supported range is from 1 (inclusive) to {L} (exclusive)",
        // Anthropic, behind OpenRouter and others.
        "max_tokens: {O} > {L}, which is the maximum allowed number of output tokens",
        // xAI.
        "max_tokens … greater than the maximum … {L}",
    ].map { TextPattern($0) }

    /// The context is too small.
    static let context: [TextPattern] = [
        // OpenAI, Azure, DeepSeek, vLLM.
        "maximum context length is {L} tokens… requested {T} tokens ({I} in the messages, {O} in",
        "maximum context length is {L} tokens… requested {T} tokens ({I} in your prompt; {O} for",
        "maximum context length is {L} tokens… messages resulted in {I} tokens",
        "configured limit of {L} tokens… resulted in {I} tokens",
        "input tokens exceed the configured limit of {L}",
        // OpenRouter.
        "context length is {L} tokens… about {T} tokens ({I} of text input, {O} in the output",
        "context length is {L} tokens… ({I} of text input, {N} of tool input, {O} in the output",
        "maximum context length is {L} tokens… requested about {T} tokens",
        // vLLM.
        "is too large: {O}… maximum context length is {L} tokens and your request has {I} input",
        "maximum context length is {L} tokens… your request has {I} input tokens",
        "maximum context length of {L} tokens… your request has {I} input tokens",
        "you passed {I} input tokens and requested {O} output tokens… context length is only {L}",
        "you passed {I} … input tokens… maximum input length … {L} ",
        "prompt (length {I}) is longer than the maximum model length of {L}",
        "prompt (total length {I}) is too long … max_model_len={L}",
        // SGLang.
        "maximum context length of {L} tokens. you requested a total of {T} tokens: {I} … and {O}",
        "input length ({I} tokens) exceeds the maximum allowed length ({L} tokens",
        "the input ({I} tokens) is longer than the model's context length ({L} tokens",
        // llama.cpp, LM Studio.
        "request ({I} tokens) exceeds the available context size ({L} tokens",
        "to keep the first {I} tokens when context the overflows… context length of only {L}",
        // Gemini.
        "input token count ({I}) exceeds the maximum number of tokens allowed ({L})",
        "input token count is {I} but … up to {L}",
        "input token count exceeds the maximum number of tokens allowed {L}",
        // Mistral.
        "prompt contains {I} tokens… too large for model with {L} maximum context length",
        // Ollama.
        "exceeded max context length by {X} tokens",
        // Kimi, xAI, Qwen, Cerebras, Text Generation Inference.
        "exceeded model token limit: {L} (requested: {T})",
        "maximum prompt length is {L} but the request contains {I} tokens",
        "range of input length should be [1, {L}]",
        "current length is {I} while limit is {L}",
        "`max_new_tokens` must be <= {L}. given: {I} `inputs` tokens and {O} `max_new_tokens`",
        // Anthropic.
        "prompt is too long: {I} tokens > {L} maximum",
        "exceed context limit: {I} + {O} > {L}",
        // Any of them in words of tomorrow.
        "maximum context length is {L}", "maximum context length of {L}",
    ].map { TextPattern($0) }

    /// What says that the prompt is too long, without numbers.
    static let complaints = [
        "maximum context length", "context length exceeded", "prompt is too long",
        "exceeds the available context size", "prompt too long", "exceeds the context window",
        "exceeds the maximum allowed length", "exceeds the maximum number of tokens",
        "input tokens exceed the configured limit", "too large for model with",
        "context_length_exceeded", "max_model_len", "exceed context limit",
        "reduce the length of the messages", "context window of this model",
    ]
}
