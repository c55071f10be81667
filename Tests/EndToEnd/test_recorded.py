"""Requests that real clients sent, replayed: each must pass as a strict server would read it."""

import json
import pathlib

import httpx
import pytest

from strict import leftovers, text_of, violations
from upstream import completion, text_stream

FOLDER = pathlib.Path(__file__).parent / "fixtures"
OWN_HEADERS = {"host", "content-length", "connection", "accept-encoding"}

# Answered by the sidecar itself: a refusal that these clients know what to do with.
REFUSED = {
    "sdk_tool_runner_thread_create": "thread",
    "sdk_tool_runner_thread_continue": "thread",
    "websearch_server_tool": "web_search",
}


def recording(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
TURNS = [name for name in NAMES if recording(name)["path"].split("?")[0] == "/v1/messages"]
SENT_ON = [name for name in TURNS if name not in REFUSED]


def replay(sidecar, recorded, body=None):
    headers = {k: v for k, v in recorded["headers"].items() if k.lower() not in OWN_HEADERS}
    body = recorded["body"] if body is None else body
    content = None
    if body is not None:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return httpx.request(
        recorded["method"], sidecar.url + recorded["path"], headers=headers, content=content)


def translated(sidecar, upstream, name, is_stream):
    """What reaches the upstream when a recorded turn is sent; checks the answer on the way."""
    recorded = recording(name)
    body = {**recorded["body"], "stream": is_stream}
    upstream.then(text_stream("Good ", "day") if is_stream else completion("Good day"))
    answer = replay(sidecar, recorded, body)
    assert answer.status_code == 200
    if is_stream:
        assert answer.text.startswith("event: message_start\n")
        assert answer.text.endswith('event: message_stop\ndata: {"type":"message_stop"}\n\n')
    else:
        assert answer.json()["content"][-1]["text"] == "Good day"
        assert answer.json()["model"] == body["model"]
    return upstream.next_request()


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "json"])
@pytest.mark.parametrize("name", SENT_ON)
def test_a_recorded_turn_is_what_a_strict_server_accepts(sidecar, upstream, name, is_stream):
    request = translated(sidecar, upstream, name, is_stream)
    assert violations(request.body) == []
    assert leftovers(request.body) == set()
    assert b"billing-header" not in request.raw
    assert "anthropic-beta" not in request.headers and "x-api-key" not in request.headers
    assert [m["role"] for m in request.body["messages"]].count("system") <= 1


@pytest.mark.parametrize("name", SENT_ON)
def test_streaming_changes_nothing_but_the_stream_keys(sidecar, upstream, name):
    streamed = translated(sidecar, upstream, name, True).body
    whole = translated(sidecar, upstream, name, False).body
    assert streamed.pop("stream") is True
    assert streamed.pop("stream_options") == {"include_usage": True}
    assert whole.pop("stream", False) is False
    assert list(streamed.items()) == list(whole.items())


def test_the_next_turn_begins_with_the_bytes_of_the_one_before(sidecar, upstream):
    # An upstream's prefix cache holds only if nothing before the new turn has changed.
    first = translated(sidecar, upstream, "first_turn", True).raw
    second = translated(sidecar, upstream, "followup_tool_result", True).raw
    messages = first[first.index(b'"messages":'):]
    common = messages[:messages.index(b'}],"')]
    assert len(common) > 5_000
    assert common in second


def test_the_words_of_a_turn_arrive(sidecar, upstream):
    recorded = recording("parallel_tool_results")["body"]
    sent = translated(sidecar, upstream, "parallel_tool_results", False).body["messages"]
    results = [b for m in recorded["messages"] if isinstance(m["content"], list)
               for b in m["content"] if b["type"] == "tool_result"]
    told = {m["tool_call_id"]: text_of(m) for m in sent if m["role"] == "tool"}
    assert len(results) == len(told) == 4
    for result in results:
        text = result["content"]
        if isinstance(text, list):
            text = "\n".join(block["text"] for block in text)
        assert text in told[result["tool_use_id"]]


def test_an_image_of_a_tool_result_is_shown(sidecar, upstream):
    sent = translated(sidecar, upstream, "image_tool_result", True).body["messages"]
    parts = [p for m in sent if isinstance(m["content"], list) for p in m["content"]]
    assert [p["image_url"]["url"][:15] for p in parts if p["type"] == "image_url"] == [
        "data:image/png;"]


def test_tools_that_a_search_found_are_offered_after_the_others(sidecar, upstream):
    recorded = recording("toolsearch_used")["body"]
    offered = [t["function"]["name"]
               for t in translated(sidecar, upstream, "toolsearch_used", True).body["tools"]]
    deferred = [t["name"] for t in recorded["tools"] if t.get("defer_loading")]
    found = {name for name in deferred if name != "DeferredToolPlaceholder"}
    assert found and set(offered[-len(found):]) == found
    assert "DeferredToolPlaceholder" not in offered


@pytest.mark.parametrize("name, words", sorted(REFUSED.items()))
def test_what_only_the_real_service_can_do_is_refused(sidecar, upstream, name, words):
    answer = replay(sidecar, recording(name))
    assert answer.status_code == 400 and words in answer.json()["error"]["message"]
    assert not upstream.requests


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(TURNS)))
def test_small_requests_are_answered_without_the_upstream(sidecar, upstream, name):
    recorded = recording(name)
    answer = replay(sidecar, recorded)
    assert answer.status_code == 200
    if recorded["path"].startswith("/v1/messages/count_tokens"):
        assert answer.json()["input_tokens"] >= 1
    if recorded["path"].startswith("/v1/models"):
        assert answer.json()["data"]
    assert not upstream.requests
