"""One sidecar between one client and one upstream, all in lockstep: the same work in every run.

Nothing here waits for a clock, so that instructions, system calls and allocations can be counted:
each piece that the upstream sends is read by the client before the next one goes out.
"""

import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).parents[1]
TURN = ROOT / "Tests/EndToEnd/fixtures/parallel_tool_results.json"
QUESTION = {"model": "claude-sonnet-5", "max_tokens": 256, "messages": [
    {"role": "user", "content": "What is the weather like in Rome today?"}]}
TOOL = {"name": "write_file", "description": "Writes a file.", "input_schema": {
    "type": "object", "properties": {"path": {"type": "string"}, "text": {"type": "string"}}}}
#: Tokens that come in one piece on the burst way.
BURST = 50


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def chunk(delta, finish=None):
    return b"data: " + compact({
        "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1,
        "model": "bench-model", "system_fingerprint": "fp_bench",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }) + b"\n\n"


def text_token(number):
    return chunk({"content": f"token{number % 10} "})


def argument_token(number):
    return chunk({"tool_calls": [{"index": 0, "function": {"arguments": f"word{number % 10} "}}]})


ANSWER = compact({
    "id": "chatcmpl-bench", "object": "chat.completion", "model": "bench-model",
    "choices": [{"index": 0, "message": {
        "role": "assistant",
        "content": "A short answer of about a dozen words, as titles and summaries are."},
        "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 12, "total_tokens": 112}})


def turn(size):
    """A recorded turn of Claude Code, its last round repeated until it has about that size; each
    round has calls of its own."""
    body = {**json.loads(TURN.read_text())["body"], "stream": False}
    last = json.dumps(body["messages"][-2:])
    for number in itertools.count():
        if len(compact(body)) >= size:
            return compact(body)
        body["messages"] += json.loads(re.sub(r'"toolu_\w+', rf"\g<0>{number:03}", last))


class Scene:
    """The sidecar runs inside `with`; `wrapper` is what counts, such as valgrind."""

    def __init__(self, binary, wrapper=(), environment=()):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.log = b""
        self.upstream = None
        address = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.process = subprocess.Popen(
            [*map(str, wrapper), str(binary)], stderr=subprocess.PIPE, env={
                "PATH": os.environ["PATH"], "PORT": "0", "WORKERS": "1",
                "OPENAI_BASE_URL": address, "SWIFT_DETERMINISTIC_HASHING": "1",
                **dict(environment)})
        os.set_blocking(self.process.stderr.fileno(), False)
        self.client = socket.create_connection(("127.0.0.1", self.find_port()))
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for end in (self.listener, self.client):
            end.settimeout(60)

    def find_port(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.read_log()
            if found := re.search(rb'"address":"[^"]*:(\d+)"', self.log):
                return int(found[1])
            time.sleep(0.02)
        raise SystemExit(f"the sidecar does not start: {self.log.decode()}")

    def read_log(self):
        """Keeps the pipe from filling up."""
        while piece := self.process.stderr.read(1 << 20):
            self.log += piece

    def sidecar_pid(self):
        """strace runs the sidecar as its child, valgrind as itself."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        if self.upstream:
            self.upstream.close()
        self.listener.close()
        os.kill(self.sidecar_pid(), signal.SIGTERM)
        os.set_blocking(self.process.stderr.fileno(), True)
        self.log += self.process.stderr.read()
        self.process.wait(60)

    # MARK: - Both ends

    def post(self, body):
        """Sends a request and has the upstream read what becomes of it."""
        self.client.sendall(
            b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: bench\r\n"
            b"anthropic-version: 2023-06-01\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % len(body) + body)
        if not self.upstream:
            self.upstream = self.listener.accept()[0]
            self.upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.upstream.settimeout(60)
        read_whole(self.upstream)

    def answer(self):
        """One small answer that does not stream."""
        self.upstream.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
        read_whole(self.client)
        self.read_log()

    def send(self, events, count):
        """Sends events in one piece; the client reads until it has so many of its own."""
        self.upstream.sendall(
            b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events))
        while count > 0:
            count -= self.client.recv(1 << 18).count(b"}}\n\n")

    def stream(self, request, first, token, count, burst):
        """A stream of so many tokens, each piece read by the client before the next is sent."""
        self.post(compact({**request, "stream": True}))
        self.upstream.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                              b"transfer-encoding: chunked\r\n\r\n")
        self.send(first, 3)  # the message's start, the block's, and a delta
        for start in range(0, count, burst):
            piece = [token(number) for number in range(start, min(count, start + burst))]
            self.send(piece, len(piece))
        self.upstream.sendall(b"".join(
            b"%x\r\n%s\r\n" % (len(event), event) for event in [
                chunk({}, "stop"), b"data: [DONE]\n\n"]) + b"0\r\n\r\n")
        tail = b""
        while not tail.endswith(b"0\r\n\r\n"):
            tail = (tail + self.client.recv(1 << 18))[-512:]
        self.read_log()

    # MARK: - The kinds of work

    def small(self, count):
        for _ in range(count):
            self.post(compact(QUESTION))
            self.answer()

    def body(self, count, size):
        body = turn(size)
        for _ in range(count):
            self.post(body)
            self.answer()

    def text(self, count, burst):
        self.stream(QUESTION, [chunk({"role": "assistant", "content": ""}),
                               chunk({"content": "first "})], text_token, count, burst)

    def arguments(self, count, burst):
        call = {"index": 0, "id": "call_1", "type": "function",
                "function": {"name": "write_file", "arguments": ""}}
        begun = {"index": 0, "function": {"arguments": "{\"text\":\"word "}}
        self.stream({**QUESTION, "tools": [TOOL]}, [
            chunk({"role": "assistant", "tool_calls": [call]}),
            chunk({"tool_calls": [begun]})], argument_token, count, burst)


def read_whole(end):
    """Reads one message with a length, or a chunked body."""
    bytes_ = b""
    while b"\r\n\r\n" not in bytes_:
        bytes_ += end.recv(1 << 18)
    head, _, body = bytes_.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    size, pieces = int(found[1]), [body]
    left = size - len(body)
    while left > 0:
        pieces.append(end.recv(min(left, 1 << 20)))
        left -= len(pieces[-1])
    return head, b"".join(pieces)
