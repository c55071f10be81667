"""JSON as Python reads it beside JSON as the sidecar reads and writes it: corpora and mutations.

The text stands inside a request, as the argument of a tool. What Python refuses is refused with 400,
what it takes reaches the upstream and means the same there.
"""

import http.client
import json
import math
import pathlib
import random

import pytest

from conftest import Sidecar
from upstream import Upstream, completion

CORPUS = pathlib.Path(__file__).parents[1] / "Fuzz/Corpus/json"
FRAME = (b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant",'
         b'"content":[{"type":"tool_use","id":"t","name":"f","input":{"v":', b'}}]},{"role":"user",'
         b'"content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}]}')
PIECES = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"\\ud83d", b"\\ude00", b"0", b"-",
          b".", b"e", b"E+", b"1e400", b"9" * 30, b"0.1", b"null", b"true", b"false", b"NaN", b"//",
          b" ", b"\n", b"\t", b"\x0b", b"\xa0", b"\xc3", b"\xff", b"\x00", b"\x1f", b"\x7f",
          "é".encode(), "𝄞".encode(), "\u2028".encode(), b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"a":1',
          b'"a":2', b'""', b"[[", b"]]"]
ROUNDS = 6000


@pytest.fixture(scope="module")
def pair():
    upstream = Upstream()
    upstream.always(completion())
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, MAX_RETRIES="0", WORKERS="1", LOG_LEVEL="off")
    yield sidecar, upstream
    assert sidecar.stop() == 0


def refuse(word):
    raise ValueError(word)


def read(data):
    """What Python makes of a text; a number stays a number of its own kind."""
    return json.loads(data.decode(), parse_constant=refuse)


def reference(data):
    """Whether Python takes a request with a text in it, and the value."""
    try:
        return True, read(FRAME[0] + data + FRAME[1])["messages"][1]["content"][0]["input"]
    except (ValueError, RecursionError):
        return False, None
    except (KeyError, TypeError, IndexError):
        return None, None  # the text has broken out of its place: another request, no argument


def numbers(value):
    if isinstance(value, list):
        return [n for v in value for n in numbers(v)]
    if isinstance(value, dict):
        return [n for v in value.values() for n in numbers(v)]
    return [value] if isinstance(value, (int, float)) else []


def strings(value):
    if isinstance(value, list):
        return [s for v in value for s in strings(v)]
    if isinstance(value, dict):
        return [*value, *(s for v in value.values() for s in strings(v))]
    return [value] if isinstance(value, str) else []


def is_beyond(value):
    """What RFC 8259 leaves to its reader: numbers no machine word holds, halves of a pair."""
    return (any(math.isinf(n) or abs(n) >= 2**63 for n in numbers(value))
            or any("\ud800" <= c <= "\udfff" for s in strings(value) for c in s))


def texts():
    """Texts of the corpus, and mutations of them; the same in every run."""
    chance = random.Random(8259)
    seeds = [path.read_bytes()[1:600] for path in sorted(CORPUS.iterdir())]
    seeds += [b'{"a":[1,-2.5e-3,"x\\u00e9\\n",null,{"b":{}}],"c":"\xf0\x9d\x84\x9e"}', b'"\\ud834\\udd1e"',
              b"[" * 40 + b"]" * 40, b"-0", b"1.0", b"1E2", b"123456789012345678", b'{"":""}']
    yield from seeds
    for _ in range(ROUNDS):
        text = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            start = chance.randint(0, len(text))
            end = min(len(text), start + chance.choice((0, 0, 1, 1, 2, 8)))
            text[start:end] = chance.choice(PIECES) if chance.random() < 0.8 else b""
        yield bytes(text)


def test_json_is_read_and_written_as_python_does(pair):
    sidecar, upstream = pair
    taken = refused = 0
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.port, timeout=10)
    for text in texts():
        accepts, expected = reference(text)
        if accepts is None:
            continue
        upstream.requests.clear()
        connection.request("POST", "/v1/messages", FRAME[0] + text + FRAME[1])
        answer = connection.getresponse()
        said = answer.read()
        if answer.status == 400:
            assert not accepts or is_beyond(expected), (text, said)
            refused += 1
            continue
        assert answer.status == 200 and accepts, (text, said)
        call = upstream.requests[0].body["messages"][1]["tool_calls"][0]["function"]
        if not is_beyond(expected):
            assert read(call["arguments"].encode()) == expected, (text, call)
        taken += 1
    assert taken > ROUNDS / 20 and refused > ROUNDS / 2, (taken, refused)
    connection.close()
