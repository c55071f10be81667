"""Bad input, small endpoints, keys, metrics, logs."""

import json
import os
import re
import socket
import subprocess

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import ASK, BINARY, Sidecar, read_all
from upstream import completion, text_stream


def post(body, *headers, path="/v1/messages"):
    body = body if isinstance(body, bytes) else body.encode()
    lines = "".join(h + "\r\n" for h in headers)
    return (f"POST {path} HTTP/1.1\r\nhost: x\r\n{lines}content-length: {len(body)}\r\n\r\n"
            ).encode() + body


def shape(answer):
    """Status, body and headers of a raw answer; checks Anthropic's error shape."""
    head, body = answer.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    parsed = json.loads(body[:int(headers["content-length"])])
    assert parsed["type"] == "error" and parsed["error"]["message"]
    assert parsed["request_id"] == headers["request-id"]
    return int(lines[0].split()[1]), parsed["error"]["type"]


BAD_BODIES = [
    ("not json", "not valid JSON"), ("", "not valid JSON"), ("[]", "not a JSON object"),
    ('{"messages":[]}', "model"), ('{"model":"m"}', "messages"),
    ('{"model":"m","messages":[]}', "at least one message"),
    ('{"model":1,"messages":[{"role":"user","content":"x"}]}', "model"),
    ('{"model":"m","messages":{}}', "messages"),
    ('{"model":"m","messages":[1]}', "messages.0"),
    ('{"model":"m","messages":[{"role":"robot","content":"x"}]}', "messages.0.role"),
    ('{"model":"m","max_tokens":-1,"messages":[{"role":"user","content":"x"}]}', "max_tokens"),
    ('{"model":"m","messages":[{"role":"user","content":"\x01"}]}', "not valid JSON"),
    ('{"model":"m","mcp_servers":[{}],"messages":[{"role":"user","content":"x"}]}', "mcp_servers"),
    ('{"model":"m","container":"c","messages":[{"role":"user","content":"x"}]}', "container"),
    ("[" * 600, "nested deeper"),
]


@pytest.mark.parametrize("body, words", BAD_BODIES)
def test_a_bad_body_is_refused_and_the_connection_stays_good(sidecar, upstream, body, words):
    good = post(json.dumps(ASK), "connection: close")
    upstream.then(completion())
    answer = sidecar.raw(post(body) + good)
    first, rest = answer.split(b"HTTP/1.1 200", 1)
    assert shape(first) == (400, "invalid_request_error")
    assert words.encode() in first
    assert len(upstream.requests) == 1


