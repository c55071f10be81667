// Errors of upstreams in Anthropic's words (translation 8.5).
import JSON
import Testing

@testable import Translation

private func translate(
    _ status: Int, _ body: String, ownsKey: Bool = true, headers: [String: String] = [:]
) -> APIError {
    UpstreamError.translate(
        status: status, header: { headers["\($0)"] }, body: Array(body.utf8),
        ErrorContext(
            secrets: ["sk-secret-key"], ownsKey: ownsKey, model: "m", path: "/v1/chat",
            estimatedInputTokens: 5000))
}

private func said(_ text: String, _ more: String = "") -> String {
    var escaped: [UInt8] = []
    JSONEscape.append(text, to: &escaped)
    return #"{"error":{"message":"\#(String(decoding: escaped, as: UTF8.self))"\#(more)}}"#
}

/// Prompts that are too long, in the words of each server.
private let overflows: [(String, Int, Int)] = [
    (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in "
            + "9001 tokens. Please reduce the length of the messages.", 9001, 8192
    ),
    (
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
            + "300,000 tokens. Please reduce the length of the messages.", 300_000, 272_000
    ),
    (
        "This endpoint's maximum context length is 131072 tokens. However, you requested about "
            + "150000 tokens (150000 of text input). Please reduce the length.", 150_000, 131_072
    ),
    (
        "This model's maximum context length is 4096 tokens. However, your request has 5000 input "
            + "tokens. Please reduce the length of the input messages.", 5000, 4096
    ),
    (
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", 5000,
        4096
    ),
    (
        "Input length (9001 tokens) exceeds the maximum allowed length (8192 tokens). Use a "
            + "shorter input or enable --allow-auto-truncate.", 9001, 8192
    ),
    (
        "The input (9001 tokens) is longer than the model's context length (8192 tokens).", 9001,
        8192
    ),
    (
        "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
        5000, 4096
    ),
    (
        "The input token count (9001) exceeds the maximum number of tokens allowed (8192).", 9001,
        8192
    ),
    (
        "Unable to submit request because the input token count is 9001 but model only supports up "
            + "to 8192. Reduce the input token count and try again.", 9001, 8192
    ),
    (
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum "
            + "context length", 40000, 32768
    ),
    ("prompt too long; exceeded max context length by 4 tokens", 5000, 4996),
    (
        "Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)",
        140_000, 131_072
    ),
    (
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        140_000, 131_072
    ),
    ("Range of input length should be [1, 4000]", 5000, 4000),
    (
        "Please reduce the length of the messages or completion. Current length is 9001 while "
            + "limit is 8192", 9001, 8192
    ),
    ("prompt is too long: 215000 tokens > 200000 maximum", 215_000, 200_000),
    ("Your input exceeds the context window of this model.", 5000, 4999),
]

/// More output than fits beside the prompt.
private let sums: [(String, Int, Int, Int)] = [
    (
        "This model's maximum context length is 131072 tokens. However, you requested 163072 "
            + "tokens (35072 in the messages, 128000 in the completion). Please reduce the length.",
        35072, 128_000, 131_072
    ),
    (
        "This endpoint's maximum context length is 131072 tokens. However, you requested about "
            + "163072 tokens (35072 of text input, 128000 in the output).",
        35072, 128_000, 131_072
    ),
    (
        "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context "
            + "length is 4096 tokens and your request has 100 input tokens (5000 > 4096 - 100).",
        100, 5000, 4096
    ),
    (
        "You passed 3000 input tokens and requested 2000 output tokens. However, the model's "
            + "context length is only 4096 tokens, resulting in a maximum input length of 2096.",
        3000, 2000, 4096
    ),
    (
        "Requested token count exceeds the model's maximum context length of 4096 tokens. You "
            + "requested a total of 5000 tokens: 3000 tokens from the input messages and 2000 "
            + "tokens for the completion.", 3000, 2000, 4096
    ),
    (
        "`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4000 `inputs` tokens and 200 "
            + "`max_new_tokens`", 4000, 200, 4097
    ),
    (
        "input length and `max_tokens` exceed context limit: 190000 + 128000 > 200000, decrease "
            + "input length or `max_tokens` and try again", 190_000, 128_000, 200_000
    ),
]

