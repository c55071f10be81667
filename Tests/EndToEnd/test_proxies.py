"""Proxies on the way to the upstream: tunnels for https, whole addresses for http, and exceptions."""

import base64
import socket
import threading

import httpx
import pytest

from certificates import authority, issue, serving
from conftest import ASK, UPSTREAM_KEY, Sidecar
from upstream import Upstream, completion, text_stream

STREAM = {**ASK, "stream": True}
PASSWORD = "planted-proxy-password"
BASIC = "basic " + base64.b64encode(f"user:{PASSWORD}".encode()).decode().lower()


class Proxy:
    """A proxy that keeps what it sees, and may ask for a password or refuse."""

    def __init__(self, refusal=None, wants_password=False):
        self.refusal, self.wants_password = refusal, wants_password
        self.heads = []
        self.seen = b""
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=32)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return
            data += more
        head, rest = data.split(b"\r\n\r\n", 1)
        self.seen += data
        self.heads.append(head.decode())
        method, target, _ = self.heads[-1].split("\r\n")[0].split(" ")
        if self.refusal or (self.wants_password and BASIC not in self.heads[-1].lower()):
            status = self.refusal or 407
            sock.sendall(b"HTTP/1.1 %d No\r\nproxy-authenticate: Basic realm=\"p\"\r\n"
                         b"content-length: 0\r\n\r\n" % status)
            return sock.close()
        place = target if method == "CONNECT" else httpx.URL(target).netloc.decode()
        host, port = place.rsplit(":", 1)
        upstream = socket.create_connection((host, int(port)), 5)
        if method == "CONNECT":
            sock.sendall(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n")
        else:
            upstream.sendall(data)
        threading.Thread(target=self._copy, args=(upstream, sock), daemon=True).start()
        self._copy(sock, upstream)

    def _copy(self, source, target):
        try:
            while data := source.recv(65536):
                self.seen += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            target.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("proxies")
    issue(folder, "server", authority(folder, "ca"))
    return folder


def reach(upstream, folder, body=ASK, times=1, **settings):
    """What the last of some requests gets, and the log."""
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=UPSTREAM_KEY, MAX_RETRIES="0",
                      WORKERS="1", UPSTREAM_CA_FILE=str(folder / "ca.pem"), **settings)
    for _ in range(times):
        answer = httpx.post(sidecar.url + "/v1/messages", json=body, timeout=15)
    assert sidecar.stop() == 0
    log = "".join(sidecar.lines)
    assert PASSWORD not in log + answer.text
    return answer, log


def behind_tls(folder):
    return Upstream(tls=serving(folder / "server.pem"))


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_tunnel_shows_the_proxy_a_host_and_no_more(folder, name):
    upstream, proxy = behind_tls(folder), Proxy(wants_password=True)
    upstream.always(text_stream("through"))
    answer, _ = reach(upstream, folder, STREAM, times=3,
                      **{name: f"http://user:{PASSWORD}@{proxy.address}"})
    assert "through" in answer.text and "message_stop" in answer.text
    assert [head.split("\r\n")[0] for head in proxy.heads] == [
        f"CONNECT localhost:{upstream.port} HTTP/1.1"]
    assert UPSTREAM_KEY.encode() not in proxy.seen and b"/chat/completions" not in proxy.seen
    for request in upstream.requests:
        assert request.headers["authorization"] == f"Bearer {UPSTREAM_KEY}"
        assert not [header for header in request.headers if header.startswith("proxy-")]


@pytest.mark.parametrize("refusal", [403, 407, 502, 503])
def test_a_proxy_that_refuses_is_an_error_and_learns_nothing(folder, refusal):
    upstream, proxy = behind_tls(folder), Proxy(refusal)
    answer, _ = reach(upstream, folder, HTTPS_PROXY=f"http://{proxy.address}")
    assert answer.status_code == 502 and answer.json()["type"] == "error", answer.text
    assert not upstream.accepted and UPSTREAM_KEY.encode() not in proxy.seen


def test_a_proxy_that_is_not_there_is_an_error(folder):
    upstream = behind_tls(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    answer, _ = reach(upstream, folder, HTTPS_PROXY=f"http://{address}")
    assert answer.status_code == 502 and not upstream.accepted


def test_a_wrong_password_is_an_error(folder):
    upstream, proxy = behind_tls(folder), Proxy(wants_password=True)
    answer, _ = reach(upstream, folder, HTTPS_PROXY=f"http://user:wrong@{proxy.address}")
    assert answer.status_code == 502 and not upstream.accepted


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["message", "stream"])
@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY", "all_proxy"])
def test_an_upstream_without_tls_is_asked_for_by_its_whole_address(folder, name, body):
    upstream, proxy = Upstream(), Proxy()
    upstream.always(text_stream("through") if body is STREAM else completion("through"))
    answer, _ = reach(upstream, folder, body, times=2, **{name: f"http://{proxy.address}"})
    assert "through" in answer.text
    assert proxy.heads[0].startswith(f"POST {upstream.url}/chat/completions HTTP/1.1")


def test_the_name_that_a_request_could_set_in_cgi_is_not_obeyed(folder):
    upstream, proxy = Upstream().then(completion("straight")), Proxy()
    answer, _ = reach(upstream, folder, HTTP_PROXY=f"http://{proxy.address}")
    assert "straight" in answer.text and not proxy.heads


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("hosts, asks", [
    ("localhost,127.0.0.1", False), ("*", False), ("other.example,localhost,127.0.0.1", False),
    ("127.0.0.0/8,localhost", False), ("other.example", True), ("ocalhost,27.0.0.1", True)])
def test_hosts_that_no_proxy_is_asked_for(folder, name, hosts, asks):
    for upstream, variable in ((behind_tls(folder), "HTTPS_PROXY"), (Upstream(), "http_proxy")):
        proxy = Proxy()
        upstream.then(completion("here"))
        answer, _ = reach(upstream, folder,
                          **{variable: f"http://{proxy.address}", name: hosts})
        assert "here" in answer.text
        assert bool(proxy.heads) == asks
