"""Upstreams that mean harm: their exchange ends with an error, its neighbours notice nothing."""

import gzip
import json
import threading

import httpx
import pytest

from certificates import authority, issue, serving
from conftest import ASK, Sidecar, eventually
from test_edges import descriptors, resident
from upstream import PATIENCE, Upstream, chunk, completion, text_stream, tool_call

STREAM = {**ASK, "stream": True}
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
MIB = 1 << 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attackers")
    issue(folder, "server", authority(folder, "ca"))
    return folder


@pytest.fixture(scope="module", params=["plain", "tls"])
def wild(request, folder):
    """Plain, its bytes are read by ourselves; behind TLS by libcurl."""
    return Upstream(tls=serving(folder / "server.pem") if request.param == "tls" else None)


@pytest.fixture(scope="module")
def guarded(wild, folder):
    sidecar = Sidecar(OPENAI_BASE_URL=wild.url, MAX_RETRIES="0", UPSTREAM_IDLE_TIMEOUT="2s",
                      FIRST_BYTE_TIMEOUT="2s", REQUEST_TIMEOUT="6s", MODEL_MAP="*=m", WORKERS="1",
                      UPSTREAM_CA_FILE=str(folder / "ca.pem"))
    yield sidecar
    assert sidecar.stop() == 0


def forever(connection, first, again):
    """Sends one thing without end, until nobody takes it."""
    try:
        connection.send(first)
        while True:
            connection.send(again)
    except OSError:
        connection.request.closed.set()
        return "close"


def piece(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(data):
    return piece(b"data: " + json.dumps(data).encode() + b"\n\n")


CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
NEVER_ENDING = {
    "headers": (OK, b"x-more: and more\r\n" * 100),
    "one header line": (OK + b"x-long: ", b"a" * 65536),
    "the status line": (b"HTTP/1.1 200 ", b"O" * 65536),
    "interim answers": (b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100),
    "interim answers with headers": (b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 100),
    "a whole answer": (OK + CHUNKED, piece(b" " * 65536)),
    "a string in an answer": (OK + CHUNKED + piece(b'{"choices":[{"message":{"content":"'),
                              piece(b"a" * 65536)),
    "a line": (EVENTS + CHUNKED + piece(b"data: "), piece(b"a" * 65536)),
    "lines of one event": (EVENTS + CHUNKED, piece(b"data: a\n" * 8192)),
    "words": (EVENTS + CHUNKED, event(chunk({"content": "word "})) * 100),
    "comments": (EVENTS + CHUNKED, piece(b": ping\n\n" * 8192)),
    "empty events": (EVENTS + CHUNKED, piece(b"\n" * 65536)),
    "events that are no chunks": (EVENTS + CHUNKED, piece(b"data: x\n\n" * 1000)),
    "chunk extensions": (EVENTS + CHUNKED + b"5;", b"a" * 65536),
    "a chunk's size": (EVENTS + CHUNKED, b"0" * 65536),
    "arguments of a tool": (
        EVENTS + CHUNKED + event(chunk({"tool_calls": [tool_call("f", '{"a":"')]})),
        event(chunk({"tool_calls": [{"index": 0, "function": {"arguments": "a" * 30000}}]}))),
    "tool calls": (EVENTS + CHUNKED, b"".join(
        event(chunk({"tool_calls": [{"index": n, "id": f"c{n}", "function": {"name": "f"}}]}))
        for n in range(2000))),
}


def neighbours(sidecar, wild, answers):
    """Asks beside somebody who misbehaves."""
    for _ in range(3):
        answer = httpx.post(sidecar.url + "/v1/messages", timeout=10 * PATIENCE, json={
            **ASK, "messages": [{"role": "user", "content": "neighbour"}]})
        answers.append(answer.status_code)


def script_for(first, again):
    def script(connection):
        if b"neighbour" in connection.request.raw:
            return connection.json(completion())
        return forever(connection, first, again)
    return script


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["json", "stream"])
@pytest.mark.parametrize("what", NEVER_ENDING)
def test_what_never_ends_is_ended(guarded, wild, what, body):
    wild.reset()
    wild.always(script_for(*NEVER_ENDING[what]))
    base = resident(guarded.process.pid)
    answers = []
    beside = threading.Thread(target=neighbours, args=(guarded, wild, answers))
    beside.start()
    with httpx.stream("POST", guarded.url + "/v1/messages", json=body, timeout=20) as answer:
        text = answer.read().decode()
        assert "message_stop" not in text
        assert answer.status_code >= 500 or '"type":"error"' in text, (answer.status_code, text[:99])
    beside.join()
    assert answers == [200, 200, 200]
    assert resident(guarded.process.pid) - base < 120 * MIB


