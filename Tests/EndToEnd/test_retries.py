"""What is asked again before the client has seen a byte, and what is not."""

import json
import socket
import threading
import time

import httpx
import pytest

from conftest import ASK, UPSTREAM_KEY, Sidecar, start
from upstream import Upstream, chunk, completion, text_stream

STREAM = {**ASK, "stream": True}
BODIES = pytest.mark.parametrize("body", [ASK, STREAM], ids=["json", "stream"])


@pytest.fixture
def patient(upstream):
    """A sidecar with two retries and a budget of its own."""
    yield from start(upstream, MAX_RETRIES="2")


def post(sidecar, body=ASK):
    return httpx.post(sidecar.url + "/v1/messages", json=body, timeout=30)


def answer_to(body, word):
    return text_stream(word) if body.get("stream") else completion(word)


def status(number, headers=(), **error):
    return lambda c: c.json({"error": {"message": "a bad moment", **error}}, number, headers)


def cut(connection):
    connection.reset()
    return "close"


def retries_of(sidecar, answer):
    return sidecar.log_of(answer.headers["request-id"]).get("retries", 0)


@BODIES
@pytest.mark.parametrize("failure", [
    *map(status, (429, 500, 502, 503, 504, 529)), cut,
    lambda c: c.json({"error": {"message": "busy", "code": 503}}),
], ids=["429", "500", "502", "503", "504", "529", "reset", "in-band"])
def test_a_bad_moment_is_waited_out(patient, upstream, body, failure):
    upstream.then(failure).then(answer_to(body, "well"))
    answer = post(patient, body)
    assert answer.status_code == 200 and "well" in answer.text
    assert len(upstream.requests) == 2
    assert upstream.requests[0].raw == upstream.requests[1].raw


def test_a_first_event_that_is_an_error_counts_as_its_status(patient, upstream):
    def script(connection):
        connection.begin()
        connection.event({"error": {"message": "overloaded", "code": 503}})
        connection.end()
    upstream.then(script).then(text_stream("second"))
    answer = post(patient, STREAM)
    assert answer.status_code == 200
    assert answer.text.count("message_start") == 2 and "second" in answer.text  # name and type
    upstream.then(script).then(script).then(script)
    assert post(patient, STREAM).status_code == 529


def test_an_error_that_is_told_outlives_the_end_that_comes_with_it(patient, upstream):
    event = b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'

    def script(connection):
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                        b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(event), event))
        return "close"
    for _ in range(3):
        upstream.then(script)
    answer = post(patient, STREAM)
    assert answer.status_code == 500 and answer.json()["error"]["message"] == "out of memory"


@BODIES
def test_no_more_attempts_than_allowed(patient, upstream, body):
    for _ in range(3):
        upstream.then(status(503))
    told = post(patient, body)
    assert told.status_code == 529 and told.json()["error"]["message"] == (
        "a bad moment (upstream status 503)")
    assert len(upstream.requests) == 3
    log = patient.log_of(told.headers["request-id"])
    assert log["retries"] == 2 and log["upstream_status"] == 503
    metrics = httpx.get(patient.url + "/metrics").text
    assert 'upstream_retries_total{reason="5xx"}' in metrics
    assert 'upstream_requests_total{code="503",attempt="retry"}' in metrics


@pytest.mark.parametrize("failure, code", [
    (status(400), 400), (status(401), 502), (status(402), 402), (status(404), 404),
    (status(429, code="insufficient_quota"), 402),
    (status(503, [("x-should-retry", "false")]), 529),
    (status(429, [("retry-after", "61")]), 429),
], ids=["400", "401", "402", "404", "billing", "should-retry", "retry-after"])
def test_what_a_retry_cannot_mend_is_told_at_once(patient, upstream, failure, code):
    upstream.then(failure)
    told = post(patient)
    assert told.status_code == code and len(upstream.requests) == 1
    if code == 429:
        assert told.headers["retry-after"] == "61"


def test_retry_after_is_obeyed(patient, upstream):
    upstream.then(status(429, [("retry-after", "1")])).then(completion("now"))
    begun = time.monotonic()
    assert post(patient).status_code == 200
    assert time.monotonic() - begun >= 1


