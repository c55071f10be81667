"""Upstreams that speak the Messages API themselves: passed through, and watched over."""

import json

import anthropic
import httpx
import pytest

from conftest import ASK, Sidecar
from upstream import Upstream

STREAM = {**ASK, "stream": True}
MESSAGE = {"id": "msg_up", "type": "message", "role": "assistant", "model": "claude-up",
           "content": [{"type": "text", "text": "Hello!"}], "stop_reason": "end_turn",
           "stop_sequence": None, "usage": {"input_tokens": 11, "output_tokens": 3}}


def event(name, **data):
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


EVENTS = [
    event("message_start", message={**MESSAGE, "content": [], "stop_reason": None}),
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("ping"),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hé"}),
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None},
          usage={"output_tokens": 7}),
    event("message_stop"),
]


def streamed(*pieces):
    def script(connection):
        connection.begin()
        for piece in pieces:
            connection.raw(piece)
        connection.end()
    return script


@pytest.fixture(scope="module")
def server():
    return Upstream()


@pytest.fixture(scope="module")
def shared(server):
    sidecar = Sidecar(
        OPENAI_BASE_URL=f"http://127.0.0.1:{server.port}/anthropic", OPENAI_API_KEY="sk-up-key",
        MODEL_MAP="claude-x=claude-up", MAX_RETRIES="1", PING_INTERVAL="100ms",
        COMMIT_AFTER="200ms", UPSTREAM_IDLE_TIMEOUT="600ms")
    yield sidecar
    assert sidecar.stop() == 0


@pytest.fixture
def upstream(server):
    server.reset()
    return server


@pytest.fixture
def passing(shared, upstream):
    return shared


def post(sidecar, body=ASK, **options):
    return httpx.post(sidecar.url + "/v1/messages", json=body, timeout=30, **options)


def test_a_request_goes_through_with_another_model_and_key(passing, upstream):
    upstream.then(MESSAGE)
    body = ('{"max_tokens":64, "future_field":{"a":1.50}, "model":"claude-x",'
            '"messages":[{"role":"user","content":"hi"}]}')
    answer = httpx.post(passing.url + "/v1/messages?beta=true", content=body, headers={
        "anthropic-version": "2023-06-01", "anthropic-beta": "a,b", "x-api-key": "sk-client",
        "cookie": "secret"})
    assert answer.json() == MESSAGE
    request = upstream.next_request()
    assert request.line.startswith("POST /anthropic/v1/messages HTTP/1.1")
    assert request.raw.decode() == body.replace("claude-x", "claude-up")
    assert request.headers["x-api-key"] == "sk-up-key"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["anthropic-beta"] == "a,b"
    assert "authorization" not in request.headers and "cookie" not in request.headers
    log = passing.log_of(answer.headers["request-id"])
    assert log["input_tokens"] == 11 and log["output_tokens"] == 3
    assert log["stop_reason"] == "end_turn" and log["upstream_model"] == "claude-up"


@pytest.mark.parametrize("size", [1, 13, 100_000])
def test_a_stream_goes_through_byte_for_byte(passing, upstream, size):
    whole = b"".join(EVENTS)
    upstream.then(streamed(*(whole[i:i + size] for i in range(0, len(whole), size))))
    answer = post(passing, STREAM)
    assert answer.content == whole
    assert answer.headers["content-type"].startswith("text/event-stream")
    log = passing.log_of(answer.headers["request-id"])
    assert log["outcome"] == "completed" and log["stop_reason"] == "end_turn"
    assert log["input_tokens"] == 11 and log["output_tokens"] == 7


def test_the_sdk_reads_it(passing, upstream):
    upstream.then(streamed(*EVENTS))
    with passing.client().messages.stream(**ASK) as stream:
        assert stream.get_final_message().content[0].text == "Hé"


def test_a_silent_stream_gets_pings_and_then_an_error(passing, upstream):
    def script(connection):
        connection.begin()
        connection.raw(EVENTS[0] + EVENTS[1] + EVENTS[3][:20])
        connection.wait_closed()
        return "close"
    upstream.then(script)
    text = post(passing, STREAM).text
    assert text.count("event: ping\n") >= 3 and "timeout_error" in text
    assert "content_block_delta" not in text and "message_stop" not in text


def test_a_slow_beginning_is_committed_with_a_ping(passing, upstream):
    def script(connection):
        connection.begin()
        connection.wait_closed(0.3)
        for piece in EVENTS:
            connection.raw(piece)
        connection.end()
    upstream.then(script)
    with passing.client().messages.stream(**ASK) as stream:
        assert stream.get_final_message().content[0].text == "Hé"


@pytest.mark.parametrize("ending", ["end", "reset"])
def test_a_cut_at_any_byte_never_looks_whole(passing, upstream, ending):
    whole = b"".join(EVENTS)
    for size in range(len(EVENTS[0]), len(whole) - 2, 23):
        def script(connection):
            connection.begin()
            connection.raw(whole[:size])
            getattr(connection, ending)()
            return "close"
        upstream.then(script)
        answer = post(passing, STREAM)
        assert answer.status_code == 200 and "event: error" in answer.text, size
        assert "message_stop" not in answer.text, size


def error(kind, message="a bad moment"):
    return {"type": "error", "error": {"type": kind, "message": message}}


def test_errors_keep_their_shape(passing, upstream):
    upstream.then(lambda c: c.json(error("not_found_error", "model: claude-up"), 404))
    told = post(passing)
    assert told.status_code == 404
    assert told.json()["error"] == {"type": "not_found_error", "message": "model: claude-up"}
    assert told.json()["request_id"] == told.headers["request-id"]
    upstream.then(lambda c: c.json(error("rate_limit_error"), 429, [
        ("retry-after", "90"), ("anthropic-ratelimit-requests-remaining", "0")]))
    told = post(passing)
    assert told.status_code == 429 and told.headers["retry-after"] == "90"
    assert told.headers["anthropic-ratelimit-requests-remaining"] == "0"


def test_a_bad_moment_is_waited_out(passing, upstream):
    upstream.then(lambda c: c.json(error("overloaded_error"), 529)).then(MESSAGE)
    assert post(passing).status_code == 200
    upstream.then(streamed(event("error", error={"type": "overloaded_error", "message": "x"})))
    upstream.then(streamed(*EVENTS))
    assert post(passing, STREAM).content == b"".join(EVENTS)


def test_tokens_are_counted_by_the_upstream(passing, upstream):
    upstream.then({"input_tokens": 4711})
    client = passing.client()
    count = client.messages.count_tokens(model="claude-x", messages=ASK["messages"])
    assert count.input_tokens == 4711
    request = upstream.next_request()
    assert request.line.startswith("POST /anthropic/v1/messages/count_tokens ")
    assert request.body["model"] == "claude-up"


def test_clients_keys_go_through_where_they_are_wanted(upstream):
    sidecar = Sidecar(
        OPENAI_BASE_URL=f"http://127.0.0.1:{upstream.port}", UPSTREAM_PROTOCOL="anthropic",
        UPSTREAM_AUTH="passthrough")
    upstream.then(MESSAGE).then(lambda c: c.json(error("authentication_error"), 401))
    anthropic.Anthropic(base_url=sidecar.url, auth_token="oauth-token").messages.create(**ASK)
    assert upstream.next_request().headers["authorization"] == "Bearer oauth-token"
    told = post(sidecar, headers={"x-api-key": "sk-wrong"})
    assert told.status_code == 401 and told.json()["error"]["type"] == "authentication_error"
    assert upstream.next_request().headers["x-api-key"] == "sk-wrong"
    assert sidecar.stop() == 0
