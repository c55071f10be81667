"""The official Anthropic SDK as the client."""

import json
import threading

import anthropic
import httpx
import pytest

from conftest import ASK, Sidecar
from upstream import USAGE, chunk, completion, text_stream, tool_call

TOOLS = [{"name": "get_weather", "description": "Weather",
          "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]


def test_create(client, upstream, ask):
    upstream.then(completion("Hello there"))
    message = client.messages.create(**ask)
    assert message.content[0].text == "Hello there"
    assert message.stop_reason == "end_turn"
    assert message.model == "claude-x"
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (6, 4)
    assert message.id.startswith("msg_") and message._request_id.startswith("req_")
    request = upstream.next_request()
    assert request.body == {"model": "gpt-x", "max_tokens": 64,
                            "messages": [{"role": "user", "content": "hi"}]}
    assert request.headers["authorization"] == "Bearer sk-planted-upstream-key"


def test_two_answers_never_share_an_id(client, upstream, ask):
    upstream.then(completion()).then(completion())
    assert client.messages.create(**ask).id != client.messages.create(**ask).id


@pytest.mark.parametrize("split", [0, 1, 2, 7, 64])
def test_stream(client, upstream, ask, split):
    words = ["Hel", "lo ", "wörld ", "日本", "😀"]
    upstream.then(lambda c: c.stream(text_stream(*words), split=split))
    with client.messages.stream(**ask) as stream:
        assert "".join(stream.text_stream) == "".join(words)
        final = stream.get_final_message()
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == 5 and final.usage.input_tokens == 6
    assert upstream.next_request().body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("split", [0, 1, 5])
def test_parallel_tools_in_fragments(client, upstream, ask, split):
    fragments = [chunk({"role": "assistant", "content": None})]
    for index, city in enumerate(["Köln", 'A"B']):
        arguments = json.dumps({"city": city})
        fragments.append(chunk({"tool_calls": [tool_call("get_weather", "", f"c{index}", index)]}))
        fragments += [
            chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
            for part in (arguments[:5], arguments[5:9], arguments[9:])]
    fragments += [chunk({}, "tool_calls"), chunk(usage=USAGE), "[DONE]"]
    upstream.then(lambda c: c.stream(fragments, split=split))
    with client.messages.stream(**ask, tools=TOOLS) as stream:
        final = stream.get_final_message()
    calls = [block for block in final.content if block.type == "tool_use"]
    assert [c.input for c in calls] == [{"city": "Köln"}, {"city": 'A"B'}]
    assert len({c.id for c in calls}) == 2
    assert final.stop_reason == "tool_use"


def test_a_tool_without_arguments(client, upstream, ask):
    upstream.then([chunk({"tool_calls": [tool_call("get_weather", "")]}), chunk({}, "stop"), "[DONE]"])
    with client.messages.stream(**ask, tools=TOOLS) as stream:
        final = stream.get_final_message()
    assert final.content[-1].input == {} and final.stop_reason == "tool_use"


def test_tool_results_go_up_in_order(client, upstream, ask):
    upstream.then(completion())
    ask["messages"] = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "a", "name": "f", "input": {"b": 1, "a": 1.10}},
            {"type": "tool_use", "id": "b", "name": "f", "input": {}}]},
        {"role": "user", "content": [
            {"type": "text", "text": "and now"},
            {"type": "tool_result", "tool_use_id": "b", "content": "boom", "is_error": True},
            {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "one"}]}]},
    ]
    client.messages.create(**ask)
    messages = upstream.next_request().body["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "tool", "user"]
    assert json.loads(messages[1]["tool_calls"][0]["function"]["arguments"]) == {"b": 1, "a": 1.1}
    assert (messages[2]["tool_call_id"], messages[2]["content"]) == ("a", "one")
    assert messages[3]["content"] == "Error: boom"
    assert messages[4]["content"] == "and now"


def test_thinking_both_ways(client, upstream, ask):
    upstream.then([
        chunk({"reasoning_content": "let me"}), chunk({"reasoning_content": " think"}),
        chunk({"content": "yes"}), chunk({}, "stop"), chunk(usage=USAGE), "[DONE]"])
    thinking = {"type": "enabled", "budget_tokens": 2000}
    with client.messages.stream(**ask, thinking=thinking) as stream:
        final = stream.get_final_message()
    assert [b.type for b in final.content] == ["thinking", "text"]
    assert final.content[0].thinking == "let me think" and final.content[0].signature
    upstream.then(completion())
    turn = {"role": "assistant", "content": [
        final.content[0].model_dump(),
        {"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}
    ask["messages"] = ask["messages"] + [turn, result]
    client.messages.create(**ask, thinking=thinking)
    upstream.next_request()
    assert upstream.next_request().body["messages"][1]["reasoning_content"] == "let me think"


def test_thinking_stays_away_unless_asked_for(client, upstream, ask):
    upstream.then(completion("yes", reasoning_content="hidden"))
    message = client.messages.create(**ask)
    assert [b.type for b in message.content] == ["text"]


def test_count_tokens(client, upstream):
    count = client.messages.count_tokens(model="x", messages=[{"role": "user", "content": "hi " * 300}])
    assert 200 < count.input_tokens < 600
    assert not upstream.requests


def test_models(client):
    listed = client.models.list()
    assert "gpt-x" in [m.id for m in listed.data]
    assert client.models.retrieve("gpt-x").id == "gpt-x"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("openai/none")


@pytest.mark.parametrize("status, body, error, kind", [
    (400, {"error": {"message": "bad thing"}}, anthropic.BadRequestError, "invalid_request_error"),
    (403, {"error": {"message": "no"}}, anthropic.PermissionDeniedError, "permission_error"),
    (404, {"error": {"message": "model gone"}}, anthropic.NotFoundError, "not_found_error"),
    (413, {"error": {"message": "big"}}, anthropic.RequestTooLargeError, "request_too_large"),
    (422, {"detail": [{"msg": "odd"}]}, anthropic.BadRequestError, "invalid_request_error"),
    (429, {"error": {"message": "slow"}}, anthropic.RateLimitError, "rate_limit_error"),
    (500, {"error": {"message": "oops"}}, anthropic.InternalServerError, "api_error"),
    (503, {"error": {"message": "busy"}}, anthropic.OverloadedError, "overloaded_error"),
])
@pytest.mark.parametrize("is_stream", [False, True])
def test_upstream_errors(client, upstream, ask, status, body, error, kind, is_stream):
    upstream.then(lambda c: c.json(body, status=status, headers=[("retry-after", "2.3")]))
    with pytest.raises(error) as raised:
        client.messages.create(**ask, stream=is_stream)
    answer = raised.value.response.json()
    assert answer["error"]["type"] == kind
    assert answer["request_id"] == raised.value.response.headers["request-id"]
    assert raised.value.response.headers["retry-after"] == "3"


def test_quota_and_credentials_are_not_retried(client, upstream, ask):
    upstream.then(lambda c: c.json({"error": {"code": "insufficient_quota", "message": "x"}}, 429))
    with pytest.raises(anthropic.APIStatusError) as raised:
        client.messages.create(**ask)
    assert raised.value.status_code == 402
    assert raised.value.response.headers["x-should-retry"] == "false"
    leak = {"error": {"message": "Incorrect API key provided: sk-planted-upstream-key"}}
    upstream.then(lambda c: c.json(leak, 401))
    with pytest.raises(anthropic.APIStatusError) as raised:
        client.messages.create(**ask)
    assert raised.value.status_code == 502
    assert "planted" not in raised.value.response.text


def test_context_overflow_is_told_in_known_words(client, upstream, ask):
    text = ("This model's maximum context length is 8192 tokens. However, your messages resulted "
            "in 9001 tokens.")
    upstream.then(lambda c: c.json({"error": {"message": text}}, 400))
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 9001 tokens > 8192 maximum"):
        client.messages.create(**ask)


def test_an_error_in_the_first_event_is_a_status(client, upstream, ask):
    upstream.then([{"error": {"message": "x", "code": 502}}])
    with pytest.raises(anthropic.InternalServerError) as raised:
        client.messages.create(**ask, stream=True)
    assert raised.value.status_code == 502


@pytest.mark.parametrize("cut", ["eof", "reset", "error"])
@pytest.mark.parametrize("after", [1, 3, 5])
def test_a_cut_stream_never_looks_like_success(client, upstream, ask, cut, after):
    def script(connection):
        connection.begin()
        pieces = [chunk({"content": "one "}), chunk({"content": "two"}),
                  chunk({"tool_calls": [tool_call("get_weather", '{"city":')]}),
                  chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Ro'}}]}),
                  chunk({"tool_calls": [{"index": 0, "function": {"arguments": 'me"}'}}]})]
        for piece in pieces[:after]:
            connection.event(piece)
        if cut == "reset":
            connection.reset()
        elif cut == "eof":
            connection.end()
        else:
            connection.event({"error": {"message": "boom", "type": "server_error"}})
            connection.end()
    upstream.then(script)
    with pytest.raises((anthropic.APIError, anthropic.APIStatusError)):
        with client.messages.stream(**ask, tools=TOOLS) as stream:
            stream.get_final_message()


def test_json_for_a_stream_and_html(client, upstream, ask):
    upstream.then(completion("in one piece"))
    with client.messages.stream(**ask) as stream:
        assert stream.get_final_message().content[0].text == "in one piece"
    for kind, indent in (("Application/JSON", None), ("text/plain", 2), ("text/plain", None)):
        def script(connection):
            connection.begin(kind)
            connection.raw(json.dumps(completion("in one piece"), indent=indent))
            connection.end()
        upstream.then(script)
        with client.messages.stream(**ask) as stream:
            assert stream.get_final_message().content[0].text == "in one piece"
    upstream.then(lambda c: c.json(b"<html><body>nope</body></html>"))
    with pytest.raises(anthropic.InternalServerError):
        client.messages.create(**ask)


def test_tool_runner_falls_back_from_threads(sidecar, upstream):
    client = sidecar.client()

    @anthropic.beta_tool
    def add(a: int, b: int) -> str:
        """Adds.

        Args:
            a: one
            b: other
        """
        return str(a + b)

    upstream.then(completion(None, "tool_calls", tool_calls=[tool_call("add", '{"a":1,"b":2}')]))
    upstream.then(completion("3"))
    runner = client.beta.messages.tool_runner(
        model="claude-x", max_tokens=64, tools=[add], messages=[{"role": "user", "content": "1+2"}])
    assert runner.until_done().content[0].text == "3"
    upstream.next_request()
    assert [m["role"] for m in upstream.next_request().body["messages"]] == ["user", "assistant", "tool"]


def test_exact_bytes_go_through(sidecar, upstream):
    raw = ('{"model":"claude-x","max_tokens":5,"temperature":0.7,"messages":['
           '{"role":"user","content":"a\\ud800b"},'
           '{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":'
           '{"n":1e400,"i":12345678901234567890,"z":"\\u0000","f":0.7}}]},'
           '{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"'
           + "x" * 3_000_000 + '"}]}],"tools":[{"name":"f","input_schema":'
           '{"$schema":"s","type":"object","properties":{"q":{"maximum":1e400,"minimum":0.10}}}}]}')
    upstream.then(completion())
    sidecar.raw(f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                f"content-length: {len(raw)}\r\n\r\n{raw}")
    sent = upstream.next_request().raw
    assert b'"temperature":0.7,' in sent or b'"temperature":0.7}' in sent
    assert rb'{\"n\":1e400,\"i\":12345678901234567890,\"z\":\"\\u0000\",\"f\":0.7}' in sent
    assert b'{"type":"object","properties":{"q":{"maximum":1e400,"minimum":0.10}}}' in sent
    assert b"x" * 3_000_000 in sent
    assert "a\ufffdb".encode() in sent


@pytest.mark.parametrize("is_stream", [False, True])
def test_rate_limits_and_ids_of_the_upstream_reach_the_client(client, upstream, ask, is_stream):
    limits = [("x-ratelimit-limit-requests", "60"), ("X-RateLimit-Remaining-Requests", "59"),
              ("x-ratelimit-reset-tokens", "6m0s"), ("x-request-id", "req-up"),
              ("openai-organization", "planted"), ("set-cookie", "planted")]
    upstream.then(lambda c: c.json(completion(), headers=limits))
    raw = client.messages.with_raw_response.create(**ask, stream=is_stream)
    assert raw.headers["anthropic-ratelimit-requests-limit"] == "60"
    assert raw.headers["anthropic-ratelimit-requests-remaining"] == "59"
    assert raw.headers["anthropic-ratelimit-tokens-reset"].endswith("Z")
    assert raw.headers["x-upstream-request-id"] == "req-up"
    assert "planted" not in str(raw.headers)


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("theirs, told", [
    ("chatcmpl-7", "chatcmpl-7"), ("", None), ("a\r\nx-planted: 1\r\n\r\n", "ax-planted:1"),
    ("y" * 9000, "y" * 128)])
def test_the_upstreams_own_name_of_the_answer_is_told(
        client, sidecar, upstream, ask, is_stream, theirs, told):
    def script(connection):
        if not is_stream:
            return connection.json({**completion(), "id": theirs})
        connection.begin()
        connection.event({**chunk({"content": "a"}), "id": theirs})
        connection.event({**chunk({}, "stop"), "id": theirs})
        connection.end()
    upstream.then(script)
    raw = client.messages.with_raw_response.create(**ask, stream=is_stream)
    assert raw.headers.get("x-upstream-id") == told and "x-planted" not in raw.headers
    if is_stream:
        started, *rest = list(raw.parse())
        message = started.message
        assert rest[-1].type == "message_stop"
    else:
        message = raw.parse()
    assert message.id.startswith("msg_")
    assert sidecar.log_of(raw.headers["request-id"]).get("upstream_id") == told


def test_an_answer_that_begins_before_its_name_is_known_has_it_in_the_log(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, COMMIT_AFTER="50ms")
    begun = threading.Event()

    def script(connection):
        connection.begin()
        assert begun.wait(10)
        connection.event(chunk({"content": "a"}))
        connection.event(chunk({}, "stop"))
        connection.end()
    upstream.then(script)
    with httpx.stream("POST", sidecar.url + "/v1/messages", json={**ASK, "stream": True}) as answer:
        assert "x-upstream-id" not in answer.headers
        begun.set()
        assert "message_stop" in answer.read().decode()
    assert sidecar.log_of(answer.headers["request-id"])["upstream_id"] == "chatcmpl-1"
    sidecar.stop()


def refusal(message, param=None):
    return lambda c: c.json({"error": {"message": message, "param": param}}, 400)


@pytest.mark.parametrize("message, param, more, before, after", [
    ("Unsupported parameter: 'stop' is not supported with this model.", "stop",
     {"stop_sequences": ["END"]}, lambda b: "stop" in b, lambda b: "stop" not in b),
    ("max_tokens is too large: 64. This model supports at most 16 completion tokens", "max_tokens",
     {}, lambda b: b["max_tokens"] == 64, lambda b: b["max_tokens"] == 16),
    ("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
     "'max_completion_tokens' instead.", "max_tokens",
     {}, lambda b: "max_tokens" in b, lambda b: b.get("max_completion_tokens") == 64),
    ("Function tools with reasoning_effort are not supported for m in /v1/chat/completions.", None,
     {"tools": TOOLS}, lambda b: "reasoning_effort" not in b,
     lambda b: b["reasoning_effort"] == "none"),
    ("Unrecognized request argument supplied: temperature", None,
     {"extra_body": {"temperature": 0.5}}, lambda b: "temperature" in b,
     lambda b: "temperature" not in b),
])
def test_a_refused_parameter_is_healed_once_and_remembered(
        client, upstream, ask, message, param, more, before, after):
    ask["model"] = f"healing-{abs(hash(message))}"
    upstream.then(refusal(message, param)).then(completion("one")).then(completion("two"))
    assert client.messages.create(**ask, **more).content[0].text == "one"
    assert client.messages.create(**ask, **more).content[0].text == "two"
    first, second, third = (upstream.next_request().body for _ in range(3))
    assert before(first) and after(second) and after(third)


def test_a_refusal_that_healing_does_not_end_is_told(client, upstream, ask):
    ask["model"] = "stubborn"
    text = "Unsupported parameter: 'stop' is not supported with this model."
    upstream.then(refusal(text, "stop")).then(refusal(text, "stop"))
    with pytest.raises(anthropic.BadRequestError, match="Unsupported parameter"):
        client.messages.create(**ask, stop_sequences=["END"])
    assert len(upstream.requests) == 2


def test_a_stream_for_a_request_that_asked_for_none(client, upstream, ask):
    call = tool_call("get_weather", '{"city":')
    rest = {"index": 0, "function": {"arguments": '"Köln"}'}}
    chunks = [chunk({"content": "one "}), chunk({"content": 'two "'}),
              chunk({"tool_calls": [call]}), chunk({"tool_calls": [rest]}),
              chunk({}, "tool_calls"), chunk(usage=USAGE), "[DONE]"]
    upstream.then(chunks)
    message = client.messages.create(**ask, tools=TOOLS)
    assert message.content[0].text == 'one two "' and message.content[1].input == {"city": "Köln"}
    assert message.stop_reason == "tool_use" and message.usage.output_tokens == 5
    upstream.then(chunks[:3])
    with pytest.raises(anthropic.InternalServerError):
        client.messages.create(**ask, tools=TOOLS)
