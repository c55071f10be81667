"""Starts the release binary in front of the scripted upstream."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

import anthropic
import httpx
import pytest

sys.path.insert(0, os.path.dirname(__file__))

from upstream import PATIENCE, Upstream  # noqa: E402

BINARY = os.environ.get("CLAUDE_SIDECAR", "claude-sidecar")
UPSTREAM_KEY = "sk-planted-upstream-key"
# What the functions of httpx wait for when they are not told.
httpx._config.DEFAULT_TIMEOUT_CONFIG.read *= PATIENCE


class Sidecar:
    """A running sidecar, its address and its log."""

    # What starts it in place of the test.
    wrapper = []

    def __init__(self, *arguments, **settings):
        inherited = {k: os.environ[k] for k in ("PATH", "HOME", "LD_LIBRARY_PATH")
                     if k in os.environ}
        self.process = subprocess.Popen(
            [*self.wrapper, BINARY, *arguments], env={**inherited, "PORT": "0", **settings},
            stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.addresses = {}
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(lambda: "main" in self.addresses, 10)
        port = self.addresses["main"].rsplit(":", 1)[1]
        if port.isdecimal():
            self.port = int(port)
            self.url = f"http://127.0.0.1:{port}"

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line)
                found = re.search(r'\baddress"?[:=]"?([^"\s]+)', line)
                if "listening" in line and found:
                    name = "admin" if re.search(r'listener"?[:=]"?admin', line) else "main"
                    self.addresses[name] = found[1]
                self._changed.notify_all()

    def wait_for(self, condition, timeout=5):
        """Waits until the log makes a condition true."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout * PATIENCE), "".join(self.lines)

    def whole_log(self):
        """All lines, of a process that has ended."""
        self._reader.join(5)
        assert not self._reader.is_alive()
        return self.lines

    def log_of(self, request_id, count=1):
        """The log line of a request, or so many lines."""
        def find():
            return [json.loads(line) for line in self.lines if request_id in line]
        self.wait_for(lambda: len(find()) >= count)
        return find()[0] if count == 1 else find()

    def client(self, **options):
        return anthropic.Anthropic(
            base_url=self.url, api_key="sk-client", max_retries=0, **options)

    def raw(self, data, timeout=5):
        """Sends bytes as they are; the whole answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout * PATIENCE) as sock:
            sock.sendall(data if isinstance(data, bytes) else data.encode())
            answer = b""
            while True:
                more = sock.recv(65536)
                if not more:
                    return answer
                answer += more

    def open_request(self, body, path="/v1/messages"):
        """Sends a request and gives the open socket."""
        data = json.dumps(body).encode()
        sock = socket.create_connection(("127.0.0.1", self.port), 10 * PATIENCE)
        sock.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(data)}\r\n\r\n"
                     .encode() + data)
        return sock

    def stop(self):
        self.process.terminate()
        try:
            status = self.process.wait(10 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        # What it said last has been read too.
        self._reader.join(5 * PATIENCE)
        return status


def eventually(condition, timeout=5):
    """Looks again and again until something is true."""
    end = time.monotonic() + timeout * PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture(scope="session")
def shared_upstream():
    return Upstream()


def start(upstream, **settings):
    """A sidecar for many tests; it must stop in peace after them."""
    # One script is one answer: what a script does wrong is told and not asked again.
    settings = {"MAX_RETRIES": "0", **settings}
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=UPSTREAM_KEY, **settings)
    yield sidecar
    assert sidecar.stop() == 0


@pytest.fixture(scope="session")
def shared_sidecar(shared_upstream):
    yield from start(
        shared_upstream, ADMIN_PORT="0", ADMIN_HOST="127.0.0.1", MAX_REQUEST_BYTES="4MiB",
        MODEL_MAP="claude-*=gpt-x")


@pytest.fixture(scope="session")
def shared_impatient(shared_upstream):
    yield from start(
        shared_upstream, PING_INTERVAL="100ms", UPSTREAM_IDLE_TIMEOUT="600ms",
        COMMIT_AFTER="300ms")


@pytest.fixture
def upstream(shared_upstream):
    shared_upstream.reset()
    return shared_upstream


@pytest.fixture
def sidecar(shared_sidecar, upstream):
    return shared_sidecar


@pytest.fixture
def impatient(shared_impatient, upstream):
    """A sidecar that pings soon and does not wait long."""
    return shared_impatient


@pytest.fixture
def client(sidecar):
    return sidecar.client()


ASK = {"model": "claude-x", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}


def read_all(sock):
    """What comes until the other end closes, or resets."""
    answer = b""
    try:
        while more := sock.recv(65536):
            answer += more
    except ConnectionResetError:
        pass
    return answer


@pytest.fixture
def ask():
    return dict(ASK)
