"""A scripted Chat Completions upstream: each test says what the next answers are."""

import json
import os
import queue
import socket
import struct
import threading
import time

# How many times longer than usual things may take, for a sidecar that runs under valgrind.
PATIENCE = float(os.environ.get("SIDECAR_PATIENCE", 1))


def chunk(delta=None, finish=None, usage=None, **extra):
    """The data of one streamed chunk."""
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    body["choices"] = [] if delta is None else [
        {"index": 0, "delta": delta, "finish_reason": finish}]
    if usage:
        body["usage"] = usage
    return {**body, **extra}


USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}


def text_stream(*words):
    """A plain streamed answer."""
    chunks = [chunk({"role": "assistant", "content": ""})]
    chunks += [chunk({"content": word}) for word in words]
    return chunks + [chunk({}, "stop"), chunk(usage=USAGE), "[DONE]"]


def completion(content="Hello!", finish="stop", **message):
    """A plain answer in one piece."""
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "usage": USAGE,
            "choices": [{"index": 0, "finish_reason": finish,
                         "message": {"role": "assistant", "content": content, **message}}]}


def tool_call(name, arguments, id="call_1", index=0):
    return {"index": index, "id": id, "type": "function",
            "function": {"name": name, "arguments": arguments}}


class Request:
    """A request that the upstream has seen, and when its connection was closed."""

    def __init__(self, head, body):
        self.line, *lines = head.decode("latin1").split("\r\n")
        self.headers = {k.lower(): v for k, v in (l.split(": ", 1) for l in lines if ": " in l)}
        self.raw = body
        self.closed = threading.Event()
        self.closed_at = None

    @property
    def body(self):
        return json.loads(self.raw)


class Connection:
    """The upstream's end of a connection, handed to a script."""

    def __init__(self, sock, request):
        self.sock, self.request = sock, request

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def json(self, body, status=200, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers)
        self.send(f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{lines}"
                  f"content-length: {len(data)}\r\n\r\n")
        self.send(data)

    def begin(self, content_type="text/event-stream"):
        self.send(f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n"
                  "transfer-encoding: chunked\r\n\r\n")

    def raw(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        if data:
            self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def event(self, data):
        self.raw(b"data: " + (data if isinstance(data, str) else json.dumps(data)).encode() + b"\n\n")

    def end(self):
        self.send(b"0\r\n\r\n")

    def stream(self, chunks, split=0):
        self.begin()
        if split:
            whole = b"".join(
                b"data: " + (c if isinstance(c, str) else json.dumps(c, ensure_ascii=False)).encode()
                + b"\n\n" for c in chunks)
            for start in range(0, len(whole), split):
                self.raw(whole[start:start + split])
        else:
            for item in chunks:
                self.event(item)
        self.end()

    def reset(self):
        """Ends the connection with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Now, whoever still has a file over it.
        socket.close(self.sock.detach())

    def wait_closed(self, timeout=5 * PATIENCE):
        """Until the proxy closes its end; the time of it, or None."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionError:
            pass
        except OSError:
            return None
        self.request.closed_at = time.monotonic()
        self.request.closed.set()
        return self.request.closed_at


class Always:
    """A queue that never runs out of its one script."""

    def __init__(self, script):
        self.script = script

    def get(self, timeout=None):
        return self.script


def unlisted(connection):
    connection.json({"error": {"message": "there is no list"}}, 404)


class Upstream:
    """Listens on loopback, with TLS when it gets a context, and plays one script a request."""

    def __init__(self, port=0, tls=None, path=None, host="127.0.0.1"):
        self.scripts = queue.Queue()
        # What is answered to a GET, which asks for the models, and how often that was asked.
        self.models = unlisted
        self.model_requests = []
        self.requests = []
        self.seen = queue.Queue()
        self.tls = tls
        self.accepted = 0
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(128)
            self.url = f"unix:{path}:/v1"
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.listener = socket.create_server((host, port), family=family, backlog=128)
            self.port = self.listener.getsockname()[1]
            name = "localhost" if tls else f"[{host}]" if ":" in host else host
            self.url = f"{'https' if tls else 'http'}://{name}:{self.port}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self):
        self.scripts = queue.Queue()
        self.requests.clear()
        self.seen = queue.Queue()

    def then(self, script):
        """Plays a script (a function of a Connection, or chunks, or a completion) next."""
        self.scripts.put(script)
        return self

    def always(self, script):
        """Plays one script for every request from now on."""
        self.scripts = Always(script)
        return self

    def next_request(self, timeout=5):
        return self.seen.get(timeout=timeout * PATIENCE)

    def _accept(self):
        while True:
            sock, _ = self.listener.accept()
            self.accepted += 1
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._welcome, args=(sock,), daemon=True).start()

    def _welcome(self, sock):
        try:
            self._serve(self.tls.wrap_socket(sock, server_side=True) if self.tls else sock)
        except OSError:  # of TLS too
            sock.close()

    def _serve(self, sock):
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    more = sock.recv(65536)
                    if not more:
                        return
                    data += more
                head, data = data.split(b"\r\n\r\n", 1)
                request = Request(head, b"")
                length = int(request.headers.get("content-length", 0))
                while len(data) < length:
                    data += sock.recv(1 << 20)
                request.raw, data = data[:length], data[length:]
                if request.line.startswith("GET "):
                    script = self.models
                    self.model_requests.append(request)
                else:
                    script = self.scripts.get(timeout=5 * PATIENCE)
                    self.requests.append(request)
                    self.seen.put(request)
                connection = Connection(sock, request)
                if callable(script):
                    if script(connection) == "close":
                        return
                elif isinstance(script, list):
                    connection.stream(script)
                else:
                    connection.json(script)
        except (OSError, queue.Empty):
            pass
        finally:
            sock.close()
