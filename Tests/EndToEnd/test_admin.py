"""The admin listener: probes, the settings, the weight of the log; nothing for strangers."""

import json
import socket

import httpx
import pytest

from conftest import ASK, UPSTREAM_KEY, Sidecar
from upstream import completion


@pytest.fixture
def own(upstream):
    """A sidecar whose log level may be changed, with its admin address."""
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=UPSTREAM_KEY,
                      CUSTOM_HEADER_X_TEAM="planted-header", LOG_LEVEL="off", ADMIN_PORT="0",
                      HTTPS_PROXY="http://planted-name:planted-word@127.0.0.1:1")
    yield sidecar, "http://" + sidecar.addresses["admin"].replace("0.0.0.0", "127.0.0.1")
    assert sidecar.stop() == 0


def test_probes_and_metrics_are_there(own):
    _, admin = own
    for path in ("/livez", "/healthz", "/readyz", "/startupz", "/metrics"):
        assert httpx.get(admin + path).status_code == 200
        head = httpx.head(admin + path)
        assert head.status_code == 200 and head.content == b""


def test_the_settings_are_shown_without_secrets(own):
    _, admin = own
    answer = httpx.get(admin + "/debug/config")
    settings = answer.json()["settings"]
    assert settings["LOG_LEVEL"] == "off (set)" and settings["PING_INTERVAL"] == "10s (default)"
    assert settings["OPENAI_API_KEY"] == "*** (set)"
    assert answer.json()["endpoints"]["default"].endswith("/v1/chat/completions")
    assert "planted" not in answer.text


def test_the_log_level_changes_at_once(own, upstream):
    sidecar, admin = own
    asked = lambda: upstream.then(completion()) and httpx.post(
        sidecar.url + "/v1/messages", json=ASK).headers["request-id"]
    silent = asked()
    assert httpx.get(admin + "/debug/log-level").text == "off\n"
    assert httpx.put(admin + "/debug/log-level", content="info\n").text == "info\n"
    assert httpx.get(admin + "/debug/log-level").text == "info\n"
    assert sidecar.log_of(asked())["status"] == 200
    assert not any(silent in line for line in sidecar.lines)
    bad = httpx.put(admin + "/debug/log-level", content="loud")
    assert bad.status_code == 400 and "debug, info, warn, error, off" in bad.text
    assert httpx.get(admin + "/debug/log-level").text == "info\n"


def test_the_port_is_told_even_when_the_log_is_off(own):
    sidecar, _ = own
    lines = [json.loads(line) for line in sidecar.lines if "listening" in line]
    assert [line.get("listener") for line in lines] == ["admin", None]


@pytest.mark.parametrize("method, path, status, kind", [
    ("GET", "/nothing", 404, "not_found_error"),
    ("POST", "/v1/messages", 404, "not_found_error"),
    ("POST", "/debug/config", 405, "invalid_request_error"),
    ("DELETE", "/debug/log-level", 405, "invalid_request_error"),
    ("POST", "/metrics", 405, "invalid_request_error"),
])
def test_anything_else_is_refused_in_shape(sidecar, method, path, status, kind):
    answer = httpx.request(method, "http://" + sidecar.addresses["admin"] + path)
    assert answer.status_code == status and answer.json()["error"]["type"] == kind
    assert answer.json()["request_id"] == answer.headers["request-id"]
    if status == 405:
        assert answer.headers["allow"]


def test_only_neighbours_may_look_inside(own):
    _, admin = own
    port = int(admin.rsplit(":", 1)[1])
    outside = own_address()
    if outside is None:
        pytest.skip("this machine has no address besides loopback")
    for method, path in (("GET", "/debug/config"), ("PUT", "/debug/log-level")):
        answer = httpx.request(method, f"http://{outside}:{port}{path}")
        assert answer.status_code == 403
        assert answer.json()["error"]["type"] == "permission_error"
    assert httpx.get(f"http://{outside}:{port}/readyz").status_code == 200


def own_address():
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = sock.getsockname()[0]
        return None if address.startswith("127.") else address


def test_the_main_listener_shows_nothing_of_it(sidecar):
    for path in ("/debug/config", "/debug/log-level"):
        assert httpx.get(sidecar.url + path).status_code == 404
