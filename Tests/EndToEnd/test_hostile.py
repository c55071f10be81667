"""Clients that mean harm, or act as if they did: on the wire, over the real sockets."""

import json
import re
import socket
import struct
import threading
import time

import httpx
import pytest

from conftest import ASK, Sidecar, eventually, read_all
from test_edges import descriptors
from upstream import PATIENCE, Upstream, chunk, completion

HEAD = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\n"
STREAM = {**ASK, "stream": True}
BODY = json.dumps(ASK).encode()


def whole(body, *lines):
    """A request as bytes."""
    head = HEAD + b"".join(line + b"\r\n" for line in lines)
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def connect(port, timeout=5):
    return socket.create_connection(("127.0.0.1", port), timeout)


def reset(sock):
    """Closes with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# --- paths, upgrades, expectations ---------------------------------------------------------------


@pytest.mark.parametrize("target", [
    "/v1/%6dessages", "/v1/../v1/messages", "/v1/./messages", "//v1/messages", "/v1//messages",
    "/v1/messages/..", "/v1%2fmessages", "/V1/MESSAGES", "/v1/messages;x", "/v1/messages%00",
    "/..%2f..%2fetc/passwd",
])
def test_a_path_is_taken_as_it_stands(sidecar, upstream, target):
    request = whole(BODY, b"connection: close").replace(b"/v1/messages", target.encode(), 1)
    assert sidecar.raw(request).startswith(b"HTTP/1.1 404")
    assert not upstream.requests


def test_an_absolute_target_goes_where_it_says(sidecar, upstream):
    upstream.then(completion())
    request = whole(BODY, b"connection: close").replace(
        b"/v1/messages", b"http://elsewhere.example/v1/messages", 1)
    assert sidecar.raw(request).startswith(b"HTTP/1.1 200")


def test_an_asterisk_means_the_server(sidecar):
    answer = sidecar.raw(b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204") and b"\r\nallow: GET, HEAD, POST\r\n" in answer
    assert b"content-length" not in answer and answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("line, stays", [(b"", False), (b"connection: keep-alive\r\n", True)])
def test_a_client_of_http_1_0_is_told_whether_it_may_ask_again(sidecar, line, stays):
    ask = b"GET /api/hello HTTP/1.0\r\n"
    answer = sidecar.raw(ask + line + b"\r\n" + ask + b"\r\n")
    assert answer.count(b"HTTP/1.1 200") == (2 if stays else 1)
    assert answer.startswith(b"HTTP/1.1 200")
    first = answer.split(b"\r\n\r\n")[0]
    assert first.endswith(b"connection: keep-alive" if stays else b"connection: close")
    assert answer.count(b"connection: close") == 1, "the last one ends the connection"


def test_an_upgrade_is_not_taken_up(sidecar, upstream):
    upstream.then(completion())
    answer = sidecar.raw(whole(
        BODY, b"connection: upgrade, http2-settings, close", b"upgrade: h2c, websocket",
        b"http2-settings: AAMAAABkAAQAAP__"))
    assert answer.startswith(b"HTTP/1.1 200") and b"101" not in answer[:40]


def test_a_refused_expectation_gets_no_100(sidecar, upstream):
    answer = sidecar.raw(HEAD + b"expect: 100-continue\r\ncontent-length: 99999999\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413") and b"100 Continue" not in answer


def test_a_body_that_holds_a_request_is_a_body(sidecar, upstream):
    """What a route does not read is never read as the next request."""
    smuggled = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
    for start in (b"GET /healthz", b"GET /nothing", b"DELETE /v1/messages"):
        answer = sidecar.raw(start + b" HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
                             % len(smuggled) + smuggled)
        assert answer.count(b"HTTP/1.1 ") == 1, start
    assert not upstream.requests


# --- connections that break ----------------------------------------------------------------------


def test_half_a_connection_gets_its_whole_answer(sidecar):
    with connect(sidecar.port) as sock:
        sock.sendall(b"GET /api/hello HTTP/1.1\r\nhost: x\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock).endswith(b'{"message":"hello"}')


def test_half_a_connection_ends_an_exchange(sidecar, upstream):
    """A client that has closed its side is gone: an agent that was stopped looks no different."""
    upstream.then(lambda c: c.wait_closed() and "close")
    with connect(sidecar.port) as sock:
        sock.sendall(whole(BODY))
        request = upstream.next_request()
        sock.shutdown(socket.SHUT_WR)
        assert request.closed.wait(5)


@pytest.mark.parametrize("state", [
    "nothing", "half a head", "half a body", "half a chunk", "before the answer", "in a stream",
    "behind an answer", "between two requests",
])
def test_a_reset_leaves_nothing_behind(sidecar, upstream, state):
    pid = sidecar.process.pid
    assert eventually(lambda: "streams_in_flight 0" in httpx.get(sidecar.url + "/metrics").text)
    before = descriptors(pid)
    for _ in range(20):
        sock = connect(sidecar.port)
        if state == "half a head":
            sock.sendall(HEAD)
        elif state == "half a body":
            sock.sendall(whole(BODY)[:-5])
        elif state == "half a chunk":
            sock.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab")
        elif state == "before the answer":
            upstream.then(lambda c: c.wait_closed() and "close")
            sock.sendall(whole(BODY))
            request = upstream.next_request()
        elif state == "in a stream":
            def script(connection):
                connection.begin()
                connection.event(chunk({"content": "word"}))
                connection.wait_closed()
                return "close"
            upstream.then(script)
            sock.sendall(whole(json.dumps(STREAM).encode()))
            request = upstream.next_request()
            while b"word" not in sock.recv(65536):
                pass
        elif state in ("behind an answer", "between two requests"):
            upstream.then(completion())
            sock.sendall(whole(BODY) + (HEAD if state[0] == "b" and "two" in state else b""))
            assert sock.recv(65536).startswith(b"HTTP/1.1 200")
            upstream.next_request()
        reset(sock)
        if state in ("before the answer", "in a stream"):
            assert request.closed.wait(5)
    assert eventually(lambda: descriptors(pid) <= before + 3)
    upstream.then(completion())
    assert httpx.post(sidecar.url + "/v1/messages", json=ASK).status_code == 200


# --- slow and many -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd():
    return Upstream()


@pytest.fixture(scope="module")
def hasty(crowd):
    sidecar = Sidecar(
        OPENAI_BASE_URL=crowd.url, HEADER_TIMEOUT="300ms", BODY_TIMEOUT="300ms",
        KEEP_ALIVE_TIMEOUT="400ms", MAX_CONNECTIONS_PER_PEER="500")
    yield sidecar
    assert sidecar.stop() == 0


def drip(sock, data):
    """Sends a byte now and then, until there is an answer; the answer."""
    sock.settimeout(0.02)
    for byte in data:
        try:
            sock.send(bytes([byte]))
        except (BrokenPipeError, ConnectionResetError):
            break
        try:
            if answer := sock.recv(65536):
                return answer
            break
        except TimeoutError:
            pass
    return b""


def test_a_head_that_drips_is_answered_408(hasty):
    with connect(hasty.port) as sock:
        sock.sendall(HEAD)
        answer = drip(sock, b"x-long: " + b"a" * 500)
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("framing", [b"content-length: 5000", b"transfer-encoding: chunked"])
def test_a_body_that_drips_is_answered_408(hasty, framing):
    with connect(hasty.port) as sock:
        sock.sendall(HEAD + framing + b"\r\n\r\n")
        answer = drip(sock, b"1000\r\n" + b" " * 4000)
    assert answer.startswith(b"HTTP/1.1 408") and b"timeout_error" in answer


def test_a_slow_body_has_its_time_while_it_keeps_the_least_rate(crowd):
    """Silence has its limit; so has a drip, which is never silent. What is faster may take longer."""
    crowd.always(completion())
    sidecar = Sidecar(OPENAI_BASE_URL=crowd.url, BODY_TIMEOUT="2s")
    body = json.dumps({**ASK, "messages": [{"role": "user", "content": "x" * 24_000}]}).encode()
    for size, status in ((1000, b"200"), (20, b"408")):
        started, answer = time.monotonic(), b""
        with connect(sidecar.port) as sock:
            sock.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(body))
            sock.settimeout(0.1)
            for start in range(0, len(body), size):
                sock.sendall(body[start:start + size])
                try:
                    answer = sock.recv(65536)
                    break
                except TimeoutError:
                    pass
            sock.settimeout(5 * PATIENCE)
            answer = answer or sock.recv(65536)
        assert answer.startswith(b"HTTP/1.1 " + status), answer
        assert time.monotonic() - started > 2, "longer than one silence may be"
    assert sidecar.stop() == 0


def test_a_body_that_stops_is_answered_408(hasty):
    with connect(hasty.port) as sock:
        sock.sendall(whole(BODY)[:-1])
        assert read_all(sock).startswith(b"HTTP/1.1 408")


def test_an_idle_connection_is_closed(hasty):
    with connect(hasty.port) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert read_all(sock).startswith(b"HTTP/1.1 200")


def run_limited(descriptors_max, **settings):
    """A sidecar that may open only so many descriptors."""
    class Limited(Sidecar):
        wrapper = ["prlimit", f"--nofile={descriptors_max}:{descriptors_max}"]
    return Limited(**settings)


def test_running_out_of_descriptors_is_survived(crowd):
    sidecar = run_limited(64, OPENAI_BASE_URL=crowd.url)
    crowd.always(completion())
    idle = [connect(sidecar.port) for _ in range(150)]
    try:
        # Those that wait longest make room, so that somebody who asks is heard.
        ticks = cpu_ticks(sidecar.process.pid)
        answer = httpx.post(sidecar.url + "/v1/messages", json=ASK, timeout=20)
        assert answer.status_code == 200
        assert cpu_ticks(sidecar.process.pid) - ticks < 40, "it waits, it does not spin"
    finally:
        for sock in idle:
            sock.close()
    assert httpx.post(sidecar.url + "/v1/messages", json=ASK).status_code == 200
    assert sidecar.stop() == 0


@pytest.fixture
def scarce(crowd):
    """One that has as good as no descriptors, and tries nothing twice."""
    crowd.always(completion())
    sidecar = run_limited(48, OPENAI_BASE_URL=crowd.url, WORKERS="1", MAX_RETRIES="0")
    held = []

    def fill(data):
        """Holds all of its descriptors, by connections that have sent this."""
        pid = sidecar.process.pid
        while descriptors(pid) < 48:
            before = descriptors(pid)
            held.append(connect(sidecar.port))
            held[-1].sendall(data)
            assert eventually(lambda: descriptors(pid) > before)
    sidecar.fill = fill
    yield sidecar
    for sock in held:
        sock.close()
    assert eventually(
        lambda: httpx.post(sidecar.url + "/v1/messages", json=ASK).status_code == 200)
    assert sidecar.stop() == 0


def test_idle_clients_make_room_for_a_connection_upstream(scarce):
    with connect(scarce.port, 20) as asker:
        request = whole(BODY, b"connection: close")
        asker.sendall(request[:-1])
        scarce.fill(b"")
        asker.sendall(request[-1:])
        assert read_all(asker).startswith(b"HTTP/1.1 200")
    text = httpx.get(scarce.url + "/metrics").text
    assert re.search(r'upstream_retries_total{reason="descriptors"} [1-9]', text)
    assert 'rejected_total{reason="descriptors"} 0' in text


def test_a_lack_of_descriptors_is_told_as_such(scarce):
    with connect(scarce.port, 20) as asker:
        request = whole(BODY, b"connection: close")
        asker.sendall(request[:-1])
        # Who has begun to send a body is not idle: nobody makes room.
        scarce.fill(request[:-1])
        asker.sendall(request[-1:])
        answer = read_all(asker)
    assert answer.startswith(b"HTTP/1.1 529") and b"retry-after: 1\r\n" in answer.lower()
    assert b"overloaded_error" in answer and b"limit of file descriptors" in answer
    request_id = json.loads(answer.partition(b"\r\n\r\n")[2])["request_id"]
    told, line = scarce.log_of(request_id, count=2)
    assert told["level"] == "warn" and told["msg"] == "out of file descriptors"
    assert line["error"] == "proxy_overload" and line["status"] == 529


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_a_full_house_still_hears_who_asks():
    crowd = Upstream()
    crowd.always(completion())
    sidecar = Sidecar(OPENAI_BASE_URL=crowd.url, WORKERS="1", MAX_CONNECTIONS="50")
    heads = []
    for _ in range(200):
        sock = connect(sidecar.port)
        sock.sendall(HEAD)
        heads.append(sock)
    answer = httpx.post(sidecar.url + "/v1/messages", json=ASK, timeout=20 * PATIENCE)
    assert answer.status_code == 200
    for sock in heads:
        sock.close()
    assert sidecar.stop() == 0


def test_the_limit_of_connections_is_for_all_workers_together():
    crowd, gate = Upstream(), threading.Event()

    def script(connection):
        gate.wait(30)
        connection.json(completion())
    crowd.always(script)
    # The kernel gives neither worker just a half of them.
    sidecar = Sidecar(OPENAI_BASE_URL=crowd.url, WORKERS="2", MAX_CONNECTIONS="101")
    socks = [sidecar.open_request(ASK) for _ in range(100)]
    assert eventually(lambda: len(crowd.requests) == 100)
    # One place is left, for who asks how it goes.
    assert httpx.get(sidecar.url + "/healthz", timeout=5 * PATIENCE).status_code == 200
    gate.set()
    for sock in socks:
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        sock.close()
    assert sidecar.stop() == 0


def test_one_address_has_only_so_many_connections(crowd):
    sidecar = Sidecar(OPENAI_BASE_URL=crowd.url, MAX_CONNECTIONS_PER_PEER="3")
    socks = [connect(sidecar.port) for _ in range(3)]
    for sock in socks:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    with connect(sidecar.port) as sock:
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 429") and b"rate_limit_error" in answer
    for sock in socks:
        sock.close()
    assert eventually(lambda: httpx.get(sidecar.url + "/healthz").status_code == 200)
    assert sidecar.stop() == 0
