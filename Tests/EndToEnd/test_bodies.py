"""Bodies that mean harm: deep, wide, long, compressed, not UTF-8. Time and memory stay linear."""

import gzip
import json
import os
import re
import time
import zlib

import httpx
import pytest

from conftest import ASK, Sidecar
from test_edges import resident
from upstream import completion

MIB = 1 << 20


@pytest.fixture(scope="module")
def roomy(shared_upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=shared_upstream.url, MAX_REQUEST_BYTES="40MiB", WORKERS="1")
    yield sidecar
    assert sidecar.stop() == 0


def post(sidecar, body, **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(sidecar.url + "/v1/messages", content=body, timeout=60,
                      headers={k.replace("_", "-"): v for k, v in headers.items()})


def with_content(content):
    """A request around a piece of JSON text."""
    return (b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":' + content + b"}]}")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(sidecar, body, status):
    """CPU seconds of the sidecar for a request: other processes do not count."""
    before = cpu_seconds(sidecar.process.pid)
    answer = post(sidecar, body)
    assert answer.status_code == status, answer.text[:300]
    return cpu_seconds(sidecar.process.pid) - before


# Each makes a body of about n bytes, and says how it is answered.
SHAPES = {
    "one long string": (lambda n: with_content(b'"' + b"a" * n + b'"'), 200),
    "one string of escapes": (lambda n: with_content(b'"' + b"\\u00e9" * (n // 6) + b'"'), 200),
    "one string of quotes": (lambda n: with_content(b'"' + b'\\"' * (n // 2) + b'"'), 200),
    "one string of halves": (lambda n: with_content(b'"' + b"\\ud83d" * (n // 6) + b'"'), 200),
    "deep arrays": (lambda n: with_content(b"[" * n), 400),
    "deep objects": (lambda n: with_content(b'{"a":' * (n // 5)), 400),
    "deep tool input": (lambda n: with_content(
        b'[{"type":"tool_use","id":"a","name":"f","input":' + b"[" * n), 400),
    "many keys": (lambda n: with_content(
        b"{" + b",".join(b'"k%07d":1' % i for i in range(n // 12)) + b"}"), 400),
    "many keys in a tool input": (lambda n: b'{"model":"m","max_tokens":9,"messages":['
        b'{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"a",'
        b'"name":"f","input":{' + b",".join(b'"k%07d":1' % i for i in range(n // 12)) + b"}}]},"
        b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}]}', 200),
    "many small values": (lambda n: with_content(b"[" + b"{}," * (n // 3) + b"{}]"), 400),
    "a long number": (lambda n: b'{"model":"m","temperature":1' + b"0" * n
        + b',"max_tokens":9,"messages":[{"role":"user","content":"a"}]}', 200),
    "white space": (lambda n: with_content(b'"a"').replace(b":", b":" + b" " * (n // 8)), 200),
    "a text that ends too early": (lambda n: with_content(b'"' + b"a" * n)[:-5], 400),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_body_twice_as_long_costs_twice_as_much(roomy, upstream, name):
    upstream.always(completion())
    make, status = SHAPES[name]
    if name == "a long number":
        status = post(roomy, make(100)).status_code
    size = 4 * MIB
    cost(roomy, make(size), status)
    # Clock ticks are coarse: a quadratic pass over so much takes minutes.
    once = min(cost(roomy, make(size), status) for _ in range(2))
    twice = min(cost(roomy, make(2 * size), status) for _ in range(2))
    assert twice < 3.5 * once + 0.1, (once, twice)


def messages(count):
    turns = [{"role": "user" if i % 2 == 0 else "assistant", "content": "x"} for i in range(count)]
    return json.dumps({"model": "m", "max_tokens": 9, "messages": turns}).encode()


def test_many_messages_cost_linear_time_up_to_a_limit(roomy, upstream):
    upstream.always(completion())
    cost(roomy, messages(1000), 200)
    once, twice = cost(roomy, messages(20_001), 200), cost(roomy, messages(40_001), 200)
    assert twice < 3.5 * once + 0.1, (once, twice)
    # Each of them is three values: the limit of values comes before that of messages.
    assert cost(roomy, messages(100_001), 400) < 5


def test_a_million_keys_cost_a_second(roomy, upstream):
    """What a tool was called with is passed on as it is; anywhere else so many are refused."""
    upstream.always(completion())
    for name, status in (("many keys in a tool input", 200), ("many keys", 400)):
        body = SHAPES[name][0](12_000_000)
        assert body.count(b'"k') == 1_000_000
        assert cost(roomy, body, status) < 3


def test_the_longest_body_is_translated_in_bounded_memory(roomy, upstream):
    upstream.always(completion())
    body = with_content(b'"' + b"a" * (32 * MIB) + b'"')
    assert post(roomy, body).status_code == 200
    base = resident(roomy.process.pid)
    for _ in range(4):
        assert post(roomy, body).status_code == 200
    assert resident(roomy.process.pid) - base < 40 * MIB


INVALID = [b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xff",
           b"\xf0\x8f\xbf\xbf"]
PLACES = [
    lambda bad: with_content(b'"' + bad + b'"'),
    lambda bad: with_content(b'"a"').replace(b'"m"', b'"' + bad + b'"'),
    lambda bad: with_content(b'"a"').replace(b'"role"', b'"' + bad + b'"'),
    lambda bad: with_content(b'[{"type":"text","text":"' + bad + b'"}]'),
    lambda bad: with_content(b'"a"')[:-1] + b',"tools":[{"name":"f","input_schema":{"a":"' + bad
    + b'"}}]}',
    lambda bad: with_content(b'"a"')[:-1] + b',"' + bad + b'":1}',
    lambda bad: bad + with_content(b'"a"'),
    lambda bad: with_content(b'"a"') + bad,
    lambda bad: with_content(b'"a"' + bad),
]


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_what_is_not_utf8_is_refused_wherever_it_stands(sidecar, upstream, place):
    for bad in INVALID:
        answer = post(sidecar, PLACES[place](bad))
        assert answer.status_code == 400 and "not valid JSON" in answer.text, bad
    assert not upstream.requests


def test_a_zero_byte_does_not_end_a_body(sidecar, upstream):
    for tail in (b"\0", b"\0}", b"\0{}"):
        assert post(sidecar, with_content(b'"a"') + tail).status_code == 400
    assert not upstream.requests


def test_a_model_of_any_length_is_no_name(sidecar, upstream):
    answer = post(sidecar, {**ASK, "model": "a" * MIB})
    assert answer.status_code == 400 and len(answer.text) < 1000
    assert not upstream.requests


# --- gzip ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
def test_a_compressed_body_is_read(sidecar, upstream, coding):
    upstream.then(completion())
    answer = post(sidecar, gzip.compress(json.dumps(ASK).encode()), content_encoding=coding)
    assert answer.status_code == 200
    assert upstream.next_request().body["messages"] == ASK["messages"]


def test_a_large_compressed_body_is_read(sidecar, upstream):
    upstream.then(completion())
    text = " ".join(str(i * i) for i in range(200_000))
    body = {**ASK, "messages": [{"role": "user", "content": text}]}
    answer = post(sidecar, gzip.compress(json.dumps(body).encode()), content_encoding="gzip")
    assert answer.status_code == 200
    assert upstream.next_request().body["messages"][0]["content"] == text


def bomb(size):
    return gzip.compress(b"a" * size, 9)


@pytest.mark.parametrize("body, status, words", [
    (bomb(3 * MIB), 400, "compressed more than"),
    (bomb(64 * MIB), 413, "larger than"),
    (bomb(3 * MIB)[:-4] + b"\x10\0\0\0", 400, "damaged"),
    (gzip.compress(b"{}") + gzip.compress(b"{}"), 400, "damaged"),
    (gzip.compress(b"{}")[:-1], 400, "damaged"),
    (b"", 400, "damaged"), (b"{}", 400, "damaged"), (zlib.compress(b"{}"), 400, "damaged"),
    (gzip.compress(b"[" * 100_000), 400, "nested deeper"),
], ids=["ratio", "size", "lying", "two", "cut", "empty", "plain", "zlib", "inside"])
def test_a_compressed_body_that_means_harm_is_refused(sidecar, upstream, body, status, words):
    base = resident(sidecar.process.pid)
    answer = post(sidecar, body, content_encoding="gzip")
    assert answer.status_code == status and words in answer.text
    assert resident(sidecar.process.pid) - base < 8 * MIB
    assert not upstream.requests


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_another_coding_is_refused_by_its_code(sidecar, upstream, coding):
    answer = post(sidecar, b"{}", content_encoding=coding)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["error_code"] == "request_body_encoding_unsupported"


def test_the_log_tells_no_more_of_a_long_request(sidecar, upstream):
    """What a client chooses does not choose the length of our lines."""
    upstream.then(completion())
    answer = httpx.post(sidecar.url + "/v1/messages?" + "q" * 4000, json=ASK,
                        headers={"user-agent": "u" * 4000, "x-claude-code-session-id": "s" * 4000})
    line = json.dumps(sidecar.log_of(answer.headers["request-id"]))
    assert len(line) < 2000 and not re.search("q{50}|u{50}|s{65}", line)