/// More output than the model can give.
private let outputs: [(String, Int?, Int)] = [
    (
        "max_tokens is too large: 128000. This model supports at most 16384 completion tokens, "
            + "whereas you provided 128000.", 128_000, 16384
    ),
    ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", nil, 8192),
    (
        "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]", nil,
        8192
    ),
    (
        "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is "
            + "less than the `context_window` for this model", nil, 8192
    ),
    (
        "The maximum tokens you requested exceeds the model limit of 4096. Try again with a lower "
            + "value.", nil, 4096
    ),
    (
        "max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for x",
        32000, 8192
    ),
]

@Suite struct ErrorTests {
    @Test(arguments: overflows)
    func overflowsAreToldInKnownWords(text: String, input: Int, limit: Int) {
        let error = translate(400, said(text))
        #expect(error.kind == .invalidRequest && error.label == .contextOverflow)
        #expect(
            error.message == "prompt is too long: \(input) tokens > \(limit) maximum – \(text)")
    }

    @Test func numbersBesideTheWordsCountToo() {
        let more =
            #","type":"exceed_context_size_error","n_prompt_tokens":9001,"n_ctx":8192,"code":400"#
        let text = "the request exceeds the available context size. try increasing it"
        #expect(
            translate(400, said(text, more)).message.hasPrefix(
                "prompt is too long: 9001 tokens > 8192 maximum"))
        let code = said("Too much.", #","code":"context_length_exceeded""#)
        #expect(translate(400, code).message.hasPrefix("prompt is too long: 5000 tokens > 4999"))
    }

    @Test(arguments: sums)
    func anAnswerThatDoesNotFitIsToldApart(text: String, input: Int, output: Int, limit: Int) {
        #expect(
            translate(400, said(text)).message.hasPrefix(
                "input length and `max_tokens` exceed context limit: "
                    + "\(input) + \(output) > \(limit), decrease input length"))
        let room = limit - input - 64
        let quirk = Quirk.recognise(status: 400, body: Array(said(text).utf8))
        #expect(quirk == (room >= 1024 ? .room(room) : nil))
    }

    @Test(arguments: outputs)
    func aLimitOfTheOutputIsLearned(text: String, requested: Int?, limit: Int) {
        let quirk = Quirk.recognise(status: 400, body: Array(said(text).utf8))
        #expect(quirk == .outputLimit(limit))
        #expect(
            translate(400, said(text)).message == "max_tokens: \(requested ?? limit + 1) > \(limit)"
                + ", which is the maximum allowed number of output tokens for m")
    }

    @Test func vLLMComplainsWith500() {
        let text = "The prompt (total length 9001) is too long to fit into max_model_len=8192"
        #expect(
            translate(500, said(text)).message.hasPrefix(
                "prompt is too long: 9001 tokens > 8192 maximum"))
    }

    @Test(arguments: [
        (#"{"error":{"message":"a"}}"#, "a"), (#"{"error":"b"}"#, "b"), (#"{"message":"c"}"#, "c"),
        (#"{"detail":"d"}"#, "d"), (#"{"detail":[{"msg":"e"}]}"#, "e"),
        (#"[{"error":{"message":"f"}}]"#, "f"),
        (#"{"error":{"message":"x","metadata":{"raw":"{\"error\":{\"message\":\"g\"}}"}}}"#, "g"),
        (#"{"error":{"message":"h","metadata":{"provider_name":"P"}}}"#, "h (provider: P)"),
        (#"{"error":{"message":"x","metadata":{"raw":"upstream is busy"}}}"#, "upstream is busy"),
        (#"{"error":{"message":"x","metadata":{"raw":{"message":"j"}}}}"#, "j"),
        (#"{"error":{"message":"y","metadata":{"raw":""}}}"#, "y"),
        (#"{"message":{"detail":[{"msg":"k"}]}}"#, "k"),
        (#"{"errors":[{"message":"i"}]}"#, "i"),
        ("<html><body><h1>Bad</h1> thing</body></html>", "Bad thing"),
        ("", "upstream answered 400"),
        (#"{"error":{"message":"key sk-secret-key!"}}"#, "key ***!"),
    ])
    func theWordsAreFoundWhereverTheyStand(body: String, message: String) {
        #expect(translate(400, body).message == message)
    }

    @Test(arguments: [
        (401, 502), (402, 402), (403, 403), (405, 400), (408, 504), (409, 409), (413, 413),
        (415, 400), (422, 400), (429, 429), (498, 529), (499, 500), (500, 500), (502, 502),
        (503, 529), (504, 504), (520, 502), (522, 504), (524, 504), (529, 529), (302, 502),
    ])
    func everyStatusHasItsPlace(status: Int, expected: Int) {
        #expect(translate(status, said("x")).status == expected)
    }

    @Test(
        arguments: [
            (429, #","code":"insufficient_quota""#, 402, "billing_error", false),
            (400, #","code":"billing_not_active""#, 402, "billing_error", false),
            (
                400, #","code":"tool_use_failed","failed_generation":"f("# + "\"", 500, "api_error",
                nil
            ),
            (400, #","code":"content_filter""#, 400, "invalid_request_error", nil),
            (
                400, #","innererror":{"code":"ResponsibleAIPolicyViolation"}"#, 400,
                "invalid_request_error", nil
            ),
            (
                403, #","metadata":{"reasons":["x"],"flagged_input":"y"}"#, 400,
                "invalid_request_error", nil
            ),
            (404, #","code":"model_not_found""#, 404, "not_found_error", nil),
        ] as [(Int, String, Int, String, Bool?)])
    func codesDecideWhereTheStatusMisleads(
        status: Int, more: String, expected: Int, kind: String, shouldRetry: Bool?
    ) {
        let error = translate(status, said("x", more))
        #expect(error.status == expected && error.kind.rawValue == kind)
        #expect(error.shouldRetry == shouldRetry)
    }

    @Test func aKeyOfOursIsNotTheClientsFault() {
        let text = said("Incorrect API key provided: sk-secret-key.")
        let own = translate(401, text)
        #expect(own.status == 502 && own.kind == .api && own.shouldRetry == false)
        let passed = translate(401, text, ownsKey: false)
        #expect(passed.status == 401 && passed.kind == .authentication)
        #expect(passed.shouldRetry == false)
        #expect(!own.message.contains("sk-secret") && !passed.message.contains("sk-secret"))
    }

    @Test func aKeyOfOursIsNotTheClientsFaultInsideAnAnswerEither() throws {
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        let chat = try JSONDocument(parsing: Array(#"{"error":{"message":"x","code":401}}"#.utf8))
        let text = #"{"error":{"type":"authentication_error","message":"x"}}"#
        let passed = try JSONDocument(parsing: Array(text.utf8))
        func errors() -> [APIError?] {
            [
                UpstreamError.inBand(chat.root, plan),
                PassedError.inBand(passed.root, ownsKey: plan.ownsKey),
            ]
        }
        #expect(errors().map(\.?.status) == [401, 401])
        plan.ownsKey = true
        #expect(errors().map(\.?.status) == [502, 502])
        #expect(errors().map(\.?.shouldRetry) == [false, false])
    }

    @Test(arguments: [
        ("Incorrect API key provided: sk-secr****-key. See x.", "provided: ***. See x."),
        ("Incorrect API key provided: sk-s...ey", "provided: ***"),
        ("Your api key: ****-key is invalid", "key: *** is invalid"),
        ("key sk-secret-key and sk-se**********ey.", "key *** and ***."),
        ("**Bold** words... and 2**3, a*** of b...", "**Bold** words... and 2**3, a*** of b..."),
    ])
    func fragmentsOfAKeyAreHidden(text: String, shown: String) {
        #expect(
            translate(403, said(text)).message.hasSuffix(shown + " (upstream status 403)"))
    }

    @Test func whatNoRetryMendsIsNotRetried() {
        #expect(translate(302, "").shouldRetry == false)
        #expect(translate(302, "").message.contains("; set the final base URL"))
        #expect(translate(500, "").shouldRetry == nil)
    }

    @Test func aMissingModelIsNamed() {
        #expect(translate(404, said("not there")).message == "not there (model: m)")
        #expect(translate(404, said(#"model "m" not found"#)).message == #"model "m" not found"#)
    }

    @Test(arguments: [
        "", "<html>nginx</html>", #"{"detail":"Not Found"}"#, "404 page not found",
        #"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#,
        #"{"error":{"message":"Invalid URL (POST /v1/v1/chat/completions)"}}"#,
        #"{"error":{"code":"404","message":"Resource not found"}}"#,
        #"{"message":"Route POST:/v1/chat not found","error":"Not Found","statusCode":404}"#,
        "<pre>Cannot POST /v1/chat</pre>", #"{"error":"Unknown request URL: POST /v1/chat."}"#,
        #"{"status":404,"error":"Not Found","path":"/v1/chat"}"#,
    ])
    func aWrongPathIsNotAWrongModel(body: String) {
        #expect(
            translate(404, body).message
                == "upstream returned 404 for POST /v1/chat: check base URL")
    }

    @Test(arguments: [
        "The API deployment for this resource does not exist.",
        "No endpoints found matching your data policy.", "The model `x` does not exist.",
    ])
    func aWrongModelIsNotAWrongPath(text: String) {
        #expect(translate(404, said(text)).message.hasPrefix(text))
    }

    @Test(
        arguments: [
            (#"{"error":{"message":"x","code":502}}"#, 502),
            (#"{"object":"error","message":"x"}"#, 500),
            (#"{"error":{"message":"x","code":"invalid_api_key"}}"#, 401),
            (#"{"error":{"message":"x","type":"BadRequestError"}}"#, 400),
            (#"{"error":{"message":"x","type":"unavailable_error"}}"#, 529),
            (#"{"error":{"message":"x","type":"rate_limit_exceeded"}}"#, 429),
            (#"{"message":"x","code":503}"#, 529), (#"{"choices":[]}"#, nil),
        ] as [(String, Int?)])
    func errorsInsideAnAnswerHaveTheirStatus(body: String, status: Int?) throws {
        let root = try JSONDocument(parsing: Array(body.utf8)).root
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        #expect(UpstreamError.inBand(root, plan)?.status == status)
    }

    @Test(
        arguments: [
            (["retry-after": "2.3"], "x", 3), (["retry-after-ms": "1500"], "x", 2),
            (
                [
                    "retry-after": "Sun, 06 Nov 1994 08:50:37 GMT",
                    "date": "Sun, 06 Nov 1994 08:49:37 GMT",
                ],
                "x", 60
            ),
            (["x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"], "x", 360),
            (
                [
                    "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s",
                    "x-ratelimit-remaining-requests": "0",
                ], "x", 1
            ),
            ([:], "Please try again in 1.5s.", 2), ([:], "Please try again in 6m0s.", 360),
            ([:], "Please retry after 26 seconds.", 26), ([:], "Please retry in 34.07s.", 35),
            ([:], "Slow down", nil), (["retry-after": "soon"], "x", nil),
        ] as [([String: String], String, Int?)])
    func retryAfterComesFromWhereverItIsTold(
        headers: [String: String], text: String, seconds: Int?
    ) {
        #expect(translate(429, said(text), headers: headers).retryAfterSeconds == seconds)
    }

    @Test func whenToTryAgainIsReadInsideAnAnswerToo() throws {
        let text = #"{"error":{"message":"Rate limit, try again in 6.5s","code":429}}"#
        let root = try JSONDocument(parsing: Array(text.utf8)).root
        let plan = ExchangePlan(requestedModel: "m", upstreamModel: "m", isStream: true)
        #expect(UpstreamError.inBand(root, plan)?.retryAfterSeconds == 7)
    }

    @Test func aRequestOverTheLimitOfAMinuteIsNotTriedAgain() {
        let text =
            "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested "
        #expect(translate(429, said(text + "7000")).shouldRetry == false)
        #expect(translate(429, said(text + "5000")).shouldRetry == nil)
    }

    @Test func datesAreRead() {
        #expect(HTTPDate.unixSeconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.unixSeconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(HTTPDate.unixSeconds("Tue, 29 Feb 2028 00:00:00 GMT") == 1_835_395_200)
        #expect(HTTPDate.unixSeconds("yesterday") == nil)
    }
}
