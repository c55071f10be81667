"""Every way in which an upstream may frame an answer or take a request, plain and behind TLS."""

import hashlib
import json
import re
import socket
import threading
import time

import httpx
import pytest

from certificates import authority, issue, serving
from conftest import ASK, UPSTREAM_KEY, Sidecar, eventually
from upstream import Connection, Request, Upstream, completion, text_stream

STREAM = {**ASK, "stream": True}
TEXT = "Grüße, wire!"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wire")
    issue(folder, "server", authority(folder, "ca"))
    return folder


@pytest.fixture(scope="module", params=["plain", "tls"])
def wire(request, folder):
    """An upstream, and a sidecar of one worker in front of it."""
    upstream = Upstream(tls=serving(folder / "server.pem") if request.param == "tls" else None)
    sidecar = before(upstream, folder)
    yield upstream, sidecar
    assert sidecar.stop() == 0


@pytest.fixture(scope="module")
def unix(folder):
    """The same behind a Unix socket."""
    upstream = Upstream(path=folder / "upstream.sock")
    sidecar = before(upstream, folder)
    yield upstream, sidecar
    assert sidecar.stop() == 0


def before(upstream, folder, **settings):
    settings = {"MAX_RETRIES": "0", "WORKERS": "1", **settings}
    return Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=UPSTREAM_KEY,
                   UPSTREAM_CA_FILE=str(folder / "ca.pem"), **settings)


def ask(sidecar, body):
    return httpx.post(sidecar.url + "/v1/messages", json=body, timeout=20)


def retries(sidecar):
    """How many requests met a connection that was kept and had died."""
    found = re.search(r'upstream_retries_total\{reason="stale_conn"\} (\d+)',
                      httpx.get(sidecar.url + "/metrics").text)
    return int(found[1]) if found else 0


def text_of(answer, body):
    """The words of a whole answer."""
    assert answer.status_code == 200, answer.text
    if body is ASK:
        return answer.json()["content"][0]["text"]
    assert answer.text.rstrip().endswith('{"type":"message_stop"}'), answer.text
    events = [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: ")]
    return "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")


# --- answers -------------------------------------------------------------------------------------


def payload(connection):
    """Content type and body of the answer that was asked for."""
    if not connection.request.body.get("stream"):
        return b"application/json", json.dumps(completion(TEXT)).encode()
    parts = text_stream(*(TEXT[at:at + 4] for at in range(0, len(TEXT), 4)))
    return b"text/event-stream", b"".join(
        b"data: " + (p if isinstance(p, str) else json.dumps(p, ensure_ascii=False)).encode()
        + b"\n\n" for p in parts)


def with_length(start=b"HTTP/1.1 200 OK\r\n", more=b"", name=b"content-length: "):
    def form(kind, data):
        return start + b"content-type: " + kind + b"\r\n" + more + name + b"%d\r\n\r\n%s" % (
            len(data), data)
    return form


def chunked(size=b"%x\r\n", step=50, last=b"0\r\n\r\n", name=b"transfer-encoding: chunked", more=b""):
    def form(kind, data):
        pieces = [data[at:at + step] for at in range(0, len(data), step)]
        return (b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\n" + more + name + b"\r\n\r\n"
                + b"".join(size % len(p) + p + b"\r\n" for p in pieces) + last)
    return form


def to_the_end(start, more=b""):
    return lambda kind, data: start + b"content-type: " + kind + b"\r\n" + more + b"\r\n" + data


