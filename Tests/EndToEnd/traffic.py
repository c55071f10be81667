"""Traffic of every kind through one sidecar: what dashboards, alerts and metrics are tried on."""

import threading

import httpx

from conftest import ASK, UPSTREAM_KEY, Sidecar, eventually
from upstream import chunk, completion, text_stream, tool_call

MODELS = ["model-a", "model-b", "model-c", "model-d"]
CLIENT_KEY = "key-of-the-client"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

SETTINGS = dict(
    MODEL_MAP=",".join(f"claude-{model[-1]}*={model}" for model in MODELS),
    PROXY_API_KEYS=CLIENT_KEY, OPENAI_API_KEY=UPSTREAM_KEY, ADMIN_PORT="0", ADMIN_HOST="127.0.0.1",
    MAX_REQUEST_BYTES="1MiB", PING_INTERVAL="100ms", UPSTREAM_IDLE_TIMEOUT="400ms",
    COMMIT_AFTER="100ms", MAX_RETRIES="1")


def start(upstream, **settings):
    """A sidecar with four models, impatient, in front of the scripted upstream."""
    return Sidecar(OPENAI_BASE_URL=upstream.url, **{**SETTINGS, **settings})


class Traffic:
    """Asks a sidecar in every way there is; the upstream plays along."""

    def __init__(self, sidecar, upstream):
        self.sidecar, self.upstream = sidecar, upstream
        self.client = httpx.Client(base_url=sidecar.url, timeout=10, headers={
            "x-api-key": CLIENT_KEY, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})

    def ask(self, script, model="model-a", **more):
        if script is not None:
            self.upstream.then(script)
        return self.client.post(
            "/v1/messages", json={**ASK, "model": f"claude-{model[-1]}", **more})

    def all(self):
        for model in MODELS:
            self.good(model)
            self.refused(model)
        self.streams_that_fail()
        self.callers()
        self.small()
        self.conversation()

    def good(self, model):
        self.ask(completion(), model)
        self.ask(text_stream("one", "two", "three"), model, stream=True)
        call = chunk({"tool_calls": [
            tool_call("look", "{}", "a"), tool_call("look", "{}", "b", index=1)]})
        tools = [{"name": "look", "input_schema": {"type": "object"}}]
        self.ask([call, chunk({}, "tool_calls"), "[DONE]"], model, stream=True, tools=tools)
        self.ask([chunk({"tool_calls": [tool_call("look", "{}", "a")]}),
                  chunk({}, "tool_calls"), "[DONE]"], model, stream=True, tools=tools)
        self.ask(completion(finish="length"), model)
        self.ask(completion(finish="content_filter"), model)

    def conversation(self):
        messages = [{"role": "user", "content": "word " * 2000}]
        for _ in range(3):
            self.upstream.then(completion())
            self.client.post("/v1/messages", json={**ASK, "messages": messages},
                             headers={"x-claude-code-session-id": "of-traffic"})
            messages += [{"role": "assistant", "content": "Hello!"},
                         {"role": "user", "content": "Go on."}]

    def refused(self, model):
        for status in (400, 401, 403, 404, 429, 500, 503):
            for stream in (False, True):
                # As often as it likes to be asked again.
                self.upstream.always(lambda c, s=status: c.json({"error": {"message": "no"}}, s))
                self.ask(None, model, stream=stream)
                self.upstream.reset()
        overflow = {"error": {"message": "This model's maximum context length is 10 tokens. "
                              "However, your messages resulted in 20 tokens.",
                              "code": "context_length_exceeded"}}
        self.ask(lambda c: c.json(overflow, 400), model)

    def streams_that_fail(self):
        def cut(connection):
            connection.begin()
            connection.event(chunk({"content": "half"}))
            return "close"

        def silent(connection):
            connection.begin()
            connection.event(chunk({"content": "half"}))
            connection.wait_closed()
            return "close"

        def told(connection):
            connection.begin()
            connection.event(chunk({"content": "half"}))
            # In a piece of its own; before the first one has gone out, it would be tried again.
            connection.request.closed.wait(0.1)
            connection.event({"error": {"message": "broken", "code": 500}})
            connection.end()
        for script in (cut, silent, told):
            self.ask(script, stream=True)
        self.ask(lambda c: c.begin() or c.end(), stream=True)
        self.ask(lambda c: c.json(b"<html>"), stream=False)
        self.leave()

    def leave(self):
        """A client that goes away in the middle of its stream."""
        gone = threading.Event()

        def script(connection):
            connection.begin()
            connection.event(chunk({"content": "word"}))
            connection.wait_closed()
            gone.set()
            return "close"
        self.upstream.then(script)
        with self.client.stream("POST", "/v1/messages", json={
                **ASK, "model": "claude-a", "stream": True}) as answer:
            next(answer.iter_raw())
        assert gone.wait(5)

    def callers(self):
        post = self.client.post
        post("/v1/messages", content=b"not json")
        post("/v1/messages", json=ASK, headers={"x-api-key": "wrong"})
        post("/v1/messages", content=b"x" * (2 << 20))
        orphan = {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "nobody", "content": "x"}]}
        self.ask(completion(), safeguards=[1], messages=ASK["messages"] + [orphan])
        # The upstream does not know a parameter; the request is healed and sent again.
        self.upstream.then(lambda c: c.json({"error": {
            "message": "Unsupported parameter: 'temperature' is not supported with this model.",
            "param": "temperature", "code": "unsupported_parameter"}}, 400))
        self.ask(completion(), temperature=0.5)

    def small(self):
        get = self.client.get
        self.client.post("/v1/messages/count_tokens", json=ASK)
        self.client.post("/v1/messages/count_tokens", content=b"{}")
        for path in ("/v1/models", "/v1/models/model-a", "/v1/models/none", "/", "/nothing",
                     "/v1/messages", "/v1/messages/batches"):
            get(path)
        eventually(lambda: self.scrape_value("claude_sidecar_streams_in_flight 0"))

    def scrape_value(self, line):
        return line in self.scrape().text.splitlines()

    def scrape(self, **headers):
        return httpx.get(f"http://{self.sidecar.addresses['admin']}/metrics", headers=headers)
