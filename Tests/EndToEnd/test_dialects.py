"""Every dialect as the release binary speaks it, and what refusals and settings change."""

import contextlib
import json

import anthropic
import httpx
import pytest

from conftest import Sidecar
from strict import leftovers, violations
from test_recorded import SENT_ON, recording, replay
from upstream import completion

# What a dialect adds to the standard: strict.py knows only what OpenAI takes.
ADDED = {
    "openrouter": {"reasoning"},
    "deepseek": {"thinking"},
    "vllm": {"chat_template_kwargs"},
    "sglang": {"chat_template_kwargs"},
    "llamacpp": {"chat_template_kwargs", "thinking_budget_tokens"},
    "kimi": {"thinking"},
    "glm": {"thinking"},
    "qwen": {"enable_thinking"},
}
PLAIN = ["generic", "openai", "azure", "gemini", "ollama", "lmstudio", "groq", "mistral"]
# And what it does otherwise: ids that a template reads, pictures in results, reasoning sent back.
OTHERWISE = {
    "kimi": "with the id", "llamacpp": "(tool) has a part of type 'image_url'",
    "openrouter": "has ['reasoning']", "vllm": "has ['reasoning']",
}


@contextlib.contextmanager
def start(upstream, **settings):
    sidecar = Sidecar(
        OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY="sk-x", MAX_RETRIES="0", **settings)
    try:
        yield sidecar
    finally:
        assert sidecar.stop() == 0


@pytest.mark.parametrize("dialect", PLAIN + sorted(ADDED))
def test_every_recorded_turn_in_every_dialect(upstream, dialect):
    with start(upstream, DIALECT=dialect) as sidecar:
        for name in SENT_ON:
            recorded = recording(name)
            upstream.then(completion("Good day"))
            answer = replay(sidecar, recorded, {**recorded["body"], "stream": False})
            assert answer.status_code == 200, (name, answer.text)
            body = upstream.next_request().body
            for key in ADDED.get(dialect, ()):
                body.pop(key, None)
            found = [v for v in violations(body) if OTHERWISE.get(dialect, "\0") not in v]
            assert (name, found) == (name, [])
            assert leftovers(body) == set(), name


def ask(sidecar, **members):
    body = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}
    return replay(sidecar, {"method": "POST", "path": "/v1/messages", "headers": {}},
                  {**body, **members})


def refusal(message, status=400, param=None):
    return lambda c: c.json({"error": {"message": message, "param": param}}, status)


def test_settings_of_the_translation_are_obeyed(upstream):
    settings = {
        "DIALECT": "openai", "EXTRA_BODY": '{"provider":{"order":["a"]},"max_tokens":7}',
        "FORWARD_USER": "hash", "SYSTEM_ENTRIES": "fold", "DEFER_LOADING": "include",
        "PREFILL": "reject", "REASONING_REPLAY": "none", "WEB_SEARCH": "drop",
        "MAX_TOKENS_FIELD": "max_tokens",
    }
    with start(upstream, **settings) as sidecar:
        upstream.then(completion())
        answer = ask(
            sidecar, metadata={"user_id": "somebody"},
            tools=[{"name": "a", "defer_loading": True, "input_schema": {"type": "object"}},
                   {"type": "web_search_20250305", "name": "web_search"}],
            messages=[{"role": "user", "content": "hi"}, {"role": "system", "content": "s"}])
        assert answer.status_code == 200
        body = upstream.next_request().body
        assert body["provider"] == {"order": ["a"]} and body["max_tokens"] == 7
        assert body["safety_identifier"].startswith("u_") and "somebody" not in json.dumps(body)
        assert len(body["messages"]) == 1 and "<system-reminder>" in body["messages"][0]["content"]
        assert [t["function"]["name"] for t in body["tools"]] == ["a"]
        prefill = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "{"}]
        answer = ask(sidecar, messages=prefill)
        assert answer.status_code == 400 and "prefill" in answer.json()["error"]["message"]


def test_more_settings_of_the_translation_are_obeyed(upstream):
    settings = {
        "EFFORT_FIELD": "reasoning_effort", "FAST_TIER": "priority", "MODEL_ECHO": "upstream",
        "EXTRA_PASSTHROUGH": "seed", "BIG_MODEL": "gpt-5.6", "DIALECT": "openai",
        "PROMPT_CACHE_BREAKPOINTS": "true", "THINKING_DEFAULT": "off",
    }
    with start(upstream, **settings) as sidecar:
        upstream.then({**completion(), "service_tier": "priority"})
        answer = ask(
            sidecar, model="claude-opus", speed="fast", seed=7,
            system=[{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}])
        body = upstream.next_request().body
        assert body["service_tier"] == "priority" and body["seed"] == 7
        assert body["reasoning_effort"] == "none"
        assert body["messages"][0]["content"] == [
            {"type": "text", "text": "s", "prompt_cache_breakpoint": {"mode": "explicit"}}]
        assert answer.json()["model"] == "gpt-5.6" and answer.json()["usage"]["speed"] == "fast"