def test_nothing_is_asked_again_once_the_client_has_seen_a_byte(patient, upstream):
    def script(connection):
        connection.begin()
        connection.event(chunk({"role": "assistant", "content": "half"}))
        return cut(connection)
    upstream.then(script)
    answer = post(patient, STREAM)
    assert answer.status_code == 200 and "half" in answer.text
    assert "event: error" in answer.text and "message_stop" not in answer.text
    assert len(upstream.requests) == 1


def test_a_client_that_leaves_ends_the_waiting(patient, upstream):
    upstream.then(status(429, [("retry-after", "30")]))
    sock = patient.open_request(ASK)
    upstream.next_request()
    sock.close()
    patient.wait_for(lambda: any("client_disconnect" in line for line in patient.lines))
    assert len(upstream.requests) == 1


def test_refused_connections_are_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sidecar = Sidecar(OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1")
    told = post(sidecar)
    assert told.status_code == 502 and "refused" in told.json()["error"]["message"]
    assert told.headers["x-should-retry"] == "true"
    assert retries_of(sidecar, told) == 2
    assert sidecar.stop() == 0


def test_an_outage_is_not_multiplied(upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=UPSTREAM_KEY)
    upstream.always(status(503))
    with httpx.Client(timeout=30) as client:
        threads = [threading.Thread(target=lambda: [
            client.post(sidecar.url + "/v1/messages", json=ASK) for _ in range(10)])
            for _ in range(4)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # Ten to begin with, one a second, a fifth of forty; without the budget it would be eighty.
    allowed = 10 + (time.monotonic() - begun) + 40 / 5
    assert 40 < len(upstream.requests) <= 40 + allowed + 1
    assert sidecar.stop() == 0


# --- connections that were kept ------------------------------------------------------------------


class Stale(Upstream):
    """Answers the first request of its first connections, and lets these die with the second."""

    def __init__(self, die, doomed=1):
        self.die, self.doomed, self.connections = die, doomed, 0
        self.all_here = threading.Barrier(doomed)
        super().__init__()

    def _serve(self, sock):
        self.connections += 1
        if self.connections > self.doomed:
            return super()._serve(sock)
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
        self.all_here.wait(5)
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ")
        body = json.dumps(completion("first")).encode()
        sock.sendall(b"%d\r\n\r\n%s" % (len(body), body))
        self.die(sock)


def dies_while_idle(sock):
    sock.close()


def dies_with_the_head(sock):
    sock.recv(1)
    sock.close()


@pytest.mark.parametrize("die", [dies_while_idle, dies_with_the_head],
                         ids=lambda f: f.__name__)
@pytest.mark.parametrize("size", [10, 3_000_000], ids=["small", "large"])
def test_a_dead_connection_is_replaced_in_silence(die, size):
    upstream = Stale(die).then(completion("second"))
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, MAX_RETRIES="0", WORKERS="1")
    assert "first" in post(sidecar).text
    body = {**ASK, "messages": [{"role": "user", "content": "x" * size}]}
    answer = post(sidecar, body)
    assert answer.status_code == 200 and "second" in answer.text, answer.text
    assert upstream.requests[0].body["messages"][0]["content"] == "x" * size
    # By libcurl, or, where the upload had begun, by our one silent retry: MAX_RETRIES is 0.
    assert retries_of(sidecar, answer) <= 1
    assert sidecar.stop() == 0


def test_a_pool_of_dead_connections_is_left_at_once():
    # libcurl gives up behind the fifth; nothing of an answer has come, so a new one is asked.
    upstream = Stale(dies_with_the_head, doomed=8).then(completion("new"))
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, MAX_RETRIES="0", WORKERS="1")
    threads = [threading.Thread(target=post, args=(sidecar,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer = post(sidecar)
    assert answer.status_code == 200 and "new" in answer.text, answer.text
    assert retries_of(sidecar, answer) == 1
    assert 'upstream_retries_total{reason="stale_conn"} 1' in httpx.get(
        sidecar.url + "/metrics").text
    assert sidecar.stop() == 0
