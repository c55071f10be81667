"""The same heads through our parser and through h11, a strict one; each difference is explained.

Every request goes to a route that answers by itself, and a second request follows on the same
connection: the number of answers tells where the first one was thought to end.
"""

import random
import re
import socket

import h11
import httpx
import pytest

from conftest import Sidecar, eventually, read_all

HEADS = 3000
BODY = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
NEXT = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

METHODS = [b"POST"] * 9 + [
    b"P(ST", b"", b"PO ST", b"P\x00ST", b"P\xc3\x96ST", b"POST\t", b"POST:"]
TARGETS = [b"/v1/messages/count_tokens"] * 12 + [
    b"*", b"/a b", b"/a#b", b"/a\x00", b"http://h/v1/messages/count_tokens", b"http:///", b"a", b"",
    b"/\xc3\xa9", b"/v1/messages/count_tokens?x=" + b"y" * 9000]
VERSIONS = [b"HTTP/1.1"] * 12 + [
    b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/1.11", b"HTTP/1", b"",
    b"HTTP/1.1 "]
FRAMINGS = [b"Content-Length: %d\r\n" % len(BODY)] * 8 + [b"Transfer-Encoding: chunked\r\n"] * 5 + [
    b"Content-Length: %d\r\nContent-Length: %d\r\n" % (len(BODY), len(BODY)),
    b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: %d, %d\r\n" % (len(BODY), len(BODY)),
    b"Content-Length: +5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 0x38\r\n",
    b"Content-Length:\r\n", b"Content-Length: 9%s\r\n" % (b"9" * 30), b"Content-Length: 5 6\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: \x0bchunked\r\n", b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: CHUNKED\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(BODY),
    b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(BODY), b""]
HOSTS = [b"Host: a\r\n"] * 15 + [b"", b"Host: a\r\nHost: a\r\n", b"Host: a b\r\n", b"Host:\r\n",
                               b"Host: u@a\r\n"]
FIELDS = [b""] * 12 + [
    b"X: y\r\n", b"X:y \r\n", b"X : y\r\n", b" X: y\r\n", b"X: a\r\n b\r\n", b"X: \x00\r\n",
    b"X: a\rb\r\n", b"X: a\nb\r\n", b"X: \x01\r\n", b"X\xc3: y\r\n", b": y\r\n", b"X\r\n",
    b"X: \xff\r\n", b"X: \x7f\r\n", b"X: " + b"y" * 17000 + b"\r\n", b"A: b\r\n" * 120,
    b"Expect: 100-continue\r\n", b"Expect: x\r\n", b"Connection: close\r\n",
    b"Connection: keep-alive\r\n", b"Upgrade: h2c\r\nConnection: upgrade\r\n", b"X:\ty\t\r\n"]
CHUNKS = [b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)] * 8 + [
    b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), b"%X \r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    b"0%x\r\n%s\r\n0\r\nA: b\r\n\r\n" % (len(BODY), BODY), b"+5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n", b"5\nhello\n0\n\n", b"ffffffffffffffffff\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"0\r\nA b\r\n\r\n"]
STARTS = [b""] * 20 + [b"\r\n", b"\r\n\r\n\r\n", b"\n"]
ENDS = [b"\r\n"] * 20 + [b"\n"]

# What h11 takes and we refuse, or the other way round: where it shows in the bytes, and why.
REFUSED_HERE = [
    (rb"(?<!\r)\n", "a line must end in CRLF: RFC 9112, 2.2 allows to refuse a bare LF"),
    (rb"\r\n[ \t]", "obs-fold must be refused or replaced: RFC 9112, 5.2"),
    (rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]", "control characters are not allowed in values: RFC 9110, 5.5"),
    (rb"(?s)content-length:.*content-length:", "a repeated length may be refused: RFC 9110, 8.6"),
    (rb"content-length: \d+, ", "a list of lengths may be refused: RFC 9110, 8.6"),
    (rb"(?s)transfer-encoding.*content-length|content-length.*transfer-encoding",
     "both framings are an attack: RFC 9112, 6.3"),
    (rb" http/(1\.[2-9]|0\.9|2\.0)", "we speak 1.1 and 1.0 only: 505"),
    (rb"(?s)http/1\.0.*transfer-encoding", "HTTP/1.0 has no transfer codings: RFC 9112, 6.1"),
    (rb"^\S+ (\*|a|[^/h]\S*|\S*#\S*|http:///) ", "a target has one of four forms: RFC 9112, 3.2"),
    (rb"host: \S*[ @]", "a host with a space, or with user information: RFC 9110, 7.2"),
    (rb"expect: x", "another expectation: 417, RFC 9110, 10.1.1"),
    (rb"y{9000}", "a longer request line than ours: 414"),
    (rb"(a: b\r\n){101}", "more header fields than ours: 431"),
    (rb"[0-9a-f]+ +\r\n", "white space behind a chunk's size is no part of the grammar: RFC 9112, 7.1"),
]
REFUSED_THERE = [
    (rb"^(\r\n){1,2}\S", "an empty line before a request is to be ignored: RFC 9112, 2.2"),
]


