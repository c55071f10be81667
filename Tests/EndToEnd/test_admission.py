"""Too much at once is refused at once, before it is read."""

import json
import socket
import statistics

import httpx
import pytest

from conftest import ASK, Sidecar, eventually
from upstream import completion

KIB = 1 << 10


def metrics(sidecar):
    """The samples of a scrape, by name and labels as they are written."""
    lines = httpx.get(sidecar.url + "/metrics").text.splitlines()
    return {name.removeprefix("claude_sidecar_"): float(value)
            for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def big(count):
    return {**ASK, "messages": [{"role": "user", "content": "x" * count}]}


@pytest.fixture
def tight(upstream):
    """A sidecar in which a hundred kibibytes fit, and four exchanges."""
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, MEMORY_BUDGET=str(200 * KIB),
                      MAX_CONCURRENT_REQUESTS="4")
    yield sidecar
    assert sidecar.stop() == 0


def announce(sidecar, count):
    """The head of a request and the first byte of its body; the open socket."""
    sock = socket.create_connection(("127.0.0.1", sidecar.port), 5)
    sock.sendall(f"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: {count}\r\n\r\n{{"
                 .encode())
    return sock


def held(sidecar):
    return metrics(sidecar)["inflight_body_bytes"]


def test_a_body_over_the_budget_is_refused_before_it_is_sent(tight):
    assert metrics(tight)["memory_budget_bytes"] == 200 * KIB
    first = announce(tight, 100 * KIB)
    assert eventually(lambda: held(tight) > 100 * KIB)
    second = announce(tight, 100 * KIB)
    answer = second.recv(65536).decode()
    head, body = answer.split("\r\n\r\n")
    assert head.startswith("HTTP/1.1 529 ") and "retry-after: 1" in head
    assert "connection: close" in head
    assert json.loads(body)["error"]["type"] == "overloaded_error"
    assert metrics(tight)['rejected_total{reason="budget"}'] == 1
    for sock in (first, second):
        sock.close()
    assert eventually(lambda: held(tight) == 0)


def test_a_body_without_a_length_is_refused_when_there_is_no_more_room(tight):
    first = announce(tight, 50 * KIB)
    assert eventually(lambda: held(tight) > 50 * KIB)
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    answer = tight.raw(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
                       b"\r\n" + 4 * chunk)
    assert answer.startswith(b"HTTP/1.1 529 ")
    assert metrics(tight)['rejected_total{reason="budget"}'] == 1
    first.close()
    assert eventually(lambda: held(tight) == 0)


def test_a_body_over_the_whole_budget_is_served_when_it_is_alone(tight, upstream):
    upstream.then(completion())
    assert httpx.post(tight.url + "/v1/messages", json=big(400 * KIB)).status_code == 200
    assert eventually(lambda: held(tight) == 0)


def test_an_answer_counts_too(tight, upstream):
    other = announce(tight, 50 * KIB)
    assert eventually(lambda: held(tight) > 50 * KIB)
    upstream.then(completion("x" * 200 * KIB))
    answer = httpx.post(tight.url + "/v1/messages", json=ASK)
    assert answer.status_code == 529 and "memory" in answer.text
    other.close()
    assert eventually(lambda: held(tight) == 0)


def test_to_refuse_takes_microseconds(tight):
    socks = [announce(tight, 10) for _ in range(4)]
    assert eventually(lambda: metrics(tight)['requests_in_flight{route="messages"}'] == 4)
    with httpx.Client() as client:
        ids = [client.post(tight.url + "/v1/messages", json=ASK).headers["request-id"]
               for _ in range(50)]
    lines = [tight.log_of(id) for id in ids]
    assert {line["status"] for line in lines} == {529}
    # The middle one: anything can hold up a single one.
    assert statistics.median(line["duration_ms"] for line in lines) < 1
    for sock in socks:
        sock.close()


def test_more_exchanges_than_allowed_are_refused(tight):
    socks = [announce(tight, 10) for _ in range(4)]
    assert eventually(lambda: metrics(tight)['requests_in_flight{route="messages"}'] == 4)
    answer = httpx.post(tight.url + "/v1/messages", json=ASK)
    assert answer.status_code == 529 and answer.headers["retry-after"] == "1"
    # Probes are not counted among them.
    assert httpx.get(tight.url + "/readyz").status_code == 200
    assert metrics(tight)['rejected_total{reason="concurrency"}'] == 1
    for sock in socks:
        sock.close()
