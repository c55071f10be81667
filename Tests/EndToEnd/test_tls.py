"""Upstreams behind TLS: whom we trust, whom we show ourselves to, how seldom we shake hands."""

import httpx
import pytest

from certificates import authority, issue, serving
from conftest import ASK, UPSTREAM_KEY, Sidecar
from upstream import Upstream, completion, text_stream

STREAM = {**ASK, "stream": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all certificates of these tests."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ours", "theirs"):
        ca = authority(folder, name)
        issue(folder, f"{name}-client", ca)
    ca = folder / "ours.pem"
    issue(folder, "server", ca)
    issue(folder, "elsewhere", ca, host="other.example")
    issue(folder, "late", ca, days=-1)
    both = folder / "both.pem"
    both.write_text("".join((folder / f).read_text() for f in ("ours-client.pem", "ours-client.key")))
    return folder


def reach(upstream, folder, body=ASK, **settings):
    """What one request gets, and the log of its sidecar."""
    settings = {"UPSTREAM_CA_FILE": str(folder / "ours.pem"), **settings}
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=UPSTREAM_KEY,
                      MAX_RETRIES="0", WORKERS="1", **settings)
    answer = httpx.post(sidecar.url + "/v1/messages", json=body)
    assert sidecar.stop() == 0
    return answer, "".join(sidecar.lines)


def refused(answer, upstream):
    """The request has ended in an error of TLS, and not a byte of it has left."""
    assert answer.status_code == 502, answer.text
    assert answer.json()["error"]["type"] == "api_error"
    assert "TLS" in answer.json()["error"]["message"]
    assert not upstream.requests


# --- whom we trust -------------------------------------------------------------------------------


def test_a_bundle_of_ones_own_vouches_for_the_upstream(folder):
    upstream = Upstream(tls=serving(folder / "server.pem")).then(completion("trusted"))
    answer, _ = reach(upstream, folder)
    assert "trusted" in answer.text
    assert upstream.requests[0].headers["authorization"] == f"Bearer {UPSTREAM_KEY}"


@pytest.mark.parametrize("certificate, settings", [
    ("server", {"UPSTREAM_CA_FILE": "theirs.pem"}), ("server", {"UPSTREAM_CA_FILE": ""}),
    ("server", {"UPSTREAM_CA_FILE": "server.key"}),
    ("elsewhere", {}), ("late", {}), ("theirs-client", {}),
], ids=["another authority", "the system's", "no bundle", "another host", "expired", "a stranger"])
def test_nobody_else_gets_the_key(folder, certificate, settings):
    upstream = Upstream(tls=serving(folder / f"{certificate}.pem")).then(completion())
    answer, log = reach(upstream, folder, **{
        name: str(folder / value) if value else "" for name, value in settings.items()})
    refused(answer, upstream)
    assert '"upstream_tls"' in log


def test_whoever_answers_is_trusted_when_one_says_so(folder):
    for certificate in ("elsewhere", "late", "theirs-client"):
        upstream = Upstream(tls=serving(folder / f"{certificate}.pem")).then(completion())
        answer, log = reach(upstream, folder, UPSTREAM_TLS_INSECURE="true")
        assert answer.status_code == 200
        assert '"level":"warn"' in log and "UPSTREAM_TLS_INSECURE" in log


# --- whom we show ourselves to -------------------------------------------------------------------


@pytest.mark.parametrize("settings", [
    {"UPSTREAM_CLIENT_CERT": "ours-client.pem", "UPSTREAM_CLIENT_KEY": "ours-client.key"},
    {"UPSTREAM_CLIENT_CERT": "both.pem"},
], ids=["two files", "one file"])
def test_the_right_certificate_lets_us_in(folder, settings):
    upstream = Upstream(tls=serving(folder / "server.pem", clients=folder / "ours.pem"))
    upstream.then(text_stream("let ", "in"))
    answer, _ = reach(upstream, folder, STREAM, **{k: str(folder / v) for k, v in settings.items()})
    assert "let " in answer.text and "message_stop" in answer.text


@pytest.mark.parametrize("settings", [
    {},
    {"UPSTREAM_CLIENT_CERT": "theirs-client.pem", "UPSTREAM_CLIENT_KEY": "theirs-client.key"},
    {"UPSTREAM_CLIENT_CERT": "ours-client.pem", "UPSTREAM_CLIENT_KEY": "theirs-client.key"},
    {"UPSTREAM_CLIENT_CERT": "none.pem", "UPSTREAM_CLIENT_KEY": "none.key"},
], ids=["none", "a stranger's", "a stranger's key", "no file"])
def test_without_the_right_certificate_we_stay_out(folder, settings):
    upstream = Upstream(tls=serving(folder / "server.pem", clients=folder / "ours.pem"))
    upstream.then(completion())
    answer, _ = reach(upstream, folder, **{k: str(folder / v) for k, v in settings.items()})
    assert answer.status_code == 502, answer.text
    assert not upstream.requests


# --- how seldom we shake hands -------------------------------------------------------------------


def test_many_requests_need_one_handshake(folder):
    upstream = Upstream(tls=serving(folder / "server.pem"))
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, WORKERS="1",
                      UPSTREAM_CA_FILE=str(folder / "ours.pem"))
    for number in range(20):
        upstream.then(text_stream("a") if number % 2 else completion("a"))
        answer = httpx.post(sidecar.url + "/v1/messages", json=STREAM if number % 2 else ASK)
        assert answer.status_code == 200
    assert upstream.accepted == 1
    assert sidecar.stop() == 0