def heads():
    """Requests with one or two things wrong, from a fixed seed."""
    rng = random.Random(20261125)
    for _ in range(HEADS):
        framing, chunks = rng.choice(FRAMINGS), rng.choice(CHUNKS)
        line = b" ".join((rng.choice(METHODS), rng.choice(TARGETS), rng.choice(VERSIONS)))
        body = chunks if b"chunked" in framing.lower() else BODY
        fields = [rng.choice(HOSTS), framing, rng.choice(FIELDS)]
        rng.shuffle(fields)
        yield (rng.choice(STARTS) + line + rng.choice(ENDS) + b"".join(fields) + b"\r\n"
               + (body if framing else b""))


def reference(data):
    """How many requests h11 finds, and the bytes of their bodies; 0 for one that is wrong somewhere."""
    count, size, sizes = 0, 0, 0
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    try:
        while True:
            event = connection.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                if event is not h11.PAUSED or connection.our_state is not h11.SEND_RESPONSE:
                    return count, sizes
                connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    return count, sizes
                connection.start_next_cycle()
            elif isinstance(event, h11.Data):
                size += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                count, size, sizes = count + 1, 0, sizes + size
                if count == 2:
                    return 2, sizes
    except h11.RemoteProtocolError:
        return count, sizes


REFUSALS = {400, 408, 413, 414, 417, 431, 501, 505}


def ours(port, data):
    """How many requests the sidecar finds."""
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(data)
        # What is incomplete ends here instead of waiting.
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)
    count = 0
    while answer.startswith(b"HTTP/1.1 "):
        head, answer = answer.split(b"\r\n\r\n", 1)
        length = int(next(iter(re.findall(rb"content-length: (\d+)", head)), 0))
        body, answer = answer[:length], answer[length:]
        status = int(head[9:12])
        # A body that is no JSON was read to its end all the same.
        is_request = status not in REFUSALS or b"not valid JSON" in body
        count += is_request and status != 100
    return count


def explanation(table, data):
    text = data.lower()
    return next((why for pattern, why in table if re.search(pattern, text)), None)


@pytest.fixture(scope="module")
def sidecar():
    sidecar = Sidecar(OPENAI_BASE_URL="http://127.0.0.1:1")
    yield sidecar
    assert sidecar.stop() == 0


def test_both_parsers_find_the_same_requests(sidecar):
    unexplained, used = [], {}
    for data in heads():
        found, (expected, _) = ours(sidecar.port, data + NEXT), reference(data + NEXT)
        if found == expected:
            continue
        why = explanation(REFUSED_HERE if found < expected else REFUSED_THERE, data)
        if why is None:
            unexplained.append((found, expected, data[:300]))
        used[why] = used.get(why, 0) + 1
    assert not unexplained, f"{len(unexplained)}: {unexplained[:8]}"
    # An explanation that explains nothing is wrong, or not tried.
    assert set(used) == {why for _, why in REFUSED_HERE + REFUSED_THERE}, used


def body_bytes(sidecar):
    """What the sidecar has read of bodies so far."""
    return sum(float(line.split()[-1]) for line in httpx.get(sidecar.url + "/metrics").text.split("\n")
               if line.startswith("claude_sidecar_request_body_bytes_sum"))


def test_both_parsers_read_the_same_bodies(sidecar):
    """Byte for byte as long: nothing is read past a body, and nothing of it left for the next."""
    agreed = [data + NEXT for data in heads()
              if ours(sidecar.port, data + NEXT) == reference(data + NEXT)[0] == 2]
    before, whole = body_bytes(sidecar), sum(reference(data)[1] for data in agreed)
    for data in agreed:
        assert ours(sidecar.port, data) == 2
    assert whole > 50 * len(BODY)
    assert eventually(lambda: body_bytes(sidecar) - before == whole), whole