def test_strictness_and_forms_of_requests_and_answers_are_set(upstream):
    settings = {
        "STRICT_ANTHROPIC": "true", "STRIP_JSON_FENCES": "true", "SYSTEM_ROLE": "developer",
        "RESERVED_TOOL_NAMES": "python", "INPUT_EXAMPLES": "describe", "REASONING_REPLAY": "turn",
        "BIG_MODEL": "o3", "DIALECT": "openai",
    }
    tool = {"name": "python", "input_schema": {"type": "object"}, "input_examples": [{"code": "1"}]}
    form = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    with start(upstream, **settings) as sidecar:
        upstream.then(completion("```json\n{\"a\": 1}\n```"))
        answer = ask(sidecar, model="claude-opus", system="s", tools=[tool], output_config=form)
        assert answer.json()["content"] == [{"type": "text", "text": '{"a": 1}'}]
        body = upstream.next_request().body
        assert body["messages"][0] == {"role": "developer", "content": "s"}
        function = body["tools"][0]["function"]
        assert function["name"].startswith("python_") and '{"code":"1"}' in function["description"]
        upstream.then(completion())
        for version, status in (("2026-10-21", 400), ("2023-06-01", 200)):
            answer = httpx.post(
                sidecar.url + "/v1/messages", headers={"anthropic-version": version},
                json={"model": "claude-opus", "max_tokens": 9, "top_p": 1,
                      "messages": [{"role": "user", "content": "hi"}]})
            assert answer.status_code == status, answer.text


def filtered(connection):
    connection.json({"error": {
        "message": "The response was filtered: sexual", "code": "content_filter",
        "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, 400)


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_filtered_prompt_can_be_a_refusal(upstream, is_stream):
    members = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}
    with start(upstream) as sidecar:
        upstream.then(filtered)
        with pytest.raises(anthropic.BadRequestError, match="was filtered"):
            sidecar.client().messages.create(**members, stream=is_stream)
    with start(upstream, FILTER_AS_REFUSAL="true") as sidecar:
        upstream.then(filtered)
        client = sidecar.client()
        if is_stream:
            with client.messages.stream(**members) as stream:
                message = stream.get_final_message()
        else:
            message = client.messages.create(**members)
        assert (message.stop_reason, message.content) == ("refusal", [])
        assert "was filtered" in message.stop_details.explanation
        # What else goes wrong stays an error.
        upstream.then(refusal("no such parameter"))
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(**members)


@pytest.mark.parametrize("dialect", ["generic", "openai"])
def test_unknown_headers_and_betas_go_no_further(upstream, dialect):
    with start(upstream, DIALECT=dialect) as sidecar:
        upstream.then(completion())
        headers = {"anthropic-beta": "nobody-knows-2031-01-01,fast-mode-2026-02-01",
                   "anthropic-version": "2031-01-01", "anthropic-nobody-knows": "x"}
        answer = replay(
            sidecar, {"method": "POST", "path": "/v1/messages?beta=true", "headers": headers},
            {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}],
             "betas": ["nobody-knows-2031-01-01"]})
        assert answer.status_code == 200
        request = upstream.next_request()
        assert not [name for name in request.headers if name.startswith("anthropic")]
        assert "nobody-knows" not in str(request.headers) + request.raw.decode()
        assert "beta" not in request.line


def test_a_system_message_in_the_wrong_place_is_folded_and_remembered(upstream):
    messages = [{"role": "user", "content": "hi"}, {"role": "system", "content": "s"}]
    with start(upstream, DIALECT="openai") as sidecar:
        upstream.then(refusal("System message must be at the beginning.", 500))
        upstream.then(completion()).then(completion())
        assert ask(sidecar, messages=messages).status_code == 200
        assert ask(sidecar, messages=messages).status_code == 200
        roles = [[m["role"] for m in upstream.next_request().body["messages"]] for _ in range(3)]
        assert roles == [["user", "system"], ["user"], ["user"]]


def test_tools_without_reasoning_are_the_last_that_is_tried(upstream):
    none = ("Unsupported value: 'none' is not supported with the 'gpt-6-astra' model. "
            "Supported values are: 'low', 'medium', and 'high'.")
    with start(upstream, DIALECT="openai") as sidecar:
        upstream.then(refusal("Function tools with reasoning_effort are not supported for "
                              "gpt-6-astra in /v1/chat/completions."))
        upstream.then(refusal(none, param="reasoning_effort"))
        answer = ask(sidecar, model="gpt-6-astra", tools=[{"name": "f"}],
                     output_config={"effort": "high"})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("Unsupported value: 'none'")
        efforts = [upstream.next_request().body["reasoning_effort"] for _ in range(2)]
        assert efforts == ["high", "none"] and len(upstream.requests) == 2


def test_what_is_lost_and_mended_is_counted(upstream):
    with start(upstream) as sidecar:
        upstream.then({**completion(), "usage": None})
        ask(sidecar, top_k=3, safeguards=[], messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
            {"role": "user", "content": "and?"}])
        metrics = httpx.get(sidecar.url + "/metrics").text
        for line in ('lossy_translations_total{field="top_k"} 1',
                     'lossy_translations_total{field="safeguards"} 1',
                     'repairs_total{kind="usage"} 1', 'repairs_total{kind="orphan_use"} 1'):
            assert "claude_sidecar_" + line in metrics
    with start(upstream, DROP_UNSUPPORTED="strict") as sidecar:
        answer = ask(sidecar, top_k=3)
        assert answer.status_code == 400 and "top_k" in answer.json()["error"]["message"]
