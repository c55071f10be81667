"""Cuts at every byte, odd upstreams, limits, other ways to listen, many clients at once."""

import concurrent.futures
import datetime
import json
import os
import signal
import socket
import threading
import time

import httpx
import pytest

from conftest import ASK, PATIENCE, Sidecar, eventually, read_all
from upstream import USAGE, Upstream, chunk, completion, text_stream, tool_call

STREAM = {**ASK, "stream": True}


def post(sidecar, body, **options):
    return httpx.post(sidecar.url + "/v1/messages", json=body, **options)


def frames(chunks):
    return b"".join(
        b"data: " + (c if isinstance(c, str) else json.dumps(c)).encode() + b"\n\n" for c in chunks)


# --- cuts ----------------------------------------------------------------------------------------

BEFORE_FINISH = frames([
    chunk({"role": "assistant", "content": "Let me"}),
    chunk({"tool_calls": [tool_call("get_weather", '{"city":')]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Rome"}'}}]})])
FINISH = frames([chunk({}, "tool_calls")])


@pytest.mark.parametrize("ending", ["end", "reset"])
def test_a_stream_that_is_cut_at_any_byte_never_looks_whole(sidecar, upstream, ending):
    whole = BEFORE_FINISH + FINISH
    # The end of a stream also ends its last line, so the very last bytes may be missing.
    complete = len(whole) - len(b"\n\n")
    with httpx.Client() as client:
        for size in range(len(whole)):
            def script(connection):
                connection.begin()
                connection.raw(whole[:size])
                getattr(connection, ending)()
                return "close"
            upstream.then(script)
            answer = client.post(sidecar.url + "/v1/messages", json=STREAM)
            text = answer.text
            if size < complete:
                assert "message_stop" not in text, size
                assert answer.status_code >= 500 or "event: error" in text, size
                assert answer.status_code != 200 or text.startswith("event: message_start"), size


def test_an_answer_in_one_piece_that_is_cut_is_an_error(sidecar, upstream):
    body = json.dumps(completion("Hello " * 20)).encode()
    for size in range(0, len(body), 7):
        def script(connection):
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                            b"content-length: %d\r\n\r\n" % len(body) + body[:size])
            return "close"
        upstream.then(script)
        assert post(sidecar, ASK).status_code == 502


# --- odd upstreams -------------------------------------------------------------------------------


@pytest.mark.parametrize("answer, status", [
    (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<html>hi</html>", 502),
    (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}", 502),
    (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n", 502),
    (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 502),
    (b"HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\n<h1>no</h", 404),
    (b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", 500),
    (b"SSH-2.0-OpenSSH_9.2\r\n", 502),
    (b"", 502),
], ids=["html", "empty-object", "empty", "redirect", "404", "500", "no-http", "nothing"])
@pytest.mark.parametrize("body", [ASK, STREAM], ids=["json", "stream"])
def test_what_is_no_answer_of_a_model_is_told_as_an_error(sidecar, upstream, body, answer, status):
    def script(connection):
        connection.send(answer)
        return "close"
    upstream.then(script)
    told = post(sidecar, body)
    assert told.status_code == status
    assert told.json()["type"] == "error" and told.json()["error"]["message"]
    assert told.json()["request_id"] == told.headers["request-id"]


def test_an_error_in_an_answer_of_200(sidecar, upstream):
    upstream.then({"error": {"message": "too fast", "code": 429}})
    told = post(sidecar, ASK)
    assert told.status_code == 429 and told.json()["error"]["type"] == "rate_limit_error"


def test_an_upstream_that_never_answers(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, FIRST_BYTE_TIMEOUT="150ms")
    for body in (ASK, STREAM):
        upstream.then(lambda c: c.wait_closed() and "close")
        told = post(sidecar, body)
        assert told.status_code == 504 and told.json()["error"]["type"] == "timeout_error"
        assert upstream.next_request().closed.wait(5)
    assert sidecar.stop() == 0


def test_a_pause_of_the_process_is_nobodys_silence(upstream):
    """As of a container, or a machine that moves: what has come meanwhile is not too late."""
    limit = f"{2 * PATIENCE:g}s"
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, FIRST_BYTE_TIMEOUT=limit, MAX_RETRIES="0",
                      UPSTREAM_IDLE_TIMEOUT=limit, WORKERS="1")
    go = threading.Event()

    def script(connection):
        whole = json.dumps(completion("here")).encode()
        kind = b"text/event-stream" if connection.request.body.get("stream") else b"application/json"
        parts = [frames(text_stream("he")[:2]), frames(text_stream("re")[1:])]
        if kind.endswith(b"json"):
            parts = [whole[:9], whole[9:]]
        answer = [b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\nconnection: close\r\n\r\n" + parts[0],
                  parts[1]]
        if connection.request.body["messages"][0]["content"] == "at once":
            connection.send(answer.pop(0))
        go.wait(10 * PATIENCE)
        connection.send(b"".join(answer))
        return "close"
    upstream.always(script)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(post, sidecar, {
            **body, "messages": [{"role": "user", "content": when}]}, timeout=20 * PATIENCE)
            for body in (ASK, STREAM) for when in ("at once", "later")]
        for _ in answers:
            upstream.next_request()
        sidecar.process.send_signal(signal.SIGSTOP)
        go.set()
        # Longer than either limit.
        time.sleep(2.5 * PATIENCE)
        sidecar.process.send_signal(signal.SIGCONT)
        for answer in answers:
            answer = answer.result()
            assert answer.status_code == 200 and "error" not in answer.text, answer.text
            assert '"text":"here"' in answer.text or "message_stop" in answer.text
    assert sidecar.stop() == 0


def test_a_whole_exchange_has_its_limit(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, REQUEST_TIMEOUT="200ms")

    def drip(connection):
        connection.begin()
        try:
            while True:
                connection.event(chunk({"content": "x"}))
                if connection.wait_closed(0.02):
                    return "close"
        except OSError:
            return "close"
    upstream.then(drip)
    told = post(sidecar, STREAM)
    assert told.status_code == 200 and "timeout_error" in told.text
    assert "message_stop" not in told.text
    assert sidecar.stop() == 0


def test_a_slow_head_is_waited_for(sidecar, upstream):
    seen = threading.Event()

    def script(connection):
        seen.wait(5)
        connection.stream(text_stream("late"))
    upstream.then(script)
    sock = sidecar.open_request(STREAM)
    upstream.next_request()
    seen.set()
    data = b""
    while b"message_stop" not in data:
        data += sock.recv(65536)
    assert b"late" in data


# --- limits --------------------------------------------------------------------------------------


def test_more_requests_than_allowed_are_sent_away(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, MAX_CONCURRENT_REQUESTS="1")
    release = threading.Event()
    upstream.then(lambda c: release.wait(5) and c.json(completion()))
    first = sidecar.open_request(ASK)
    upstream.next_request()
    second = post(sidecar, ASK)
    assert second.status_code == 529 and second.headers["retry-after"] == "1"
    assert second.json()["error"]["type"] == "overloaded_error"
    assert httpx.get(sidecar.url + "/readyz").status_code == 200
    release.set()
    assert first.recv(65536).startswith(b"HTTP/1.1 200")
    upstream.then(completion())
    assert post(sidecar, ASK).status_code == 200
    assert sidecar.stop() == 0


def test_max_tokens_is_kept_between_its_limits(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, MIN_TOKENS_LIMIT="100", MAX_TOKENS_LIMIT="200")
    for asked, sent in ((1, 100), (150, 150), (32_000, 200)):
        upstream.then(completion())
        assert post(sidecar, {**ASK, "max_tokens": asked}).status_code == 200
        assert upstream.next_request().body["max_tokens"] == sent
    assert sidecar.stop() == 0


def test_a_body_over_the_limit_is_refused_while_it_comes(sidecar, upstream):
    with socket.create_connection(("127.0.0.1", sidecar.port), 5) as sock:
        sock.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            for _ in range(200):
                sock.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except OSError:
            pass
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 413") and b"request_too_large" in answer
    assert not upstream.requests


# --- listening and sending -----------------------------------------------------------------------


def test_a_socket_file_instead_of_a_port(upstream, tmp_path):
    path = tmp_path / "sidecar.socket"
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, LISTEN=f"unix:{path}")
    upstream.then(completion("over a file"))
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
        answer = client.post("http://localhost/v1/messages", json=ASK)
    assert answer.json()["content"][0]["text"] == "over a file"
    assert sidecar.stop() == 0


def test_the_clients_own_key_is_passed_through_when_asked_to(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, UPSTREAM_AUTH="passthrough")
    for headers in ({"x-api-key": "k"}, {"authorization": "Bearer k"}):
        upstream.then(completion())
        post(sidecar, ASK, headers=headers)
        assert upstream.next_request().headers["authorization"] == "Bearer k"
    assert sidecar.stop() == 0


def test_headers_of_the_settings_go_up_and_the_clients_stay(upstream):
    sidecar = Sidecar(
        OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY="k", UPSTREAM_AUTH="api-key",
        OPENAI_ORG_ID="org", OPENAI_PROJECT_ID="project", CUSTOM_HEADER_X_TEAM="blue")
    upstream.then(completion())
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    post(sidecar, ASK, headers={
        "x-api-key": "mine", "anthropic-beta": "b", "x-app": "cli", "cookie": "c",
        "traceparent": trace})
    headers = upstream.next_request().headers
    assert headers["api-key"] == "k" and "authorization" not in headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org", "project")
    assert headers["x-team"] == "blue"
    assert trace[3:35] in headers["traceparent"]
    assert headers["user-agent"].startswith("claude-sidecar/")
    assert not headers.keys() & {"x-api-key", "anthropic-beta", "x-app", "cookie", "expect"}
    assert sidecar.stop() == 0


def test_a_log_for_a_person(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, LOG_FORMAT="text")
    upstream.then(completion())
    request_id = post(sidecar, ASK).headers["request-id"]
    sidecar.wait_for(lambda: any(request_id in line for line in sidecar.lines))
    line = next(line for line in sidecar.lines if request_id in line)
    assert not line.startswith("{") and "status=200" in line
    assert sidecar.stop() == 0


# --- many ----------------------------------------------------------------------------------------


def test_many_streams_at_once_stay_apart(sidecar, upstream):
    def script(connection):
        word = connection.request.body["messages"][0]["content"]
        connection.stream(text_stream(*[f"{word}."] * 50), split=97)
    upstream.always(script)

    def ask(number):
        with sidecar.client().messages.stream(
                model="m", max_tokens=9,
                messages=[{"role": "user", "content": f"w{number}"}]) as stream:
            return stream.get_final_message()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(128)))
    assert [a.content[0].text for a in answers] == [f"w{n}." * 50 for n in range(128)]
    assert len({a.id for a in answers}) == 128


def test_many_counts_at_once(sidecar, upstream):
    body = {"model": "m", "messages": [{"role": "user", "content": "some words " * 20_000}]}
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: httpx.post(
            sidecar.url + "/v1/messages/count_tokens", json=body), range(24)))
    counts = {answer.json()["input_tokens"] for answer in answers}
    assert len(counts) == 1 and counts.pop() > 10_000
    # What the machine does beside it shows in most of them, not in the best.
    with httpx.Client(base_url=sidecar.url) as one:
        fastest = min(one.post("/v1/messages/count_tokens", content=json.dumps(body)).elapsed
                      for _ in range(24))
    assert fastest < datetime.timedelta(milliseconds=5) * PATIENCE, fastest
    assert not upstream.requests


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_clients_that_leave_leave_nothing_behind(upstream):
    # A crowd of its own, so that nobody else's connections are counted.
    crowd = Upstream()
    sidecar = Sidecar(OPENAI_BASE_URL=crowd.url)
    pid = sidecar.process.pid

    def script(connection):
        connection.begin()
        connection.event(chunk({"content": "word"}))
        connection.wait_closed()
        return "close"
    crowd.always(script)

    def leave(count):
        for _ in range(count):
            with sidecar.open_request(STREAM) as sock:
                while b"word" not in sock.recv(65536):
                    pass
        assert eventually(lambda: "streams_in_flight 0" in httpx.get(
            sidecar.url + "/metrics").text)
    leave(200)
    assert eventually(lambda: descriptors(pid) < 40)
    before = descriptors(pid), resident(pid)
    leave(600)
    assert eventually(lambda: descriptors(pid) <= before[0] + 2)
    assert resident(pid) - before[1] < 2 << 20
    text = httpx.get(sidecar.url + "/metrics").text
    assert 'stream_outcomes_total{outcome="client_disconnect"} 800' in text
    assert sidecar.stop() == 0


def test_usage_may_come_before_the_end_or_not_at_all(sidecar, upstream):
    upstream.then([chunk({"content": "a"}, usage=USAGE), chunk({}, "stop", USAGE), "[DONE]"])
    upstream.then([chunk({"content": "a"}), chunk({}, "stop"), "[DONE]"])
    client = sidecar.client()
    usages = []
    for _ in range(2):
        with client.messages.stream(**ASK) as stream:
            usages.append(stream.get_final_message().usage)
    assert (usages[0].input_tokens, usages[0].output_tokens) == (6, 5)
    assert usages[1].input_tokens > 0 and usages[1].output_tokens > 0
