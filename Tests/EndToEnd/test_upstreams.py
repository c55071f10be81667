"""Several upstreams: who is asked, who is asked next, and who is left alone for a while."""

import json
import socket

import httpx
import pytest

from conftest import ASK, Sidecar, eventually
from upstream import Upstream, chunk, completion, text_stream

STREAM = {**ASK, "stream": True}
BODIES = pytest.mark.parametrize("body", [ASK, STREAM], ids=["json", "stream"])


@pytest.fixture(scope="module")
def servers():
    return Upstream(), Upstream()


@pytest.fixture
def first(servers):
    servers[0].reset()
    return servers[0]


@pytest.fixture
def second(servers):
    servers[1].reset()
    return servers[1]


def sidecar_for(first, second, **settings):
    return Sidecar(
        UPSTREAMS="first,second", UPSTREAM_FIRST_BASE_URL=getattr(first, "url", first),
        UPSTREAM_FIRST_API_KEY="sk-first-key", UPSTREAM_SECOND_BASE_URL=second.url,
        UPSTREAM_SECOND_API_KEY="sk-second-key", ADMIN_PORT="0", ADMIN_HOST="127.0.0.1",
        **{"MAX_RETRIES": "0", "WORKERS": "1", **settings})


@pytest.fixture
def both(first, second):
    sidecar = sidecar_for(first, second)
    yield sidecar
    assert sidecar.stop() == 0


def post(sidecar, body=ASK):
    return httpx.post(sidecar.url + "/v1/messages", json=body, timeout=30)


def answer_to(body, word):
    return text_stream(word) if body.get("stream") else completion(word)


def status(number, headers=()):
    return lambda c: c.json({"error": {"message": "a bad moment"}}, number, headers)


def cut(connection):
    connection.reset()
    return "close"


def page(sidecar):
    url = "http://" + sidecar.addresses["admin"]
    upstreams = httpx.get(url + "/debug/upstreams").json()["upstreams"]
    return {upstream["name"]: upstream for upstream in upstreams}


@BODIES
@pytest.mark.parametrize("failure", [
    status(429), status(500), status(503), status(529), cut], ids=["429", "500", "503", "529", "cut"])
def test_the_next_one_is_asked(both, first, second, body, failure):
    first.then(failure)
    second.then(answer_to(body, "elsewhere"))
    answer = post(both, body)
    assert answer.status_code == 200 and "elsewhere" in answer.text
    assert first.requests[0].headers["authorization"] == "Bearer sk-first-key"
    assert second.requests[0].headers["authorization"] == "Bearer sk-second-key"
    log = both.log_of(answer.headers["request-id"])
    assert log["upstream_name"] == "second" and log["retries"] == 1
    metrics = httpx.get(both.url + "/metrics").text
    assert 'upstream_retries_total{reason="failover"} 1' in metrics
    assert 'claude_sidecar_upstream_breaker{upstream="first",state="closed"} 1' in metrics


def test_nobody_else_is_asked_for_what_the_client_did_wrong(both, first, second):
    first.then(status(400))
    assert post(both).status_code == 400
    assert second.requests == []


def test_nobody_else_is_asked_once_the_client_has_seen_a_byte(both, first, second):
    def script(connection):
        connection.begin()
        connection.event(chunk({"role": "assistant", "content": "half"}))
        return cut(connection)
    first.then(script)
    answer = post(both, STREAM)
    assert "half" in answer.text and "event: error" in answer.text
    assert second.requests == []


def test_retries_come_before_the_next_one_and_the_last_failure_is_told(first, second):
    sidecar = sidecar_for(first, second, MAX_RETRIES="1")
    first.then(status(503)).then(status(503))
    second.then(status(429, [("retry-after", "7")]))
    told = post(sidecar)
    assert told.status_code == 429 and told.headers["retry-after"] == "7"
    assert len(first.requests) == 2 and len(second.requests) == 1
    assert sidecar.stop() == 0


def test_whoever_asks_for_patience_is_left_at_once(first, second):
    sidecar = sidecar_for(first, second, MAX_RETRIES="2")
    first.then(status(429, [("retry-after", "20")]))
    second.then(completion("at once"))
    assert "at once" in post(sidecar).text
    assert sidecar.stop() == 0