INTERIM = (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n"
           b"content-length: 7\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
CLOSE = b"connection: close\r\n"
STAYS = {
    "length": with_length(),
    "no space behind the colon": with_length(name=b"content-length:"),
    "much space behind the colon": with_length(name=b"content-length: \t  "),
    "capital names": with_length(name=b"CONTENT-LENGTH: "),
    "the same length twice": with_length(more=b"content-length: %d\r\n", name=b"content-length: "),
    "no reason": with_length(b"HTTP/1.1 200 \r\n"),
    "no reason and no space": with_length(b"HTTP/1.1 200\r\n"),
    "a reason beyond ASCII": with_length("HTTP/1.1 200 Schön\r\n".encode()),
    "interim answers": with_length(INTERIM + b"HTTP/1.1 200 OK\r\n"),
    "an empty header": with_length(more=b"x-empty:\r\n"),
    "a long header": with_length(more=b"x-long: " + b"a" * 30_000 + b"\r\n"),
    "many headers": with_length(more=b"x-many: a\r\n" * 200),
    "keep-alive said": with_length(more=b"Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n"),
    "chunks": chunked(),
    "chunks of one byte": chunked(step=1),
    "one chunk": chunked(step=10**6),
    "capital sizes and names": chunked(b"%X\r\n", name=b"TRANSFER-ENCODING: Chunked"),
    "sizes with zeros before": chunked(b"%08x\r\n", last=b"0000\r\n\r\n"),
    "chunk extensions": chunked(b'%x;name=value;other="a;b"\r\n', last=b"0;last\r\n\r\n"),
    "trailers": chunked(last=b"0\r\nx-checksum: 1\r\nContent-Length: 5\r\n\r\n"),
    "interim answers before chunks": lambda *a: INTERIM + chunked()(*a),
}
ENDS = {
    "length, then close": with_length(more=CLOSE),
    "close in capitals": with_length(more=b"Connection: Close\r\n"),
    "close in a list": with_length(more=b"connection: keep-alive, close\r\n"),
    "chunks, then close": chunked(more=CLOSE),
    "no length": to_the_end(b"HTTP/1.1 200 OK\r\n", CLOSE),
    "no length and not a word": to_the_end(b"HTTP/1.1 200 OK\r\n"),
    "HTTP/1.0": to_the_end(b"HTTP/1.0 200 OK\r\n"),
    "HTTP/1.0 with length": with_length(b"HTTP/1.0 200 OK\r\n"),
}


def whole(form, connection):
    kind, data = payload(connection)
    answer = form(kind, data)
    # The one form that says its length twice.
    return answer.replace(b"%d", b"%d" % len(data))


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["message", "stream"])
@pytest.mark.parametrize("form", STAYS)
def test_a_connection_serves_again_behind_every_framing(wire, form, body):
    upstream, sidecar = wire
    upstream.reset()
    upstream.always(lambda c: c.send(whole(STAYS[form], c)))
    assert text_of(ask(sidecar, body), body) == TEXT
    accepted = upstream.accepted
    for _ in range(2):
        assert text_of(ask(sidecar, body), body) == TEXT
    assert upstream.accepted == accepted


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["message", "stream"])
@pytest.mark.parametrize("form", ENDS)
def test_an_answer_may_end_its_connection(wire, form, body):
    upstream, sidecar = wire
    upstream.reset()
    upstream.always(lambda c: c.send(whole(ENDS[form], c)) or "close")
    stale = retries(sidecar)
    for _ in range(3):
        assert text_of(ask(sidecar, body), body) == TEXT
    assert retries(sidecar) == stale


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["message", "stream"])
def test_who_announces_the_end_is_not_asked_again(wire, body):
    """Even when the other side keeps its end open."""
    upstream, sidecar = wire
    upstream.reset()
    upstream.always(lambda c: c.send(whole(with_length(more=CLOSE), c)))
    accepted = upstream.accepted
    for number in range(1, 4):
        assert text_of(ask(sidecar, body), body) == TEXT
        assert upstream.accepted >= accepted + number - 1


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["message", "stream"])
@pytest.mark.parametrize("form", ["interim answers", "chunk extensions", "trailers", "chunks of one byte"])
def test_bytes_may_come_one_by_one(wire, form, body):
    upstream, sidecar = wire
    upstream.reset()

    def script(connection):
        for byte in whole(STAYS[form], connection):
            connection.send(bytes([byte]))
    upstream.always(script)
    assert text_of(ask(sidecar, body), body) == TEXT


SHORT = ('data: {"choices":[{"delta":{"content":"ü"}}]}\n\n'
         'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n').encode()


def test_an_answer_may_be_split_anywhere(wire):
    """Head, sizes, ends of lines, letters of two bytes: two packets, cut at every place."""
    upstream, sidecar = wire
    upstream.reset()
    answer = chunked(b"%x;a=b\r\n", last=b"0\r\nx: y\r\n\r\n")(b"text/event-stream", SHORT)
    cuts = iter(range(1, len(answer)))

    def script(connection):
        cut = next(cuts)
        connection.send(answer[:cut])
        # The first part is read before the second comes, most of the times.
        time.sleep(0.001)
        connection.send(answer[cut:])
    upstream.always(script)
    with httpx.Client() as client:
        for cut in range(1, len(answer)):
            told = client.post(sidecar.url + "/v1/messages", json=STREAM, timeout=20)
            assert text_of(told, STREAM) == "ü", cut


def test_a_connection_that_ends_while_idle_is_not_noticed(wire):
    upstream, sidecar = wire
    for body in (ASK, STREAM, ASK):
        upstream.reset()
        gone = threading.Event()

        def script(connection):
            connection.send(whole(with_length(), connection))
            gone.set()
            return "close"
        upstream.always(script)
        for _ in range(5):
            assert text_of(ask(sidecar, body), body) == TEXT
            assert gone.wait(5)