NO_REQUESTS = [
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\n\r\n", 413),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length : 2\r\n\r\n{}", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", 501),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n", 501),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n+2\r\n{}\r\n", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2;%s\r\n" % (b"a" * 300), 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n%s"
     % (b"a: %s\r\n" % (b"b" * 1000) * 9), 431),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nexpect: x\r\n\r\n", 417),
    (b"POST /v1/messages HTTP/1.1\r\n\r\n", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n", 400),
    (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\na: \0\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nhost: x\n\n", 400),
    (b"GET /\r HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    (b"G(T / HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    (b"GARBAGE\r\n\r\n", 400),
    (b"GET /\r\n", 400),
    (b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n", 501),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (b"GET /%s HTTP/1.1\r\nhost: x\r\n\r\n" % (b"a" * 9000), 414),
    (b"GET / HTTP/1.1\r\nhost: x\r\n%s\r\n" % (b"x: y\r\n" * 200), 431),
    (b"GET / HTTP/1.1\r\nhost: x\r\nx: %s\r\n\r\n" % (b"y" * 70_000), 431),
]


def send_in_pieces(port, pieces):
    """The whole answer to pieces that go out one by one, as far as they are still taken."""
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                sock.sendall(piece)
        except OSError:
            pass
        return read_all(sock)


@pytest.mark.parametrize("data, status", NO_REQUESTS)
def test_what_is_no_request_gets_its_status_however_it_is_split(sidecar, upstream, data, status):
    middle = len(data) // 2
    splits = [[data], [data[:middle], data[middle:]],
              # Byte by byte, at least from where it goes wrong.
              [data[:-3000], *(data[at:at + 1] for at in range(max(0, len(data) - 3000), len(data)))]]
    for pieces in splits:
        code, _ = shape(send_in_pieces(sidecar.port, [piece for piece in pieces if piece]))
        assert code == status
    assert not upstream.requests


def test_a_chunked_body_is_read(sidecar, upstream):
    upstream.then(completion())
    body = json.dumps(ASK).encode()
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:10], body[10:]))
    answer = sidecar.raw(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                         b"transfer-encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert upstream.next_request().body["messages"] == ASK["messages"]


def test_expect_continue_is_answered(sidecar, upstream):
    upstream.then(completion())
    body = json.dumps(ASK).encode()
    with socket.create_connection(("127.0.0.1", sidecar.port), 5) as sock:
        sock.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
                     b"content-length: %d\r\n\r\n" % len(body))
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_body_that_stops_half_way_sends_nothing_upstream(sidecar, upstream):
    with socket.create_connection(("127.0.0.1", sidecar.port), 5) as sock:
        sock.sendall(b'POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"mod')
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(100) == b""
    assert not upstream.requests


def test_pipelined_requests_are_answered_in_order(sidecar, upstream):
    upstream.then(completion("one")).then(completion("two"))
    answer = sidecar.raw(post(json.dumps(ASK)) + post(json.dumps(ASK), "connection: close"))
    assert answer.index(b'"one"') < answer.index(b'"two"')


def test_small_endpoints(sidecar):
    get = lambda path, method="GET": httpx.request(method, sidecar.url + path)
    assert get("/", "HEAD").status_code == 200
    assert get("/api/hello", "HEAD").status_code == 200
    assert get("/api/hello").json() == {"message": "hello"}
    for path in ("/healthz", "/livez", "/readyz"):
        assert get(path).status_code == 200
    for path in ("/nothing", "/v1/files", "/v1/messages/batches"):
        answer = get(path)
        assert answer.status_code == 404 and answer.json()["error"]["type"] == "not_found_error"
        assert answer.json()["request_id"] == answer.headers["request-id"]
    for path, method, allow in (("/v1/messages", "GET", "POST"), ("/v1/models", "PUT", "GET, HEAD")):
        answer = get(path, method)
        assert answer.status_code == 405 and answer.headers["allow"] == allow
    assert get("/v1/models?limit=1000").json()["has_more"] is False


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/", "/anthropic/v1/messages",
                                  "/messages", "/v1/v1/messages", "/v1/messages?beta=true"])
def test_every_spelling_of_the_path(sidecar, upstream, path):
    upstream.then(completion())
    assert httpx.post(sidecar.url + path, json=ASK).status_code == 200


def test_metrics_add_up_on_both_listeners(sidecar, upstream, client):
    def totals(port):
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        return {(s.name, tuple(sorted(s.labels.items()))): s.value
                for family in text_string_to_metric_families(text) for s in family.samples}
    admin = int(sidecar.addresses["admin"].rsplit(":", 1)[1])
    before = totals(admin)
    upstream.then(completion()).then(text_stream("a", "b"))
    client.messages.create(**ASK)
    with client.messages.stream(**ASK) as stream:
        stream.get_final_message()
    after = totals(sidecar.port)

    def grew(name, **labels):
        key = ("claude_sidecar_" + name, tuple(sorted(labels.items())))
        return after.get(key, 0) - before.get(key, 0)
    assert grew("requests_total", route="messages", code="200", stream="false", model="gpt-x") == 1
    assert grew("requests_total", route="messages", code="200", stream="true", model="gpt-x") == 1
    assert grew("tokens_total", type="input", model="gpt-x") == 12
    assert grew("tokens_total", type="cache_read", model="gpt-x") == 8
    assert grew("tokens_total", type="output", model="gpt-x") == 10
    assert grew("stream_outcomes_total", outcome="completed") == 1
    assert grew("time_to_first_token_seconds_count", model="gpt-x") == 1
    assert after[("claude_sidecar_requests_in_flight", (("route", "messages"),))] == 0
    assert after[("claude_sidecar_streams_in_flight", ())] == 0
    assert any(name == "claude_sidecar_build_info" for name, _ in after)
    assert after[("process_resident_memory_bytes", ())] > 1 << 20