def refuses(status, text):
    """Whether an answer is an error, by its status or in the stream."""
    return status >= 400 or '"type":"error"' in text


@pytest.mark.parametrize("answer", [
    OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\n{}{}{}",
    OK + b"content-length: -5\r\n\r\n{}", OK + b"content-length: 99999999999999999999\r\n\r\n{}",
    OK + b"content-length: x\r\n\r\n{}", OK + b"content-length: 100\r\n\r\n{}",
    OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n", OK + b"transfer-encoding: chunked\r\n\r\n-1\r\n",
    OK + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
    OK + b"transfer-encoding: gzip\r\n\r\n{}", OK + b"x\0y: z\r\ncontent-length: 2\r\n\r\n{}",
    b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n{}",
    b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n",
], ids=range(15))
def test_an_answer_that_is_framed_wrong_is_an_error(guarded, wild, answer):
    for body in (ASK, STREAM):
        wild.reset()
        wild.then(lambda c: c.send(answer) or "close")
        told = httpx.post(guarded.url + "/v1/messages", json=body, timeout=20)
        assert refuses(told.status_code, told.text), told.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(guarded, wild, status):
    """It would take the key and the prompt to whoever it names."""
    other = Upstream()
    wild.reset()
    wild.then(lambda c: c.send(b"HTTP/1.1 %d X\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n"
                               % (status, other.url.encode())) or "close")
    told = httpx.post(guarded.url + "/v1/messages", json=ASK)
    assert told.status_code == 502
    assert not other.requests


def test_a_coding_that_nobody_asked_for_is_an_error(guarded, wild):
    packed = gzip.compress(json.dumps(completion()).encode())
    for lines in (b"content-encoding: gzip\r\n", b""):
        wild.reset()
        wild.then(lambda c: c.send(OK + lines + b"content-length: %d\r\n\r\n" % len(packed) + packed))
        told = httpx.post(guarded.url + "/v1/messages", json=ASK)
        assert told.status_code == 502 and len(told.text) < 1000
    assert "accept-encoding" not in wild.next_request().headers


JSON_BOMBS = [
    "[" * 100_000, '{"a":' * 50_000, '{"choices":' + "[" * 100_000,
    '{"choices":[{"delta":{"content":' + "[" * 5000, "[" + "{}," * 400_000 + "{}]",
    '{"choices":[{"delta":{"content":"' + "\\" * 99_999, "1" * 1_000_000, '"' + "a" * 1_000_000,
]


@pytest.mark.parametrize("bomb", JSON_BOMBS, ids=range(len(JSON_BOMBS)))
def test_a_bomb_in_a_chunk_is_an_error(guarded, wild, bomb):
    for whole in (False, True):
        wild.reset()

        def script(connection):
            if whole:
                data = bomb.encode()
                connection.send(OK + b"content-length: %d\r\n\r\n" % len(data) + data)
            else:
                connection.begin()
                connection.event(chunk({"content": "a"}))
                for _ in range(50):
                    connection.event(bomb[:200_000])
                connection.end()
        wild.then(script)
        told = httpx.post(guarded.url + "/v1/messages", json=ASK if whole else STREAM, timeout=20)
        assert refuses(told.status_code, told.text)
        assert "message_stop" not in told.text


