"""One line a request, at the weight that it has; nothing of probes and scrapes."""

import json
import re

import httpx
import pytest

from conftest import ASK, Sidecar
from upstream import completion


def post(sidecar, **more):
    return httpx.post(sidecar.url + "/v1/messages", json={**ASK, **more})


def test_a_mistake_of_the_client_is_no_error_of_ours(sidecar, upstream):
    line = sidecar.log_of(post(sidecar, max_tokens=-1).headers["request-id"])
    assert (line["level"], line["status"], line["error"]) == ("info", 400, "caller_invalid")
    assert line["outcome"] == "error" and not upstream.requests


def test_a_failure_of_the_upstream_is_a_warning(sidecar, upstream):
    upstream.then(lambda c: c.json({"error": {"message": "no"}}, 401, [("x-request-id", "up-1")]))
    line = sidecar.log_of(post(sidecar).headers["request-id"])
    assert (line["level"], line["error"], line["upstream_status"]) == ("warn", "upstream_auth", 401)
    assert line["upstream_request_id"] == "up-1"


def test_an_answer_tells_what_it_cost(sidecar, upstream):
    upstream.then(completion())
    line = sidecar.log_of(post(sidecar).headers["request-id"])
    assert line["level"] == "info" and line["outcome"] == "completed"
    assert 0 < line["overhead_ms"] <= line["duration_ms"]
    assert (line["input_tokens"], line["cache_read_tokens"], line["output_tokens"]) == (6, 4, 5)


def test_a_session_of_claude_code_is_found_again(sidecar, upstream):
    for headers, session in (({"x-claude-code-session-id": "s" * 100}, "s" * 64), ({}, None)):
        upstream.then(completion())
        answer = httpx.post(sidecar.url + "/v1/messages", json=ASK, headers=headers)
        assert sidecar.log_of(answer.headers["request-id"]).get("session_id") == session


def test_probes_and_scrapes_are_not_logged(sidecar, upstream):
    before = len(sidecar.lines)
    for path in ("/livez", "/readyz", "/healthz", "/startupz", "/metrics"):
        httpx.get(sidecar.url + path)
        httpx.get("http://" + sidecar.addresses["admin"] + path)
    upstream.then(completion())
    last = post(sidecar).headers["request-id"]
    sidecar.log_of(last)
    assert [json.loads(line)["request_id"] for line in sidecar.lines[before:]] == [last]


@pytest.mark.parametrize("level, shown", [
    ("info", ["caller_invalid", "upstream_auth"]), ("warn", ["upstream_auth"]), ("error", [])])
def test_the_level_decides_what_is_written(upstream, level, shown):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, LOG_LEVEL=level)
    post(sidecar, max_tokens=-1)
    upstream.then(lambda c: c.json({"error": {"message": "no"}}, 401))
    post(sidecar)
    assert sidecar.stop() == 0
    lines = [json.loads(line) for line in sidecar.lines]
    assert [line["error"] for line in lines if "error" in line] == shown
    messages = [line["msg"] for line in lines if line["msg"] not in ("request", "listening")]
    assert messages == (["starting", "draining", "stopped"] if level == "info" else [])


def test_text_is_for_a_person(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, LOG_FORMAT="text", MODEL_MAP="*=gpt x")
    upstream.then(completion())
    post(sidecar)
    assert sidecar.stop() == 0
    line = next(line for line in sidecar.lines if " request " in line)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info request request_id=req_", line)
    assert ' upstream_model="gpt x" ' in line and " status=200 " in line
