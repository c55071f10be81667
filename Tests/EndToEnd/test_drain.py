"""The end of the process under load, by signal and by request."""

import json
import selectors
import signal
import socket
import threading
import time

import httpx
import pytest

from conftest import ASK, Sidecar, eventually
from upstream import PATIENCE, chunk, text_stream

STREAM = {**ASK, "stream": True}
STREAMS = 200


def own_sidecar(upstream, **settings):
    return Sidecar(OPENAI_BASE_URL=upstream.url, ADMIN_PORT="0", ADMIN_HOST="127.0.0.1",
                   **settings)


def admin(sidecar, path):
    return httpx.get(f"http://{sidecar.addresses['admin']}{path}")


def outcomes(sidecar):
    """How many exchanges ended how, by the log."""
    found = [json.loads(line)["outcome"] for line in sidecar.whole_log()
             if '"msg":"request"' in line]
    return {outcome: found.count(outcome) for outcome in set(found)}


def read_all(socks, until=None):
    """Reads many sockets side by side to their ends, or until each has said something."""
    data = {sock: b"" for sock in socks}
    with selectors.DefaultSelector() as selector:
        for sock in socks:
            selector.register(sock, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(20)
            assert ready, "a stream has stopped"
            for key, _ in ready:
                more = key.fileobj.recv(65536)
                data[key.fileobj] += more
                if not more or (until and until in data[key.fileobj]):
                    selector.unregister(key.fileobj)
    return [data[sock] for sock in socks]


def test_two_hundred_streams_end_well(upstream):
    release = threading.Event()
    count = [0]
    lock = threading.Lock()

    def script(connection):
        with lock:
            count[0] += 1
            can_finish = count[0] % 2 == 0
        connection.begin()
        connection.event(chunk({"content": "one"}))
        release.wait(20)
        if not can_finish:
            return connection.wait_closed(20) and "close"
        for item in [chunk({"content": "two"}), chunk({}, "stop"), "[DONE]"]:
            connection.event(item)
        connection.end()
    upstream.always(script)
    sidecar = own_sidecar(upstream, DRAIN_TIMEOUT="4s")
    socks = [sidecar.open_request(STREAM) for _ in range(STREAMS)]
    starts = read_all(socks, until=b"one")
    # A client of httpx takes a while to make, and the drain is under way.
    with httpx.Client(base_url=f"http://{sidecar.addresses['admin']}") as asking:
        sidecar.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: asking.get("/readyz").status_code == 503)
        assert asking.get("/livez").status_code == 200
        # Readiness has fallen before anything has ended.
        metrics = asking.get("/metrics").text
        assert "claude_sidecar_draining 1" in metrics
        assert f"claude_sidecar_streams_in_flight {STREAMS}" in metrics
        late = asking.post(sidecar.url + "/v1/messages", json=ASK)
        assert late.status_code == 529 and late.json()["error"]["type"] == "overloaded_error"
        assert late.headers["connection"] == "close" and late.headers["retry-after"] == "1"
        assert 'rejected_total{reason="draining"} 1' in asking.get("/metrics").text
    release.set()
    rests = read_all(socks)
    whole = [start + rest for start, rest in zip(starts, rests)]
    finished = [data for data in whole if b"event: message_stop" in data]
    told = [data for data in whole if b"event: error" in data]
    assert len(finished) == len(told) == STREAMS // 2
    assert all(b"two" in data and b"event: error" not in data for data in finished)
    assert all(b"overloaded_error" in data and b"message_stop" not in data for data in told)
    assert sidecar.process.wait(5) == 0
    assert outcomes(sidecar) == {
        "completed": STREAMS // 2, "drained": STREAMS // 2, "error": 1}


def test_a_stream_that_never_pauses_is_told_too(upstream):
    def script(connection):
        connection.begin()
        while True:
            connection.event(chunk({"content": "word " * 100}))
    upstream.then(script)
    sidecar = own_sidecar(upstream, DRAIN_TIMEOUT="100ms")
    sock = sidecar.open_request(STREAM)
    read_all([sock], until=b"word")
    sidecar.process.send_signal(signal.SIGTERM)
    assert b"overloaded_error" in read_all([sock])[0]
    assert sidecar.process.wait(5) == 0
    assert outcomes(sidecar) == {"drained": 1}


def test_clients_that_stand_still_do_not_keep_it_from_ending(upstream):
    def script(connection):
        connection.begin()
        while True:
            connection.event(chunk({"content": "x" * 100_000}))
    upstream.then(script)
    sidecar = own_sidecar(upstream, DRAIN_TIMEOUT="100ms")
    # One never reads its stream, one never sends its body, one never asks.
    deaf = sidecar.open_request(STREAM)
    upstream.next_request()
    half = socket.create_connection(("127.0.0.1", sidecar.port), 5)
    half.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
    mute = socket.create_connection(("127.0.0.1", sidecar.port), 5)
    in_flight = 'claude_sidecar_requests_in_flight{route="messages"} 2'
    assert eventually(lambda: in_flight in admin(sidecar, "/metrics").text)
    begun = time.monotonic()
    sidecar.process.send_signal(signal.SIGTERM)
    assert sidecar.process.wait(10) == 0
    assert time.monotonic() - begun < 5
    for sock in (deaf, half, mute):
        sock.close()


def test_a_worker_that_has_ended_does_not_keep_word_from_others(upstream):
    upstream.always(lambda c: (c.begin(), c.event(chunk({"content": "one"})),
                               c.wait_closed(20)) and "close")
    sidecar = own_sidecar(upstream, DRAIN_TIMEOUT="200ms", WORKERS="8")
    # A few of the workers have a stream; the others end at once.
    socks = [sidecar.open_request(STREAM) for _ in range(4)]
    read_all(socks, until=b"one")
    sidecar.process.send_signal(signal.SIGTERM)
    assert all(b"overloaded_error" in text for text in read_all(socks))
    assert sidecar.process.wait(10) == 0
    for sock in socks:
        sock.close()


def test_an_idle_connection_does_not_delay_the_end(upstream):
    sidecar = own_sidecar(upstream)
    with httpx.Client() as client:
        assert client.get(sidecar.url + "/readyz").status_code == 200
        begun = time.monotonic()
        assert sidecar.stop() == 0
        assert time.monotonic() - begun < 1


@pytest.mark.parametrize("value, status", [("true", 0), ("false", 143)])
def test_the_exit_status_after_sigterm_is_a_setting(upstream, value, status):
    sidecar = own_sidecar(upstream, EXIT_ZERO_ON_SIGTERM=value)
    assert sidecar.stop() == status


def test_a_delay_serves_who_has_not_heard_yet(upstream):
    """An application beside us that gets SIGTERM in the same moment may still ask something."""
    upstream.then(text_stream("late"))
    sidecar = own_sidecar(upstream, DRAIN_DELAY=f"{PATIENCE:g}s")
    sidecar.process.send_signal(signal.SIGTERM)
    assert eventually(lambda: admin(sidecar, "/readyz").status_code == 503)
    assert "claude_sidecar_draining 1" in admin(sidecar, "/metrics").text
    answer = httpx.post(sidecar.url + "/v1/messages", json=STREAM)
    assert answer.status_code == 200 and "late" in answer.text
    assert sidecar.process.wait(5 * PATIENCE) == 0


def test_who_is_told_by_request_waits_for_nobody(upstream):
    sidecar = own_sidecar(upstream, DRAIN_DELAY="60s", ADMIN_QUIT="true")
    assert httpx.post(sidecar.url + "/quitquitquit").status_code == 200
    assert sidecar.process.wait(5) == 0


def cut_by_a_stop(upstream, **settings):
    upstream.then(lambda c: (c.begin(), c.event(chunk({"content": "one"})), c.wait_closed(20))
                  and "close")
    sidecar = own_sidecar(upstream, DRAIN_TIMEOUT="100ms", **settings)
    sock = sidecar.open_request(STREAM)
    read_all([sock], until=b"one")
    sidecar.process.send_signal(signal.SIGTERM)
    assert b"overloaded_error" in read_all([sock])[0]
    return sidecar


def test_streams_that_were_cut_are_seen_by_one_more_scrape(upstream):
    sidecar = cut_by_a_stop(upstream, LAST_SCRAPE_WAIT="60s")
    seen = []

    def is_over():
        try:
            seen.append(admin(sidecar, "/metrics").text)
        except httpx.TransportError:
            pass
        return sidecar.process.poll() is not None
    assert eventually(is_over) and sidecar.process.wait() == 0
    assert 'claude_sidecar_stream_outcomes_total{outcome="drained"} 1' in seen[-1]


def test_nobody_waits_for_a_scrape_for_ever_or_without_a_reason(upstream):
    assert cut_by_a_stop(upstream, LAST_SCRAPE_WAIT="200ms").process.wait(5) == 0
    sidecar = own_sidecar(upstream, LAST_SCRAPE_WAIT="60s")
    assert sidecar.stop() == 0


# --- /quitquitquit -------------------------------------------------------------------------------


@pytest.mark.parametrize("listener", ["main", "admin"])
def test_a_job_may_end_its_sidecar(upstream, listener):
    upstream.then(text_stream("a"))
    sidecar = own_sidecar(upstream, ADMIN_QUIT="true", EXIT_ZERO_ON_SIGTERM="false")
    url = f"http://{sidecar.addresses[listener]}/quitquitquit"
    assert httpx.get(url).status_code == 405
    assert sidecar.process.poll() is None
    assert httpx.post(url).status_code == 200
    assert sidecar.process.wait(5) == 0


def test_asking_twice_is_no_second_signal(upstream):
    release = threading.Event()

    def script(connection):
        connection.begin()
        connection.event(chunk({"content": "one"}))
        release.wait(10)
        for item in [chunk({}, "stop"), "[DONE]"]:
            connection.event(item)
        connection.end()
    upstream.then(script)
    sidecar = own_sidecar(upstream, ADMIN_QUIT="true")
    sock = sidecar.open_request(STREAM)
    read_all([sock], until=b"one")
    for _ in range(2):
        assert httpx.post(sidecar.url + "/quitquitquit").status_code == 200
    assert eventually(lambda: admin(sidecar, "/readyz").status_code == 503)
    release.set()
    assert b"message_stop" in read_all([sock])[0]
    assert sidecar.process.wait(5) == 0


def test_only_who_may_can_end_it(upstream, sidecar):
    off = httpx.post(sidecar.url + "/quitquitquit")
    assert off.status_code == 404 and "ADMIN_QUIT" in off.text
    other = own_sidecar(upstream, ADMIN_QUIT="true", HOST="0.0.0.0", PROXY_API_KEYS="k")
    browser = httpx.post(other.url + "/quitquitquit", headers={"origin": "http://evil"})
    assert browser.status_code == 403
    if address := own_address():
        outside = httpx.post(f"http://{address}:{other.port}/quitquitquit")
        assert outside.status_code == 403
    assert other.stop() == 0


def own_address():
    """An address of this machine that is not loopback; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        return sock.getsockname()[0]
