"""Traffic of every kind for a while, and what it leaves behind; many streams at once.

    soak.py mixed 1h       traffic with aborts, faults and restarts of the upstream
    soak.py streams 2000   so many streams side by side, none of which may be lost
    soak.py idle 10000     so many streams that say nothing, and the memory that one takes; over
                           HTTP/2 if there are no descriptors for a connection each
"""

import asyncio
import collections
import json
import os
import random
import re
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import httpx

from certificates import authority, issue, serving
from conftest import ASK, Sidecar, eventually
from upstream import USAGE, chunk, completion, text_stream, tool_call

ABORTS = 0.05
FAULTS = 0.05
MIB = 1 << 20


def data(item):
    return b"data: " + (item if isinstance(item, str) else json.dumps(item)).encode() + b"\n\n"


def framed(text):
    return b"%x\r\n%s\r\n" % (len(text), text)


STREAM_HEAD = (b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
               b"transfer-encoding: chunked\r\n\r\n")
TEXT = [data(item) for item in text_stream(*["word "] * 20)]
TOOLS = [data(chunk({"tool_calls": [tool_call("read", "")]}))] + [
    data(chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}))
    for piece in ('{"path":', '"/etc/', 'hosts"}')] + [
    data(chunk({}, "tool_calls")), data(chunk(usage=USAGE)), data("[DONE]")]


def whole(body, status=200):
    text = json.dumps(body).encode()
    return (b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (status, len(text), text))


class LoadUpstream:
    """An upstream for thousands of connections, which can be taken away and put back."""

    def __init__(self, answer):
        self.answer = answer
        self.port = 0
        self.writers = set()

    async def start(self):
        self.server = await asyncio.start_server(
            self.serve, "127.0.0.1", self.port, backlog=4096, limit=16 * MIB)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()

    async def serve(self, reader, writer):
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"content-length: (\d+)", head, re.I)[1])
                body = json.loads(await reader.readexactly(length))
                await self.answer(body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


async def fault(writer, is_stream):
    """One of the things that go wrong."""
    kind = random.choice(["500", "429", "529", "close", "reset", "garbage", "cut"])
    if kind.isdigit():
        return writer.write(whole({"error": {"message": "no"}}, int(kind)))
    if kind == "garbage":
        writer.write(b"no protocol at all\r\n\r\n")
    if kind == "cut" and is_stream:
        writer.write(STREAM_HEAD + framed(TEXT[0] + TEXT[1]))
        await writer.drain()
    if kind == "reset":
        writer.transport.abort()
    raise ConnectionError


async def mixed_answer(body, writer):
    is_stream = body.get("stream", False)
    if random.random() < FAULTS:
        return await fault(writer, is_stream)
    if not is_stream:
        return writer.write(whole(completion("words")))
    writer.write(STREAM_HEAD)
    for part in TOOLS if body.get("tools") else TEXT:
        if writer.transport.is_closing():
            raise ConnectionError
        writer.write(framed(part))
        if random.random() < 0.2:
            await writer.drain()
            await asyncio.sleep(0.005)
    writer.write(b"0\r\n\r\n")


TOOL = {"name": "read", "input_schema": {"type": "object", "properties": {}}}
KINDS = [  # weight, path, what is added to the body
    (8, "/v1/messages", {"stream": True}),
    (3, "/v1/messages", {"stream": True, "tools": [TOOL]}),
    (3, "/v1/messages", {}),
    (2, "/v1/messages/count_tokens", {}),
    (1, "/v1/messages", {"stream": True, "system": "x" * MIB}),
]


async def ask(port, path, body, aborts=False):
    """Sends one request over a connection of its own; its status and text, or None."""
    text = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MIB)
    try:
        writer.write(b"POST %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n"
                     b"\r\n%s" % (path.encode(), len(text), text))
        if aborts:
            await writer.drain()
            await asyncio.sleep(random.random() * 0.05)
            writer.transport.abort()
            return None
        answer = await reader.read(-1)
        return int(answer.split(b" ", 2)[1]), answer
    finally:
        writer.close()


class Soak:
    """Mixed traffic, counted on both sides."""

    def __init__(self, sidecar, upstream):
        self.sidecar, self.upstream = sidecar, upstream
        self.sent = collections.Counter()
        self.wrong = []

    async def client(self, until):
        while time.monotonic() < until:
            _, path, more = random.choices(KINDS, [kind[0] for kind in KINDS])[0]
            aborts = random.random() < ABORTS
            self.sent["count_tokens" if path.endswith("count_tokens") else "messages"] += 1
            self.sent["aborted"] += aborts
            answer = await ask(self.sidecar.port, path, {**ASK, **more}, aborts)
            if answer and answer[0] == 200 and more.get("stream"):
                self.check(answer[1])

    def check(self, text):
        ends = text.count(b"event: message_stop") + text.count(b"event: error")
        if ends != 1 or not text.endswith(b"0\r\n\r\n"):
            self.wrong.append(text[-300:])

    async def restarts(self, until):
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, random.uniform(2, 5)))
            await self.upstream.stop()
            await asyncio.sleep(0.1)
            await self.upstream.start()

    async def run(self, seconds, clients=8):
        until = time.monotonic() + seconds
        await asyncio.gather(
            self.restarts(until), *(self.client(until) for _ in range(clients)))
        await self.quiet()

    async def quiet(self):
        """Until nothing is in flight any more."""
        for _ in range(200):
            figures = await asyncio.to_thread(scrape, self.sidecar)
            if figures["requests_in_flight"] == figures["streams_in_flight"] == 0:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("something is in flight for ever")