def test_a_breaker_opens_tries_again_with_one_request_and_closes(second):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sidecar = sidecar_for(f"http://127.0.0.1:{port}/v1", second)
    second.always(completion("well"))
    with httpx.Client(timeout=30) as client:
        def ask():
            answer = client.post(sidecar.url + "/v1/messages", json=ASK)
            assert answer.status_code == 200
            return sidecar.log_of(answer.headers["request-id"])
        for _ in range(5):
            assert ask()["retries"] == 1
        assert page(sidecar)["first"]["breaker"]["state"] == "open"
        assert page(sidecar)["first"]["reached"] is False
        assert "retries" not in ask()  # nobody looks at the first one
        metrics = httpx.get(sidecar.url + "/metrics").text
        assert 'claude_sidecar_upstream_up{upstream="first"} 0' in metrics
        assert 'claude_sidecar_upstream_breaker{upstream="first",state="open"} 1' in metrics
        first = Upstream(port)
        first.always(completion("back"))
        assert eventually(lambda: ask()["upstream_name"] == "first")
        assert page(sidecar)["first"]["breaker"] == {"state": "closed", "failures": 0}
        assert page(sidecar)["first"]["reached"] is True
    assert sidecar.stop() == 0


def test_when_all_are_down_the_first_is_asked_all_the_same(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY="k", MAX_RETRIES="2")
    for _ in range(6):
        upstream.then(status(503, [("x-should-retry", "false")]))
    for _ in range(5):
        assert post(sidecar).status_code == 529
    upstream.then(completion("well again"))
    # Open: asked once, without retries; its answer closes the breaker.
    assert post(sidecar).status_code == 529
    assert "well again" in post(sidecar).text
    assert len(upstream.requests) == 7
    assert sidecar.stop() == 0


def test_the_map_names_the_upstream_and_lists_serve_by_name(first, second):
    sidecar = sidecar_for(
        first, second, MODEL_MAP="claude-opus*=second/big", UPSTREAM_FIRST_MODELS="claude-haiku*",
        UPSTREAM_FIRST_MODEL_MAP="claude-haiku*=small", UPSTREAM_SECOND_MODELS="big")
    second.then(completion("opus"))
    assert "opus" in post(sidecar, {**ASK, "model": "claude-opus-4"}).text
    assert second.requests[0].body["model"] == "big"
    first.then(completion("haiku"))
    assert "haiku" in post(sidecar, {**ASK, "model": "claude-haiku-4"}).text
    assert first.requests[0].body["model"] == "small"
    told = post(sidecar, {**ASK, "model": "claude-sonnet-4"})
    assert told.status_code == 404 and told.json()["error"]["type"] == "not_found_error"
    listed = httpx.get(sidecar.url + "/v1/models").json()["data"]
    assert {"small", "big"} <= {model["id"] for model in listed}
    assert sidecar.stop() == 0


def test_what_was_learned_is_shown_with_its_time(both, first, second):
    first.then(lambda c: c.json(
        {"error": {"message": "Unsupported parameter: 'stop' is not supported with this model.",
                   "param": "stop"}}, 400))
    first.then(completion("healed"))
    assert "healed" in post(both, {**ASK, "stop_sequences": ["x"]}).text
    learned = page(both)["first"]["learned"]
    assert [(entry["model"], entry["quirks"]) for entry in learned] == [("claude-x", ["noStop"])]
    assert 3590 < learned[0]["remaining_seconds"] <= 3600
    assert page(both)["second"]["learned"] == []
    assert page(both)["first"]["retry_budget"] == 10
    assert "sk-" not in json.dumps(page(both))


def test_a_model_that_reasons_unasked_gets_room_for_it(both, first):
    ask = {**ASK, "max_tokens": 64, "thinking": {"type": "disabled"}}
    starved = completion("", "length")
    starved["choices"][0]["message"]["reasoning_content"] = "Let me see"
    first.then(starved)
    empty = post(both, ask).json()
    assert empty["stop_reason"] == "max_tokens" and empty["content"][0]["text"] == ""
    assert page(both)["first"]["learned"][0]["quirks"] == ["reasoningHeadroom"]
    metrics = httpx.get("http://" + both.addresses["admin"] + "/metrics").text
    assert 'claude_sidecar_learned_quirks{quirk="reasoningHeadroom"} 1' in metrics
    first.then(completion("<block>no"))
    assert post(both, ask).json()["content"][0]["text"] == "<block>no"
    first.then(text_stream(*[" word"] * 500))
    cut = post(both, {**ask, "stream": True}).text
    assert 64 <= cut.count(" word") <= 80 and '"stop_reason":"max_tokens"' in cut
    assert [request.body["max_tokens"] for request in first.requests] == [64, 2112, 2112]