def flows(upstream, sidecar):
    """Each event reaches the client before the upstream says the next."""
    upstream.reset()
    heard = [threading.Event() for _ in range(20)]

    def script(connection):
        connection.begin()
        for number, word in enumerate(heard):
            connection.event({"choices": [{"index": 0, "delta": {"content": f"<{number}>"}}]})
            assert word.wait(5)
        connection.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        connection.event("[DONE]")
        connection.end()
    upstream.always(script)
    sock, data = sidecar.open_request(STREAM), b""
    for number, word in enumerate(heard):
        while b"<%d>" % number not in data:
            data += sock.recv(65536)
        word.set()
    while b"message_stop" not in data:
        data += sock.recv(65536)
    sock.close()


def test_a_stream_flows_while_it_comes(wire):
    flows(*wire)


def test_a_stream_flows_over_a_socket_file(unix):
    upstream, sidecar = unix
    for _ in range(5):
        flows(upstream, sidecar)
    assert upstream.requests[0].headers["authorization"] == f"Bearer {UPSTREAM_KEY}"


@pytest.mark.parametrize("form", [*STAYS, *ENDS])
def test_a_socket_file_takes_every_framing(unix, form):
    upstream, sidecar = unix
    upstream.reset()
    end = None if form in STAYS else "close"
    upstream.always(lambda c: c.send(whole({**STAYS, **ENDS}[form], c)) or end)
    accepted = upstream.accepted
    for body in (ASK, STREAM, ASK):
        assert text_of(ask(sidecar, body), body) == TEXT
    assert form in ENDS or upstream.accepted <= accepted + 1


# --- requests ------------------------------------------------------------------------------------


class Reader(Upstream):
    """Gives its script each connection behind the head, with the body unread."""

    def __init__(self, read, folder=None, room=None):
        self.read = read
        super().__init__(tls=serving(folder / "server.pem") if folder else None)
        if room:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)

    def _serve(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
        head, rest = data.split(b"\r\n\r\n", 1)
        request = Request(head, rest)
        self.requests.append(request)
        try:
            self.read(Connection(sock, request))
        finally:
            sock.close()


LARGE = {**ASK, "messages": [{"role": "user", "content": "".join(
    hashlib.sha256(b"%d" % n).hexdigest() for n in range(131_072))}]}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_slow_reader_gets_every_byte(folder, tls):
    def read(connection):
        request, step = connection.request, 0
        while len(request.raw) < int(request.headers["content-length"]):
            request.raw += connection.sock.recv(65536)
            step += 1
            if step % 16 == 0:
                time.sleep(0.01)
        connection.json(completion("got it"))
    upstream = Reader(read, folder if tls else None, room=16384)
    sidecar = before(upstream, folder)
    assert text_of(ask(sidecar, LARGE), ASK) == "got it"
    assert upstream.requests[0].body["messages"] == LARGE["messages"]
    assert len(upstream.requests) == 1
    assert sidecar.stop() == 0


ERROR = json.dumps({"error": {"message": "too much for me", "code": 413}}).encode()
EARLY = (b"HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n"
         b"content-length: %d\r\n\r\n%s" % (len(ERROR), ERROR))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_answer_may_come_before_the_request_is_whole(folder, tls):
    """As servers do that close in peace: the rest is read, and not looked at."""
    def read(connection):
        connection.send(EARLY)
        connection.wait_closed(5)
    upstream = Reader(read, folder if tls else None)
    sidecar = before(upstream, folder)
    for body in (LARGE, {**LARGE, "stream": True}):
        answer = ask(sidecar, body)
        assert answer.status_code == 413, answer.text
        assert "too much for me" in answer.json()["error"]["message"]
    assert len(upstream.requests) == 2
    assert sidecar.stop() == 0


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_answer_before_the_request_is_whole_may_end_in_a_reset(folder, tls):
    """The reset may overtake the answer: an error in any case, soon, and no second upload."""
    upstream = Reader(lambda connection: connection.send(EARLY), folder if tls else None)
    sidecar = before(upstream, folder)
    answer = ask(sidecar, LARGE)
    assert answer.status_code in (413, 502), answer.text
    assert len(upstream.requests) == 1
    assert sidecar.stop() == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_is_never_accepted_has_its_timeout(scheme):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        crowd = []
        # A queue that is full lets further connections wait for ever.
        while not crowd or eventually(lambda: crowd[-1].connect_ex(address) in (0, 106), 0.2):
            crowd.append(socket.socket())
            crowd[-1].setblocking(False)
        sidecar = Sidecar(OPENAI_BASE_URL=f"{scheme}://127.0.0.1:{address[1]}/v1",
                          CONNECT_TIMEOUT="300ms", MAX_RETRIES="0")
        started = time.monotonic()
        answer = ask(sidecar, ASK)
        assert 0.25 < time.monotonic() - started < 2
        assert answer.status_code in (502, 504) and "connect" in answer.text, answer.text
        assert sidecar.stop() == 0
        for sock in crowd:
            sock.close()
