"""Keys: whose are accepted, where they come from, and that none is ever seen."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading

import httpx
import pytest

from conftest import ASK, Sidecar, eventually
from upstream import chunk, completion


def post(sidecar, headers=None, **more):
    return httpx.post(sidecar.url + "/v1/messages", json={**ASK, **more}, headers=headers or {})


def swap(link, target):
    """Lets a link point elsewhere in one step, as Kubernetes does."""
    fresh = link.with_name("..new")
    fresh.symlink_to(target)
    os.replace(fresh, link)


def mounted(folder, name, *contents):
    """A volume of Kubernetes: a file that is a link into a folder that is a link."""
    for number, text in enumerate(contents):
        (folder / f"..v{number}").mkdir()
        (folder / f"..v{number}" / name).write_text(text)
    (folder / "..data").symlink_to("..v0")
    (folder / name).symlink_to(f"..data/{name}")
    return folder / name


def test_client_keys_change_with_their_file(upstream, tmp_path):
    upstream.always(completion())
    path = mounted(tmp_path, "keys", "one\ntwo\n", "two,three")
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, PROXY_API_KEYS_FILE=str(path),
                      ANTHROPIC_API_KEY="always")

    def accepted():
        return [key for key in ("one", "two", "three", "always")
                if post(sidecar, {"x-api-key": key}).status_code == 200]
    assert accepted() == ["one", "two", "always"]
    swap(tmp_path / "..data", "..v1")
    assert eventually(lambda: accepted() == ["two", "three", "always"])
    # A file that is gone for a while takes nobody's key away, and is told of once.
    os.rename(tmp_path / "..data", tmp_path / "..gone")
    sidecar.wait_for(lambda: any("cannot read" in line for line in sidecar.lines))
    assert accepted() == ["two", "three", "always"]
    (tmp_path / "..data").symlink_to("..v0")
    assert eventually(lambda: accepted() == ["one", "two", "always"])
    assert len([line for line in sidecar.lines if "cannot read" in line]) == 1
    assert sidecar.stop() == 0


def test_a_file_of_keys_that_cannot_be_read_lets_nobody_in(upstream, tmp_path):
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, PROXY_API_KEYS_FILE=str(tmp_path / "none"))
    for headers in ({}, {"x-api-key": ""}, {"authorization": "Bearer x"}):
        assert post(sidecar, headers).status_code == 401
    assert any("cannot read" in line for line in sidecar.lines)
    (tmp_path / "none").write_text("k")
    upstream.always(completion())
    assert eventually(lambda: post(sidecar, {"x-api-key": "k"}).status_code == 200)
    assert sidecar.stop() == 0


@pytest.mark.parametrize("settings, words", [
    ({"HOST": "0.0.0.0"}, "PROXY_API_KEYS is not set"),
    ({"PROXY_API_KEYS": "sk-ant-api03-x"}, "looks like a real Anthropic key"),
    ({"PROXY_API_KEYS_FILE": "file"}, "looks like a real Anthropic key"),
])
def test_what_is_odd_about_keys_is_said_at_the_start(upstream, tmp_path, settings, words):
    (tmp_path / "file").write_text("sk-ant-api03-x")
    if "PROXY_API_KEYS_FILE" in settings:
        settings = {"PROXY_API_KEYS_FILE": str(tmp_path / "file")}
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, **settings)
    warnings = [line for line in sidecar.lines if words in line]
    assert len(warnings) == 1 and '"level":"warn"' in warnings[0]
    assert "api03" not in "".join(sidecar.lines)
    assert sidecar.stop() == 0


# --- a CA that changes -----------------------------------------------------------------------------


def certify(folder, name):
    """A certificate that vouches for itself, and its key."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", folder / f"{name}.key", "-out",
         folder / f"{name}.pem"], check=True, capture_output=True)
    return folder / f"{name}.pem"


def test_a_ca_file_is_read_again_when_it_changes(tmp_path):
    certificates = [certify(tmp_path, name) for name in ("old", "new")]
    listener = socket.create_server(("127.0.0.1", 0), backlog=32)
    current = [0]

    def serve():
        while True:
            sock, _ = listener.accept()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            path = certificates[current[0]]
            context.load_cert_chain(path, path.with_suffix(".key"))
            try:
                with context.wrap_socket(sock, server_side=True) as tls:
                    tls.recv(65536)
                    body = json.dumps(completion()).encode()
                    tls.sendall(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n"
                                b"connection: close\r\ncontent-length: %d\r\n\r\n%s"
                                % (len(body), body))
            except OSError:
                pass
    threading.Thread(target=serve, daemon=True).start()
    link = tmp_path / "ca.pem"
    link.symlink_to(certificates[0])
    sidecar = Sidecar(
        OPENAI_BASE_URL=f"https://localhost:{listener.getsockname()[1]}/v1",
        UPSTREAM_CA_FILE=str(link), MAX_RETRIES="0", WORKERS="1")
    assert post(sidecar).status_code == 200
    current[0] = 1
    assert post(sidecar).status_code == 502
    swap(link, certificates[1])
    assert eventually(lambda: post(sidecar).status_code == 200, 20)
    assert sidecar.stop() == 0


