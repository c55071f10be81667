"""Upstreams that speak HTTP/2."""

import concurrent.futures
import json
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import httpx
import pytest

from conftest import ASK, Sidecar
from test_credentials import certify
from upstream import completion, text_stream

STREAM = {**ASK, "stream": True}


class Upstream:
    """Answers each request by its script, over as few connections as the client makes."""

    def __init__(self, script, context):
        self.script, self.context = script, context
        self.connections, self.requests = 0, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            sock, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            with self.context.wrap_socket(sock, server_side=True) as sock:
                self.converse(sock)
        except (OSError, h2.exceptions.ProtocolError):
            pass  # after a good-bye nothing is heard

    def converse(self, sock):
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        session.initiate_connection()
        sock.sendall(session.data_to_send())
        bodies = {}
        while data := sock.recv(65536):
            for event in session.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.requests.append(dict(event.headers))
                    bodies[event.stream_id] = b""
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] += event.data
                    session.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    body = json.loads(bodies.pop(event.stream_id))
                    self.script(session, event.stream_id, body)
            sock.sendall(session.data_to_send())


def head(session, stream, kind="text/event-stream"):
    session.send_headers(stream, [(":status", "200"), ("content-type", kind)])


def answer(session, stream, body):
    if body.get("stream"):
        head(session, stream)
        for part in text_stream("over", " two"):
            text = part if isinstance(part, str) else json.dumps(part)
            session.send_data(stream, f"data: {text}\n\n".encode())
        session.end_stream(stream)
    else:
        head(session, stream, "application/json")
        session.send_data(stream, json.dumps(completion("over two")).encode(), end_stream=True)


def post(sidecar, body=ASK):
    return httpx.post(sidecar.url + "/v1/messages", json=body, timeout=30)


@pytest.fixture
def folder(tmp_path):
    certify(tmp_path, "upstream")
    return tmp_path


def tls(folder, *protocols):
    path = folder / "upstream.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path.with_suffix(".key"))
    context.set_alpn_protocols(protocols)
    return context


def started(port, folder, **settings):
    return Sidecar(OPENAI_BASE_URL=f"https://localhost:{port}/v1", WORKERS="1",
                   UPSTREAM_HTTP_VERSION="2", UPSTREAM_CA_FILE=str(folder / "upstream.pem"),
                   **settings)


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["json", "stream"])
def test_requests_share_a_connection(folder, body):
    upstream = Upstream(answer, tls(folder, "h2"))
    sidecar = started(upstream.port, folder)
    assert "over" in post(sidecar, body).text
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(sidecar, body), range(24)))
    assert all(a.status_code == 200 and "two" in a.text for a in answers)
    assert upstream.connections == 1 and len(upstream.requests) == 25
    names = set(upstream.requests[-1])
    assert {b":authority", b"content-type"} <= names and b"expect" not in names
    assert sidecar.stop() == 0


def test_a_server_that_knows_no_better_gets_http_1(folder):
    context = tls(folder, "http/1.1")
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def serve():
        with context.wrap_socket(listener.accept()[0], server_side=True) as sock:
            seen.append(sock.recv(65536))
            body = json.dumps(completion("one")).encode()
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                         b"content-length: %d\r\n\r\n%s" % (len(body), body))
            sock.recv(65536)
    threading.Thread(target=serve, daemon=True).start()
    sidecar = started(listener.getsockname()[1], folder)
    assert post(sidecar).status_code == 200
    assert seen[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert sidecar.stop() == 0


def once(fault):
    """A script whose first request meets a fault."""
    left = [1]

    def script(session, stream, body):
        if left:
            left.pop()
            fault(session, stream)
        else:
            answer(session, stream, body)
    return script


def refuse(session, stream):
    session.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)


def go_away(session, stream):
    session.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=0)


@pytest.mark.parametrize("fault", [refuse, go_away])
@pytest.mark.parametrize("body", [ASK, STREAM], ids=["json", "stream"])
def test_what_was_not_processed_is_asked_again(folder, fault, body):
    upstream = Upstream(once(fault), tls(folder, "h2"))
    sidecar = started(upstream.port, folder)
    answer = post(sidecar, body)
    assert answer.status_code == 200 and "two" in answer.text, answer.text
    assert sidecar.stop() == 0


@pytest.mark.parametrize("end", [
    lambda session, stream: session.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR),
    lambda session, stream: session.end_stream(stream),
], ids=["reset", "end"])
def test_a_stream_that_is_cut_is_no_success(folder, end):
    def script(session, stream, body):
        head(session, stream)
        for part in text_stream("half", " of it")[:-3]:
            session.send_data(stream, f"data: {json.dumps(part)}\n\n".encode())
        end(session, stream)
    sidecar = started(Upstream(script, tls(folder, "h2")).port, folder, MAX_RETRIES="0")
    answer = post(sidecar, STREAM)
    assert "message_stop" not in answer.text
    assert answer.status_code != 200 or "event: error" in answer.text
    assert sidecar.stop() == 0