def test_as_many_tool_calls_as_anybody_can_send_cost_linear_time(guarded, wild):
    def script(connection):
        connection.begin()
        for start in range(0, 20_000, 100):
            connection.event(chunk({"tool_calls": [
                {"index": n, "id": f"c{n}", "type": "function",
                 "function": {"name": "f", "arguments": "{}"}} for n in range(start, start + 100)]}))
        connection.event(chunk({}, "tool_calls"))
        connection.event("[DONE]")
        connection.end()
    wild.reset()
    wild.then(script)
    told = httpx.post(guarded.url + "/v1/messages", json=STREAM, timeout=30)
    assert told.text.count('"type":"tool_use"') == 20_000 or refuses(told.status_code, told.text)


def test_a_million_tool_calls_end_in_an_error_or_in_a_million_blocks(guarded, wild):
    def script(connection):
        connection.begin()
        try:
            for start in range(0, 1_000_000, 1000):
                connection.event({"choices": [{"index": 0, "delta": {"tool_calls": [
                    {"index": n, "id": f"c{n}", "function": {"name": "f", "arguments": "{}"}}
                    for n in range(start, start + 1000)]}}]})
            connection.event(chunk({}, "tool_calls"))
            connection.event("[DONE]")
            connection.end()
        except OSError:
            return "close"
    wild.reset()
    wild.then(script)
    base = resident(guarded.process.pid)
    told = httpx.post(guarded.url + "/v1/messages", json=STREAM, timeout=30)
    blocks = told.text.count('"type":"tool_use"')
    assert blocks == 1_000_000 or refuses(told.status_code, told.text)
    assert "message_stop" not in told.text or blocks == 1_000_000
    assert resident(guarded.process.pid) - base < 120 * MIB


INJECTION = "a\r\nx-injected: yes\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"


def test_nothing_from_a_client_breaks_out_into_headers(wild, folder):
    sidecar = Sidecar(OPENAI_BASE_URL=wild.url, UPSTREAM_AUTH="passthrough",
                      UPSTREAM_CA_FILE=str(folder / "ca.pem"))
    wild.reset()
    body = {**ASK, "model": INJECTION, "metadata": {"user_id": INJECTION}}
    wild.then(completion())
    told = httpx.post(sidecar.url + "/v1/messages", json=body, headers={
        "x-api-key": "k\tx-injected: yes", "x-claude-code-session-id": "s\tx", "traceparent": "bad",
        "tracestate": "a=\tb", "x-request-id": "r\ty"})
    assert told.status_code == 200 and "x-injected" not in told.headers
    assert "x-injected" not in wild.next_request().headers
    assert httpx.get(sidecar.url + "/v1/models/a%0d%0ax-injected:%20yes").headers.get(
        "x-injected") is None
    assert sidecar.stop() == 0


def test_nothing_from_an_upstream_breaks_out_into_headers(guarded, wild):
    evil = {"error": {"message": INJECTION, "code": INJECTION, "type": INJECTION}}
    for status in (400, 401, 429, 500):
        wild.reset()
        wild.then(lambda c: c.json(evil, status, [("retry-after", "1\tx-injected: yes"),
                                                  ("x-request-id", "r\tx-injected: yes")]))
        told = httpx.post(guarded.url + "/v1/messages", json=ASK)
        assert told.status_code >= 400 and "x-injected" not in told.headers
    wild.reset()
    wild.then([chunk({"content": "a"}, id=INJECTION, model=INJECTION),
               chunk({"tool_calls": [tool_call(INJECTION, "{}", id=INJECTION)]}),
               chunk({}, "tool_calls"), "[DONE]"])
    told = httpx.post(guarded.url + "/v1/messages", json=STREAM)
    assert "\nx-injected" not in told.text and "x-injected" not in told.headers


def test_the_crowd_leaves_nothing_behind(guarded):
    assert eventually(lambda: descriptors(guarded.process.pid) < 60)
