"""The list of models: names from the map, and what the upstreams tell of theirs."""

import threading
import time

import httpx
import pytest

from conftest import ASK, Sidecar, eventually
from upstream import Upstream, completion


def listing(*names):
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


@pytest.fixture
def server():
    return Upstream()


@pytest.fixture
def start():
    running = []

    def start(server, **settings):
        url = server if isinstance(server, str) else server.url
        settings = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-models",
                    "MODEL_MAP": "claude-opus-5=big,claude-*haiku*=small", **settings}
        running.append(Sidecar(**settings))
        return running[-1]

    yield start
    assert [sidecar.stop() for sidecar in running] == [0] * len(running)


def names(sidecar, **headers):
    answer = httpx.get(sidecar.url + "/v1/models?limit=1000", headers=headers, timeout=5)
    assert answer.status_code == 200
    body = answer.json()
    ids = [model["id"] for model in body["data"]]
    assert (body["first_id"], body["last_id"]) == (ids[0], ids[-1])
    return ids


OWN = ["claude-opus-5", "big", "small"]


def test_the_upstreams_models_stand_behind_the_maps(start, server):
    server.models = listing("qwen3", "big", "llama-4", "openai/gpt-4o")
    sidecar = start(server, WORKERS="1")
    assert names(sidecar) == OWN + ["llama-4", "openai/gpt-4o", "qwen3"]
    assert names(sidecar) == OWN + ["llama-4", "openai/gpt-4o", "qwen3"]
    asked, = server.model_requests
    assert asked.line == "GET /v1/models HTTP/1.1"
    assert asked.headers["authorization"] == "Bearer sk-models"
    assert "content-length" not in asked.headers
    for name in ("big", "qwen3", "openai%2Fgpt-4o"):
        assert httpx.get(f"{sidecar.url}/v1/models/{name}").status_code == 200
    assert httpx.get(sidecar.url + "/v1/models/none").status_code == 404
    # The handle that has asked posts again.
    server.then(completion("still"))
    assert "still" in httpx.post(sidecar.url + "/v1/messages", json=ASK).text


@pytest.mark.parametrize("answer", [
    lambda c: c.json({"error": {"message": "no"}}, 404), lambda c: c.json(b"<html>"),
    lambda c: c.json({"data": {}}), lambda c: c.json({"data": [{"id": 7}, None, {"id": ""}]}),
    lambda c: c.reset() or "close", lambda c: "close",
    lambda c: c.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{") or "close",
    lambda c: c.send("HTTP/1.1 302 Found\r\nlocation: http://localhost:1/\r\n"
                     "content-length: 0\r\n\r\n")],
    ids=["404", "html", "object", "odd", "reset", "closed", "cut", "redirect"])
def test_without_a_list_only_the_map_is_shown(start, server, answer):
    server.models = answer
    sidecar = start(server)
    assert names(sidecar) == OWN
    assert names(sidecar) == OWN


def test_an_upstream_that_never_answers_holds_up_nobody(start, server):
    server.models = lambda c: c.wait_closed(10) and "close"
    sidecar = start(server, WORKERS="1")
    begin = time.monotonic()
    with httpx.Client(base_url=sidecar.url) as other:
        server.then(completion("meanwhile"))
        seen = []
        waiting = threading.Thread(target=lambda: seen.append(names(sidecar)))
        waiting.start()
        assert eventually(lambda: server.model_requests)
        assert "meanwhile" in other.post("/v1/messages", json=ASK).text
        assert time.monotonic() - begin < 1.5
        waiting.join()
    assert seen == [OWN] and 1.5 < time.monotonic() - begin < 3
    begin = time.monotonic()
    assert names(sidecar) == OWN and time.monotonic() - begin < 1


def test_a_huge_list_is_read_and_an_endless_one_is_not(start, server):
    many = [f"model-{number:04}" for number in range(3000)]
    server.models = {"data": [{"id": name, "description": "x" * 500} for name in many]}
    assert len(names(start(server))) == len(OWN) + 1000
    server.models = lambda c: c.json(b"[" + b" " * (8 << 20))
    assert names(start(server)) == OWN


def test_several_upstreams_tell_of_what_is_asked_of_them(start, server):
    second = Upstream()
    server.models, second.models = listing("a", "b"), listing("b", "c", "d")
    sidecar = start(
        server, OPENAI_BASE_URL="", OPENAI_API_KEY="", UPSTREAMS="one,two",
        UPSTREAM_ONE_BASE_URL=server.url, UPSTREAM_TWO_BASE_URL=second.url,
        UPSTREAM_TWO_MODELS="c", MODEL_MAP="d=a")
    assert names(sidecar) == ["d", "a", "b", "c"]


def test_every_client_with_a_key_of_its_own_gets_a_list_of_its_own(start, server):
    server.models = lambda c: c.json(listing(c.request.headers["authorization"][7:]))
    sidecar = start(server, OPENAI_API_KEY="", UPSTREAM_AUTH="passthrough", MODEL_MAP="x=y")
    assert names(sidecar, **{"x-api-key": "mine"}) == ["x", "y", "mine"]
    assert names(sidecar, **{"x-api-key": "yours"}) == ["x", "y", "yours"]


def test_a_list_of_the_operators_is_all(start, server):
    server.models = listing("qwen3")
    assert names(start(server, MODELS="claude-a,claude-b")) == ["claude-a", "claude-b"]
    assert not server.model_requests