def scrape(sidecar):
    """Samples, and their sums by name and by name and route."""
    figures = collections.Counter()
    for line in httpx.get(sidecar.url + "/metrics").text.splitlines():
        if line[0] != "#":
            name, value = line.removeprefix("claude_sidecar_").rsplit(" ", 1)
            figures[name] += float(value)
            if "{" in name:
                figures[name.split("{")[0]] += float(value)
                for label in re.findall(r'\w+="[^"]*"', name):
                    figures[name.split("{")[0], label] += float(value)
    return figures


async def mixed(seconds):
    """Soaks in parts; the books must agree after the last."""
    upstream = LoadUpstream(mixed_answer)
    await upstream.start()
    sidecar = await asyncio.to_thread(
        Sidecar, OPENAI_BASE_URL=f"http://127.0.0.1:{upstream.port}/v1", WORKERS="2",
        LOG_LEVEL="info")
    try:
        soak = Soak(sidecar, upstream)
        memory = []
        parts = max(4, int(seconds / 60))
        for _ in range(parts):
            await soak.run(seconds / parts)
            memory.append(scrape(sidecar)["process_resident_memory_bytes"])
            if len(memory) == 1:
                await asyncio.sleep(2.5)
                descriptors = open_descriptors(sidecar, upstream.port)
        await upstream.stop()
        assert await asyncio.to_thread(eventually, lambda: (
            open_descriptors(sidecar, upstream.port) <= descriptors)), "descriptors are left open"
        settle(soak, scrape(sidecar), memory)
    finally:
        status = await asyncio.to_thread(sidecar.stop)
    text = (f"{soak.sent['messages'] + soak.sent['count_tokens']} requests, "
            f"{soak.sent['aborted']} aborted, all accounted for; "
            f"memory {memory[0] / MIB:.1f} MiB at first, {memory[-1] / MIB:.1f} MiB at the end")
    assert status == 0
    lines = [line for line in sidecar.whole_log() if '"msg":"request"' in line]
    assert len(lines) == soak.sent["messages"] + soak.sent["count_tokens"]
    return text