def test_one_log_line_without_secrets(sidecar, upstream):
    upstream.then(completion("PLANTED-ANSWER"))
    body = {**ASK, "messages": [{"role": "user", "content": "PLANTED-PROMPT"}]}
    answer = httpx.post(sidecar.url + "/v1/messages", json=body, headers={"x-api-key": "PLANTED-KEY"})
    line = sidecar.log_of(answer.headers["request-id"])
    assert line["route"] == "messages" and line["status"] == 200 and line["stream"] is False
    assert (line["model"], line["upstream_model"]) == ("claude-x", "gpt-x")
    assert line["output_tokens"] == 5 and line["stop_reason"] == "end_turn"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
    sent = upstream.next_request()
    assert "PLANTED-KEY" not in str(sent.headers)
    everything = "".join(sidecar.lines) + httpx.get(sidecar.url + "/metrics").text
    assert "PLANTED" not in everything and "planted" not in everything


def test_client_keys(upstream, tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text("sk-from-file\n")
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY_FILE=str(key_file),
                      PROXY_API_KEYS="k-one,k-two")
    def ask(**headers):
        upstream.then(completion())
        answer = httpx.post(sidecar.url + "/v1/messages", json=ASK, headers=headers)
        if answer.status_code != 200:
            upstream.scripts.get_nowait()
        return answer
    assert ask(**{"x-api-key": "k-one"}).status_code == 200
    assert upstream.next_request().headers["authorization"] == "Bearer sk-from-file"
    assert ask(authorization="Bearer k-two").status_code == 200
    assert ask(**{"x-api-key": "wrong", "authorization": "Bearer k-two"}).status_code == 200
    for headers in ({}, {"x-api-key": "k-on"}, {"authorization": "Bearer k-one2"}):
        refused = ask(**headers)
        assert refused.status_code == 401
        assert refused.json()["error"]["type"] == "authentication_error"
        assert refused.headers["x-should-retry"] == "false"
    assert httpx.get(sidecar.url + "/healthz").status_code == 200
    assert sidecar.stop() == 0


def run(*arguments, **settings):
    return subprocess.run([BINARY, *arguments], env={"PATH": os.environ["PATH"], **settings},
                          capture_output=True, text=True, timeout=20)


def test_bad_settings_stop_the_start_with_all_mistakes():
    done = run(PORT="no", PING_INTERVAL="soon", DIALECT="klingon", OPENAI_API_KEY="sk-secret")
    assert done.returncode == 78
    assert all(name in done.stderr for name in ("PORT", "PING_INTERVAL", "DIALECT"))
    assert "sk-secret" not in done.stderr


def test_commands():
    assert run("--version").stdout.startswith("claude-sidecar ")
    assert "OPENAI_BASE_URL" in run("--help").stdout
    assert run("nonsense").returncode == 2
    check = run("check", OPENAI_API_KEY="sk-secret", OPENAI_BASE_URL="llm.example.org:8000", BIG_MODEL="big")
    assert check.returncode == 0 and "sk-secret" not in check.stdout
    assert "https://llm.example.org:8000/v1/chat/completions" in check.stdout and "big" in check.stdout
    assert run("healthcheck", PORT="1").returncode == 1


def test_a_port_that_is_taken_is_told(sidecar):
    done = run(PORT=str(sidecar.port), OPENAI_BASE_URL="http://127.0.0.1:1")
    assert done.returncode == 1 and "in use" in done.stderr.lower()


def test_healthcheck_of_a_running_sidecar(sidecar):
    assert run("healthcheck", PORT=str(sidecar.port)).returncode == 0


@pytest.mark.parametrize("url, kind, words", [
    ("http://127.0.0.1:1", 502, "connection refused"),
    ("http://no-such-host.invalid", 502, "cannot resolve"),
])
def test_an_unreachable_upstream_is_explained(url, kind, words):
    sidecar = Sidecar(OPENAI_BASE_URL=url)
    answer = httpx.post(sidecar.url + "/v1/messages", json=ASK)
    assert answer.status_code == kind and words in answer.json()["error"]["message"]
    assert sidecar.stop() == 0


def test_demo_plays_a_tool_call_and_answers_its_result():
    sidecar = Sidecar("demo")
    client = sidecar.client()
    tools = [{"name": "get_weather", "input_schema": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]
    with client.messages.stream(**ASK, tools=tools) as stream:
        first = stream.get_final_message()
    call = first.content[-1]
    assert call.type == "tool_use" and call.input == {"city": "demo"}
    messages = ASK["messages"] + [
        {"role": "assistant", "content": [b.model_dump() for b in first.content]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]}]
    final = client.messages.create(model="m", max_tokens=9, tools=tools, messages=messages)
    assert final.stop_reason == "end_turn"
    assert sidecar.stop() == 0
