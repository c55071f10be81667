"""Cases of the translation that only a request on the wire shows; Tests/cases.txt has their numbers."""

import httpx
import pytest

from conftest import ASK, Sidecar, UPSTREAM_KEY
from test_dialects import ask, refusal, start
from upstream import completion, text_stream


@pytest.mark.parametrize("base, model, expected", [
    ("/openai/deployments/D", "claude-x", "/openai/deployments/D/chat/completions"),
    ("/openai/deployments/D/", "m", "/openai/deployments/D/chat/completions"),
    ("/openai/deployments/D/chat/completions", "m", "/openai/deployments/D/chat/completions"),
    ("", "claude-opus-4", "/openai/deployments/gpt-5/chat/completions"),
    ("/openai/", "a/../b?c d", "/openai/deployments/a%2F..%2Fb%3Fc%20d/chat/completions"),
])
def test_azures_classic_address_names_the_deployment(upstream, base, model, expected):
    sidecar = Sidecar(
        AZURE_OPENAI_ENDPOINT=f"http://127.0.0.1:{upstream.port}{base}", MAX_RETRIES="0",
        AZURE_OPENAI_API_KEY=UPSTREAM_KEY, AZURE_API_VERSION="2025-01-01",
        MODEL_MAP="claude-*=gpt-5")
    upstream.then(completion())
    assert ask(sidecar, model=model).status_code == 200
    request = upstream.next_request()
    assert request.line == f"POST {expected}?api-version=2025-01-01 HTTP/1.1"
    assert request.headers["api-key"] == UPSTREAM_KEY and "authorization" not in request.headers
    assert "max_completion_tokens" in request.body
    assert sidecar.stop() == 0


@pytest.mark.parametrize("model", [".", ".."])
def test_no_name_of_a_model_leads_to_another_path(upstream, model):
    sidecar = Sidecar(
        AZURE_OPENAI_ENDPOINT=f"http://127.0.0.1:{upstream.port}", MAX_RETRIES="0",
        AZURE_OPENAI_API_KEY=UPSTREAM_KEY, AZURE_API_VERSION="2025-01-01")
    answer = ask(sidecar, model=model)
    assert answer.status_code == 404 and answer.json()["error"]["type"] == "not_found_error"
    assert not upstream.requests
    assert sidecar.stop() == 0


def test_nothing_is_asked_for_nothing(sidecar, upstream):
    answer = ask(sidecar, max_tokens=0).json()
    assert answer["stop_reason"] == "max_tokens" and answer["content"] == []
    assert answer["usage"]["output_tokens"] == 0
    events = ask(sidecar, max_tokens=0, stream=True).text
    assert "message_stop" in events and '"stop_reason":"max_tokens"' in events
    assert not upstream.requests


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21", "2031-01-01", None])
def test_no_version_of_the_api_refuses_sampling(sidecar, upstream, version):
    upstream.then(completion())
    headers = {"anthropic-version": version} if version else {}
    answer = httpx.post(sidecar.url + "/v1/messages", headers=headers, json={
        **ASK, "model": "claude-gpt", "temperature": 0.7, "top_p": 0.9, "top_k": 40})
    assert answer.status_code == 200
    assert upstream.next_request().body["temperature"] == 0.7


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_refused_stop_sequence_is_found_by_ourselves(upstream, is_stream):
    text = "Unsupported parameter: 'stop' is not supported with this model."
    with start(upstream) as sidecar:
        upstream.then(refusal(text, 400, "stop"))
        for _ in range(2):
            words = "3</severity> because"
            upstream.then(text_stream(words) if is_stream else completion(words))
            with sidecar.client().messages.stream(
                    model="m", max_tokens=64, stop_sequences=["</severity>"],
                    messages=ASK["messages"]) if is_stream else Whole(sidecar) as answer:
                message = answer.get_final_message()
            assert message.content[0].text == "3"
            assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "</severity>")
        assert ["stop" in r.body for r in upstream.requests] == [True, False, False]


class Whole:
    """The same question for an answer in one piece."""

    def __init__(self, sidecar):
        self.sidecar = sidecar

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def get_final_message(self):
        return self.sidecar.client().messages.create(
            model="m", max_tokens=64, stop_sequences=["</severity>"], messages=ASK["messages"])


def test_a_refusal_in_the_first_event_is_healed(upstream):
    error = {"error": {"message": "Unsupported parameter: 'top_k'", "code": 400}}
    with start(upstream, DIALECT="vllm") as sidecar:
        upstream.then([error]).then(text_stream("fine"))
        assert "fine" in ask(sidecar, top_k=3, stream=True).text
        upstream.then(error).then(completion("fine"))
        assert ask(sidecar, model="n", top_k=3).status_code == 200
        assert ["top_k" in r.body for r in upstream.requests] == [True, False, True, False]


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_rejected_key_of_ours_is_told_as_that_inside_an_answer_too(sidecar, upstream, is_stream):
    error = {"error": {"message": "no such key", "code": 401}}
    upstream.then([error] if is_stream else error)
    answer = ask(sidecar, stream=is_stream)
    assert answer.status_code == 502 and answer.headers["x-should-retry"] == "false"
    assert "gateway's credential" in answer.json()["error"]["message"]


def test_the_clients_name_for_a_request_goes_on(sidecar, upstream):
    upstream.then(completion())
    httpx.post(sidecar.url + "/v1/messages", json=ASK, headers={"x-request-id": "r-1"})
    assert upstream.next_request().headers["x-request-id"] == "r-1"


def test_a_prompt_behind_the_attribution_line_stays(sidecar, upstream):
    upstream.then(completion())
    ask(sidecar, system="x-anthropic-billing-header: cc_version=1; cch=0a1b2;\n\nBe brief.")
    assert upstream.next_request().body["messages"][0] == {
        "role": "system", "content": "Be brief."}


def test_reasoning_that_a_server_refuses_is_not_the_end(upstream):
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "a"}]},
        {"role": "user", "content": "and?"}]
    detail = {"detail": [{
        "type": "extra_forbidden", "loc": ["body", "messages", 1, "reasoning_content"],
        "msg": "Extra inputs are not permitted", "input": "t"}]}
    with start(upstream) as sidecar:
        upstream.then(lambda c: c.json(detail, 422)).then(completion()).then(completion())
        for _ in range(2):
            assert ask(sidecar, messages=history).status_code == 200
        assert ["reasoning_content" in r.raw.decode() for r in upstream.requests] == [
            True, False, False]


def test_few_bytes_of_schema_hold_nobody_up(sidecar, upstream):
    branches = {f"p{n}": {"$ref": "#/$defs/A"} for n in range(6)}
    node = {"type": "object", "properties": branches}
    upstream.then(completion())
    answer = ask(sidecar, model="gemini-x", tools=[
        {"name": "f", "input_schema": {**node, "$defs": {"A": node}}}])
    assert answer.status_code == 200
    assert len(upstream.next_request().raw) < 10_000