def settle(soak, figures, memory):
    """Everything is counted once, and nothing is left over."""
    assert not soak.wrong, soak.wrong[0]
    for route in ("messages", "count_tokens"):
        label = f'route="{route}"'
        assert figures["requests_total", label] == soak.sent[route], route
        assert figures["request_duration_seconds_count", label] == soak.sent[route], route
    begun = sum(value for name, value in figures.items() if isinstance(name, str)
                and name.startswith("requests_total{") and 'stream="true"' in name
                and 'code="200"' in name)
    assert figures["stream_outcomes_total"] == begun
    assert figures["inflight_body_bytes"] == 0
    # The first part fills pools and caches; from then on memory must not grow with time.
    later = memory[len(memory) // 4:]
    growth = statistics.mean(later[len(later) // 2:]) - statistics.mean(later[:len(later) // 2])
    assert growth < 8 * MIB, f"memory grows: {[round(size / MIB, 1) for size in memory]}"


def open_descriptors(sidecar, port):
    """Descriptors, but for connections to the upstream that are kept for the next requests.

    A client's connection may be lingered on for two seconds after its answer.
    """
    kept = connections_to(port)
    assert kept <= 64
    return scrape(sidecar)["process_open_fds"] - kept


def connections_to(port):
    """Sockets of this machine whose other end is a port."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(row[2].endswith(f":{port:04X}") and row[3] in ("01", "08") for row in rows)


# --- many at once --------------------------------------------------------------------------------


class SharingUpstream(LoadUpstream):
    """An upstream whose connections are shared by many streams, each of which begins and goes on."""

    def __init__(self, folder, parts):
        super().__init__(None)
        self.parts = parts
        self.authority = authority(folder, "ca")
        self.tls = serving(issue(folder, "server", self.authority))
        self.tls.set_alpn_protocols(["h2"])

    async def start(self):
        self.server = await asyncio.start_server(
            self.serve, "127.0.0.1", 0, backlog=4096, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        self.writers.add(writer)
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        session.initiate_connection()
        writer.write(session.data_to_send())
        try:
            while received := await reader.read(65536):
                for event in session.receive_data(received):
                    self.hear(session, event)
                writer.write(session.data_to_send())
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def hear(self, session, event):
        if isinstance(event, h2.events.DataReceived):
            session.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if isinstance(event, h2.events.StreamEnded):
            session.send_headers(event.stream_id, [
                (":status", "200"), ("content-type", "text/event-stream")])
            session.send_data(event.stream_id, self.parts)


async def many(count, upstream, body, on_open, **settings):
    """Opens streams side by side in front of an upstream and hands them over."""
    sidecar = await asyncio.to_thread(
        Sidecar, WORKERS="2", LOG_LEVEL="warn", MAX_CONCURRENT_REQUESTS="100000",
        MAX_CONNECTIONS=str(count + 1), PING_INTERVAL="1h", MEMORY_BUDGET="off", **settings)
    text = json.dumps({**ASK, **body, "stream": True}).encode()
    request = (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
               b"content-length: %d\r\n\r\n%s" % (len(text), text))
    gate = asyncio.Semaphore(200)

    async def open_one():
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", sidecar.port)
            writer.write(request)
            await reader.readuntil(b"message_start")
        return reader, writer
    try:
        before = (await asyncio.to_thread(scrape, sidecar))["process_resident_memory_bytes"]
        opened = await asyncio.gather(*(open_one() for _ in range(count)))
        result = await on_open(sidecar, opened, before)
        for _, writer in opened:
            writer.close()
        await upstream.stop()
        return result
    finally:
        await asyncio.to_thread(sidecar.stop)


def may_open(count):
    """Allows this process, which may have others open, and the sidecar so many descriptors more, if
    that can be: root may go over the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = max(soft, count + len(os.listdir("/proc/self/fd")))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))
    except ValueError:
        return False
    return True


async def plain(answer):
    """An upstream with a connection for each stream, and what the sidecar is told of it."""
    upstream = LoadUpstream(answer)
    await upstream.start()
    return upstream, {"OPENAI_BASE_URL": f"http://127.0.0.1:{upstream.port}/v1"}


async def shared(folder, parts):
    """The same with a connection for many."""
    upstream = SharingUpstream(folder, parts)
    await upstream.start()
    return upstream, {
        "OPENAI_BASE_URL": f"https://localhost:{upstream.port}/v1", "UPSTREAM_HTTP_VERSION": "2",
        "UPSTREAM_CA_FILE": str(upstream.authority)}


async def streams(count):
    """Streams that all run at once, token by token."""
    everybody = asyncio.Event()

    async def answer(body, writer):
        writer.write(STREAM_HEAD + framed(TEXT[0]) + framed(TEXT[1]))
        await everybody.wait()
        for part in TEXT[2:]:
            writer.write(framed(part))
            await asyncio.sleep(0.05)
        writer.write(b"0\r\n\r\n")

    async def on_open(sidecar, opened, before):
        assert scrape(sidecar)["streams_in_flight"] == count
        started = time.monotonic()
        everybody.set()
        texts = await asyncio.gather(*(reader.read(-1) for reader, _ in opened))
        lost = sum(text.count(b"event: message_stop") != 1 for text in texts)
        assert lost == 0, f"{lost} streams of {count} are lost"
        words = sum(text.count(b"word ") for text in texts)
        assert words == 20 * count, f"{20 * count - words} words are lost"
        return f"{count} streams at once, none lost, in {time.monotonic() - started:.1f} s"
    if not may_open(2 * count + 100):
        sys.exit(f"ulimit -n allows no {2 * count + 100} descriptors")
    upstream, settings = await plain(answer)
    return await many(count, upstream, {}, on_open, **settings)


async def idle(count, body_bytes=20_000):
    """Streams that have begun and say nothing; their requests had some size."""
    async def answer(body, writer):
        writer.write(STREAM_HEAD + framed(TEXT[0]) + framed(TEXT[1]))
        await writer.drain()
        await asyncio.Event().wait()

    async def on_open(sidecar, opened, before):
        figures = await asyncio.to_thread(scrape, sidecar)
        assert figures["streams_in_flight"] == count
        assert figures["errors_total"] == 0
        taken = figures["process_resident_memory_bytes"] - before
        return (f"{count} idle streams over {kind} take {taken / count / 1024:.1f} KiB each, "
                f"{before / MIB:.1f} MiB without them")
    with tempfile.TemporaryDirectory() as folder:
        # A stream takes a descriptor for its client and, over HTTP/1.1, one for its upstream.
        if may_open(2 * count + 60):
            kind, (upstream, settings) = "HTTP/1.1", await plain(answer)
        elif may_open(count + count // 20 + 200):
            kind = "HTTP/2"
            upstream, settings = await shared(Path(folder), TEXT[0] + TEXT[1])
        else:
            sys.exit(f"ulimit -n is too low for {count} streams")
        return await many(count, upstream, {"system": "x" * body_bytes}, on_open, **settings)


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)([smh]?)", text).groups()
    return int(number) * {"": 1, "s": 1, "m": 60, "h": 3600}[unit]


if __name__ == "__main__":
    what, amount = (sys.argv[1:] + ["mixed", "1h"][len(sys.argv) - 1:])[:2]
    run = {"mixed": lambda: mixed(seconds(amount)), "streams": lambda: streams(int(amount)),
           "idle": lambda: idle(int(amount))}[what]
    print(asyncio.run(run()))
