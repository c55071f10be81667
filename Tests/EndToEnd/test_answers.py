"""Answers of upstreams as the official SDK reads them, and errors as it tells them."""

import json
import pathlib
import time

import anthropic
import httpx
import pytest
from upstream import USAGE, chunk, completion

FIXTURES = pathlib.Path(__file__).parent.parent / "TranslationTests/Fixtures/stream"
ASK = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}


def options(plan):
    """What a client asks for whose request has that plan."""
    asked = {}
    if "stop" in plan:
        asked["stop_sequences"] = plan["stop"]
    if plan.get("parallel") is False:
        asked["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
    if "thinking" in plan:
        display = "omitted" if plan["thinking"] == "omitted" else "summarized"
        asked["thinking"] = {"type": "adaptive", "display": display}
    return asked


@pytest.mark.parametrize("case", sorted(path.name for path in FIXTURES.iterdir()))
def test_the_sdk_reads_every_stream(client, upstream, case):
    folder = FIXTURES / case
    events = (folder / "events.txt").read_text().splitlines()
    plan = folder / "plan.json"
    asked = options(json.loads(plan.read_text())) if plan.exists() else {}

    def script(connection):
        connection.begin()
        connection.raw((folder / "stream.txt").read_bytes())
        connection.end()
    upstream.then(script)

    def read():
        with client.messages.stream(**ASK, extra_body=asked) as stream:
            return stream.get_final_message()
    if events[-1] != "message_stop":
        with pytest.raises(anthropic.APIStatusError) as raised:
            read()
        kind = events[-1].split()[-1]
        assert raised.value.body["error"]["type"] == kind
        return
    message = read()
    assert message.usage.output_tokens >= 1
    if not plan.exists():
        kinds = [line.split()[2] for line in events if line.startswith("start ")]
        assert [block.type for block in message.content] == kinds
        assert message.stop_reason == events[-2].split()[1]


def test_usage_comes_late(client, upstream):
    def script(connection):
        connection.begin()
        connection.event(chunk({"content": "a"}))
        connection.event(chunk({}, "stop"))
        time.sleep(1)
        connection.event(chunk(usage=USAGE))
        connection.end()
    upstream.then(script)
    with client.messages.stream(**ASK) as stream:
        ends = [event for event in stream if event.type == "message_delta"]
    assert len(ends) == 1 and ends[0].usage.output_tokens == 5


@pytest.mark.parametrize("has_usage", [True, False])
def test_an_upstream_that_stays_open_behind_the_end(client, upstream, has_usage):
    def script(connection):
        connection.begin()
        connection.event(chunk({"content": "a"}))
        connection.event(chunk({}, "stop", USAGE if has_usage else None))
        assert connection.wait_closed(20)
    upstream.then(script)
    start = time.monotonic()
    with client.messages.stream(**ASK) as stream:
        assert stream.get_final_message().stop_reason == "end_turn"
    assert time.monotonic() - start < (1 if has_usage else 8)
    assert upstream.next_request().closed.wait(5)


def refusal(text, status=400):
    return lambda connection: connection.json({"error": {"message": text}}, status)


def test_an_answer_that_does_not_fit_is_asked_for_again_shorter(sidecar, upstream):
    text = ("This model's maximum context length is 131072 tokens. However, you requested 163072 "
            "tokens (35072 in the messages, 128000 in the completion).")
    ask = {**ASK, "model": "narrow", "max_tokens": 128000}
    upstream.then(refusal(text)).then(completion("fits"))
    assert httpx.post(sidecar.url + "/v1/messages", json=ask).json()["content"][0]["text"] == "fits"
    limits = [upstream.next_request().body["max_tokens"] for _ in range(2)]
    assert limits == [128000, 131072 - 35072 - 64]
    # It was about that prompt: the next one may have more room.
    upstream.then(refusal(text)).then(refusal(text))
    answer = httpx.post(sidecar.url + "/v1/messages", json=ask)
    assert upstream.next_request().body["max_tokens"] == 128000
    assert answer.status_code == 400 and answer.json()["error"]["message"].startswith(
        "input length and `max_tokens` exceed context limit: 35072 + 128000 > 131072, "
        "decrease input length or `max_tokens` and try again")


KINDS = {"invalid_request_error", "authentication_error", "billing_error", "permission_error",
         "not_found_error", "conflict_error", "request_too_large", "rate_limit_error",
         "timeout_error", "api_error", "overloaded_error"}


@pytest.mark.parametrize("body", [
    b"", b"{}", b"null", b"[]", b"<html>bad</html>", b'{"error":"x"}', b'{"detail":[{"msg":"x"}]}',
    b'[{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}]', b"\xff\xfe{"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 498, 500, 502,
                                    503, 504, 520, 524, 529, 302])
def test_every_error_has_one_shape(sidecar, upstream, status, body):
    upstream.then(lambda connection: connection.json(body, status))
    answer = httpx.post(sidecar.url + "/v1/messages", json=ASK)
    told = answer.json()
    assert answer.status_code >= 400 and answer.headers["content-type"] == "application/json"
    assert told["type"] == "error" and told["error"]["type"] in KINDS and told["error"]["message"]
    assert told["request_id"] == answer.headers["request-id"]


def test_batches_are_told_to_be_missing(client):
    request = {"custom_id": "a", "params": ASK}
    for call in (lambda: client.messages.batches.create(requests=[request]),
                 lambda: client.messages.batches.retrieve("msgbatch_1"),
                 lambda: client.messages.batches.list()):
        with pytest.raises(anthropic.NotFoundError, match="message batches are not supported"):
            call()


def test_files_skills_and_old_completions_are_told_to_be_missing(sidecar):
    for path in ("/v1/files", "/v1/files/f_1/content", "/v1/skills", "/v1/complete",
                 "/v1/organizations/me", "/v1/environments", "/api/claude_code/settings",
                 "/api/claude_cli/bootstrap", "/api/oauth/profile"):
        for method in ("GET", "POST"):
            answer = httpx.request(method, sidecar.url + path)
            assert answer.status_code == 404, path
            assert answer.json()["error"]["message"] == f"Not found: {method} {path}"
