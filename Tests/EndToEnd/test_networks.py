"""Where clients come in: Unix sockets and IPv6."""

import signal
import socket
import stat

import httpx
import pytest

from conftest import ASK, Sidecar
from test_http import run
from upstream import completion


def over(path):
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://sidecar")


def listening(upstream, path, **settings):
    return Sidecar(OPENAI_BASE_URL=upstream.url, LISTEN=f"unix:{path}", **settings)


@pytest.mark.parametrize("mode", ["", "0600", "0666"])
def test_a_socket_has_the_permissions_that_were_asked_for(upstream, tmp_path, mode):
    path = tmp_path / "s.sock"
    sidecar = listening(upstream, path, **({"LISTEN_MODE": mode} if mode else {}))
    assert stat.S_IMODE(path.stat().st_mode) == int(mode or "0660", 8)
    assert sidecar.stop() == 0
    assert not path.exists()


def test_every_worker_serves_a_socket(upstream, tmp_path):
    path = tmp_path / "s.sock"
    upstream.always(completion())
    sidecar = listening(upstream, path, WORKERS="2")
    clients = [over(path) for _ in range(8)]
    for client in clients:
        assert client.post("/v1/messages", json=ASK).status_code == 200
    assert run("healthcheck", LISTEN=f"unix:{path}").returncode == 0
    for client in clients:
        client.close()
    assert sidecar.stop() == 0


def test_a_socket_that_was_left_behind_is_replaced(upstream, tmp_path):
    path = tmp_path / "s.sock"
    first = listening(upstream, path)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait(5)
    assert path.is_socket()
    second = listening(upstream, path)
    with over(path) as client:
        assert client.get("/readyz").status_code == 200
    assert second.stop() == 0


def test_a_socket_in_use_is_left_alone(upstream, tmp_path):
    path = tmp_path / "s.sock"
    first = listening(upstream, path)
    second = run(LISTEN=f"unix:{path}")
    assert second.returncode == 1 and "address already in use" in second.stderr.lower()
    with over(path) as client:
        assert client.get("/readyz").status_code == 200
    assert first.stop() == 0


def test_what_is_no_socket_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    assert run(LISTEN=f"unix:{path}").returncode == 1
    assert path.read_text() == "data"


def test_the_socket_of_a_successor_stays(upstream, tmp_path):
    path = tmp_path / "s.sock"
    first = listening(upstream, path)
    path.unlink()
    second = listening(upstream, path)
    assert first.stop() == 0
    with over(path) as client:
        assert client.get("/readyz").status_code == 200
    assert second.stop() == 0


def test_clients_on_a_socket_count_as_local(upstream, tmp_path):
    path = tmp_path / "s.sock"
    sidecar = listening(upstream, path, ADMIN_QUIT="true")
    with over(path) as client:
        assert client.post("/quitquitquit").status_code == 200
    assert sidecar.process.wait(5) == 0


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize("host", ["::1", "[::1]", "::"])
def test_a_listener_takes_ipv6(upstream, host):
    upstream.always(completion())
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, HOST=host, PROXY_API_KEYS="k")
    assert sidecar.addresses["main"] == f"[{host.strip('[]')}]:{sidecar.port}"
    url = f"http://[::1]:{sidecar.port}/v1/messages"
    assert httpx.post(url, json=ASK, headers={"x-api-key": "k"}).status_code == 200
    if host == "::":
        # Without `ipv6only` the same socket takes IPv4.
        assert httpx.get(sidecar.url + "/readyz").status_code == 200
    assert sidecar.stop() == 0
