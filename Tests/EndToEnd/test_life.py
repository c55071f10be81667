"""Clients that leave, readers that do not read, silence, and the end of the process."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import anthropic
import httpx
import pytest

from conftest import ASK, BINARY, Sidecar, eventually
from upstream import chunk, completion, text_stream

STREAM = {**ASK, "stream": True}


def before_head(connection, ready):
    ready.set()
    return connection.wait_closed()


def before_chunk(connection, ready):
    connection.begin()
    ready.set()
    return connection.wait_closed()


def mid_stream(connection, ready):
    connection.begin()
    connection.event(chunk({"content": "word"}))
    ready.set()
    return connection.wait_closed()


@pytest.mark.parametrize("phase", [before_head, before_chunk, mid_stream])
@pytest.mark.parametrize("body", [STREAM, ASK], ids=["stream", "json"])
def test_a_client_that_leaves_ends_the_upstream(sidecar, upstream, phase, body):
    ready = threading.Event()
    upstream.then(lambda c: phase(c, ready) and "close")
    sock = sidecar.open_request(body)
    request = upstream.next_request()
    assert ready.wait(5)
    if phase is mid_stream and body is STREAM:
        while b"word" not in sock.recv(65536):
            pass
    left = time.monotonic()
    sock.close()
    assert request.closed.wait(5)
    assert request.closed_at - left < 0.1


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_a_client_that_does_not_read_stops_the_upstream(sidecar, upstream):
    count, text = 4000, "x" * 10_000
    progress = [0]

    def script(connection):
        connection.begin()
        for number in range(count):
            connection.event(chunk({"content": f"<{number}>{text}"}))
            progress[0] = number + 1
        connection.event(chunk({}, "stop"))
        connection.event("[DONE]")
        connection.end()
    upstream.then(script)
    sock = sidecar.open_request(STREAM)
    before = resident(sidecar.process.pid)
    # The upstream comes to a stop: no progress over a while that is long beside its pace.
    stalled = lambda: [progress[0], time.sleep(0.3)][0] == progress[0] > 0
    assert eventually(stalled, 20)
    assert progress[0] < count
    assert resident(sidecar.process.pid) - before < 8 << 20
    data = bytearray()
    while b"event: message_stop" not in data[-4096:]:
        more = sock.recv(1 << 20)
        assert more
        data += more
    assert [int(n) for n in re.findall(rb"<(\d+)>", data)] == list(range(count))


def test_pings_keep_a_silent_stream_alive(impatient, upstream):
    release = threading.Event()

    def script(connection):
        connection.begin()
        connection.event(chunk({"content": "one"}))
        release.wait(5)
        connection.event(chunk({"content": "two"}))
        connection.event(chunk({}, "stop"))
        connection.event("[DONE]")
        connection.end()
    upstream.then(script)
    sock = impatient.open_request(STREAM)
    data = b""
    while data.count(b"event: ping") < 3:
        data += sock.recv(65536)
    release.set()
    while b"message_stop" not in data:
        data += sock.recv(65536)
    assert data.index(b"one") < data.index(b"event: ping") < data.index(b"two")


def test_a_silent_upstream_gets_its_client_a_status_and_then_an_error(impatient, upstream):
    upstream.then(lambda c: (c.begin(), c.wait_closed()) and "close")
    with httpx.stream("POST", impatient.url + "/v1/messages", json=STREAM) as answer:
        assert answer.status_code == 200
        text = answer.read().decode()
    assert text.index("message_start") < text.index("event: ping") < text.index("event: error")
    assert "timeout_error" in text and "message_stop" not in text


def test_a_stale_connection_is_replaced_in_silence(sidecar, upstream, client, ask):
    upstream.then(lambda c: c.json(completion("one")) or "close")
    upstream.then(completion("two"))
    assert client.messages.create(**ask).content[0].text == "one"
    assert client.messages.create(**ask).content[0].text == "two"


def test_connections_upstream_are_used_again(sidecar, upstream, client, ask):
    ports = set()

    def script(connection):
        ports.add(connection.sock.getpeername()[1])
        connection.stream(text_stream("a"))
    for _ in range(5):
        upstream.then(script)
        with client.messages.stream(**ask) as stream:
            stream.get_final_message()
    assert len(ports) <= 2  # one a worker


# --- the end of the process ----------------------------------------------------------------------


def own_sidecar(upstream, **settings):
    return Sidecar(OPENAI_BASE_URL=upstream.url, **settings)


def open_stream(sidecar, upstream, release):
    def script(connection):
        connection.begin()
        connection.event(chunk({"content": "one"}))
        release.wait(10)
        try:
            connection.event(chunk({"content": "two"}))
            connection.event(chunk({}, "stop"))
            connection.event("[DONE]")
            connection.end()
        except OSError:
            pass
    upstream.then(script)
    sock = sidecar.open_request(STREAM)
    data = b""
    while b"one" not in data:
        data += sock.recv(65536)
    return sock, data


def rest(sock, data):
    while more := sock.recv(65536):
        data += more
    return data


def test_sigterm_lets_a_stream_finish(upstream):
    sidecar = own_sidecar(upstream, ADMIN_PORT="0", ADMIN_HOST="127.0.0.1")
    admin = "http://" + sidecar.addresses["admin"]
    release = threading.Event()
    sock, data = open_stream(sidecar, upstream, release)
    assert httpx.get(admin + "/readyz").status_code == 200
    sidecar.process.send_signal(signal.SIGTERM)
    assert eventually(lambda: httpx.get(admin + "/readyz").status_code == 503)
    assert httpx.get(admin + "/livez").status_code == 200
    assert httpx.get(sidecar.url + "/readyz").status_code == 503
    release.set()
    data = rest(sock, data)
    assert b"two" in data and b"message_stop" in data
    assert sidecar.process.wait(5) == 0


def test_a_stream_over_the_drain_timeout_gets_a_retryable_error(upstream):
    sidecar = own_sidecar(upstream, DRAIN_TIMEOUT="200ms")
    release = threading.Event()
    sock, data = open_stream(sidecar, upstream, release)
    sidecar.process.send_signal(signal.SIGTERM)
    data = rest(sock, data)
    release.set()
    assert b"event: error" in data and b"overloaded_error" in data
    assert b"message_stop" not in data
    assert sidecar.process.wait(5) == 0


def test_a_second_sigterm_ends_it_at_once(upstream):
    sidecar = own_sidecar(upstream)
    release = threading.Event()
    sock, _ = open_stream(sidecar, upstream, release)
    sidecar.process.send_signal(signal.SIGTERM)
    sidecar.wait_for(lambda: any("draining" in line for line in sidecar.lines))
    sidecar.process.send_signal(signal.SIGTERM)
    assert sidecar.process.wait(5) == 143
    release.set()
    sock.close()


class Unread:
    """A sidecar whose log nobody reads: its pipe is full before the first request."""

    def __init__(self, upstream):
        self.reading, writing = os.pipe()
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4095 + b"\n")  # a page
        except BlockingIOError:
            pass
        os.set_blocking(writing, True)
        self.process = subprocess.Popen(
            [BINARY], stderr=writing,
            env={"OPENAI_BASE_URL": upstream.url, "PORT": str(self.port)})
        os.close(writing)
        self.url = f"http://127.0.0.1:{self.port}"
        assert eventually(self.is_ready, 10)

    def is_ready(self):
        try:
            return httpx.get(self.url + "/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def ask(self, count):
        """So many requests over one connection, each with a line in the log."""
        head = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n"
        with socket.create_connection(("127.0.0.1", self.port), 20) as sock:
            sender = threading.Thread(target=sock.sendall, args=(
                (head + b"\r\n") * (count - 1) + head + b"connection: close\r\n\r\n",))
            sender.start()
            answers = b""
            while more := sock.recv(1 << 20):
                answers += more
            sender.join()
        return answers.count(b"HTTP/1.1 200 ")


def test_a_log_that_nobody_reads_holds_nothing_up(upstream):
    sidecar = Unread(upstream)
    assert sidecar.ask(6000) == 6000
    text = httpx.get(sidecar.url + "/metrics").text
    dropped = int(re.search(r"^claude_sidecar_log_lines_dropped_total (\d+)", text, re.M)[1])
    assert 0 < dropped < 6000
    sidecar.process.send_signal(signal.SIGTERM)
    assert sidecar.process.wait(5) == 0
    os.close(sidecar.reading)


def test_a_reader_that_comes_late_gets_whole_lines(upstream):
    sidecar = Unread(upstream)
    assert sidecar.ask(100) == 100
    with open(sidecar.reading, "rb") as log:
        lines = (line for line in log if not line.startswith(b"x"))
        seen = [json.loads(next(lines)) for _ in range(102)]
        assert [line["msg"] for line in seen] == ["starting", "listening"] + 100 * ["request"]
        sidecar.process.send_signal(signal.SIGTERM)
        assert sidecar.process.wait(5) == 0


def test_a_key_file_is_read_again_when_it_changes(upstream, tmp_path):
    # As Kubernetes does it: a symlink to a folder is swapped.
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(f"sk-{name}")
    link = tmp_path / "data"
    link.symlink_to("a")
    sidecar = own_sidecar(upstream, OPENAI_API_KEY_FILE=str(link / "key"))

    def key():
        upstream.then(completion())
        httpx.post(sidecar.url + "/v1/messages", json=ASK)
        return upstream.next_request().headers["authorization"]
    assert key() == "Bearer sk-a"
    (tmp_path / "new").symlink_to("b")
    os.replace(tmp_path / "new", link)
    assert eventually(lambda: key() == "Bearer sk-b")
    assert sidecar.stop() == 0