# --- secrets ---------------------------------------------------------------------------------------

UPSTREAM = "planted-upstream-key-4711"
CLIENT = "planted-client-key-0815"
PROMPT = "planted-prompt-of-a-patient"
HEADER = "planted-header-value"
COOKIE = "planted-cookie"
ANSWER = "planted-answer-of-the-model"
QUERY = "planted-query"
ADDRESS = "planted-key-in-the-address"
SECRETS = (UPSTREAM, CLIENT, PROMPT, HEADER, COOKIE, ANSWER, QUERY, ADDRESS, "planted")


def echoing(connection, status):
    """An upstream that tells everything it was told."""
    heard = json.dumps(connection.request.headers) + connection.request.raw.decode()
    connection.json({"error": {"message": f"bad key {UPSTREAM} {ADDRESS}: {heard}", "code": "x"}},
                    status)


def cut(connection):
    connection.begin()
    connection.event(chunk({"content": ANSWER}))
    connection.reset()


def error_event(connection):
    connection.begin()
    connection.event(chunk({"content": ANSWER}))
    connection.event({"error": {"message": f"key {UPSTREAM} was revoked", "code": 401}})
    connection.end()


def garbage(connection):
    connection.begin()
    connection.event("{" + UPSTREAM)
    connection.end()


@pytest.mark.parametrize("level, form", [
    ("debug", "json"), ("debug", "text"), ("info", "json"), ("error", "text")])
def test_no_secret_leaves_but_to_whom_it_belongs(upstream, tmp_path, level, form):
    (tmp_path / "key").write_text(UPSTREAM)
    sidecar = Sidecar(
        OPENAI_BASE_URL=f"{upstream.url}?subscription-key={ADDRESS}&api-version=1",
        OPENAI_API_KEY_FILE=str(tmp_path / "key"), PROXY_API_KEYS=CLIENT, CUSTOM_HEADER_X_SECRET=HEADER, LOG_LEVEL=level, LOG_FORMAT=form,
        ADMIN_PORT="0", ADMIN_HOST="127.0.0.1", MAX_RETRIES="0")
    body = {**ASK, "system": PROMPT, "messages": [{"role": "user", "content": PROMPT}]}
    headers = {"x-api-key": CLIENT, "cookie": COOKIE, "x-private": HEADER}
    told = []

    def ask(headers=headers, path="/v1/messages?q=" + QUERY, content=None, **more):
        answer = httpx.post(sidecar.url + path, headers=headers,
                            content=content or json.dumps({**body, **more}))
        told.append(str(answer.headers) + answer.text)
    for status in (400, 401, 403, 404, 422, 429, 500, 503):
        upstream.then(lambda c, status=status: echoing(c, status))
        ask()
    for script in (cut, error_event, garbage):
        upstream.then(script)
        ask(stream=True)
        told[-1] = told[-1].replace(ANSWER, "")
    upstream.then(lambda c: c.json(b"{" + UPSTREAM.encode()))
    ask()
    upstream.then(lambda c: c.send("HTTP/1.1 " + UPSTREAM + "\r\n\r\n") or "close")
    ask()
    ask(headers={"x-api-key": UPSTREAM + CLIENT})
    ask(path="/" + "v1/nothing")
    ask(content='{"model": "' + PROMPT)
    ask(content=json.dumps({**body, "max_tokens": PROMPT}))
    ask(path="/v1/messages/count_tokens")
    told.append(sidecar.raw(f"GET /{QUERY} HTTP/9\r\ncookie: {COOKIE}\r\n\r\n").decode())
    admin = f"http://{sidecar.addresses['admin']}"
    for path in ("/metrics", "/debug/config", "/debug/log-level", "/debug/upstreams"):
        told.append(httpx.get(admin + path).text)
    sidecar.process.send_signal(signal.SIGABRT if level == "debug" else signal.SIGTERM)
    sidecar.process.wait(10)
    assert len(told) > 20 and all(told)
    # What a client wrote may be shown to that client, what an upstream said never with its key.
    for text in told:
        assert not [secret for secret in (UPSTREAM, CLIENT, HEADER, COOKIE, ADDRESS)
                    if secret in text]
    assert "subscription-key=***&api-version=1" in told[-1]
    everything = "".join(sidecar.lines)
    assert not [secret for secret in SECRETS if secret in everything]
