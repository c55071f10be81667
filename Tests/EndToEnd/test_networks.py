"""Where clients come in, and where upstreams are: Unix sockets, IPv6, names that change."""

import re
import signal
import socket
import stat
import subprocess
import time

import httpx
import pytest

from certificates import authority, issue, serving
from conftest import ASK, Sidecar, eventually
from test_http import run
from upstream import Upstream, completion, text_stream


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


# --- where upstreams are -------------------------------------------------------------------------


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize("body", [ASK, {**ASK, "stream": True}], ids=["message", "stream"])
def test_an_upstream_has_an_ipv6_address(body):
    upstream = Upstream(host="::1")
    upstream.always(text_stream("six") if body.get("stream") else completion("six"))
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url)
    assert "six" in httpx.post(sidecar.url + "/v1/messages", json=body).text
    assert upstream.requests[0].headers["host"] == f"[::1]:{upstream.port}"
    assert sidecar.stop() == 0


NAMES = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    char address[64] = "";
    if (node && strcmp(node, "upstream.test") == 0) {
        // What a name server takes: libcurl waits for the thread that asks.
        const char *milliseconds = getenv("NAMES_TAKE");
        usleep((milliseconds ? atoi(milliseconds) : 20) * 1000);
        FILE *file = fopen(getenv("ADDRESS_OF_UPSTREAM"), "r");
        if (!file || fscanf(file, "%63s", address) != 1) return EAI_NONAME;
        fclose(file);
        node = address;
    }
    return next(node, service, hints, result);
}
"""


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """A library under which `upstream.test` has the address that a file says."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "names.c").write_text(NAMES)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "names.so", folder / "names.c", "-ldl"],
                   check=True)
    return folder / "names.so"


def test_a_name_that_leads_elsewhere_is_followed(names, tmp_path):
    def closing(word):
        return lambda connection: connection.json(completion(word)) or "close"
    first = Upstream().always(closing("first"))
    second = Upstream(port=first.port, host="127.0.0.2").always(closing("second"))
    address = tmp_path / "address"
    address.write_text("127.0.0.1")
    sidecar = Sidecar(OPENAI_BASE_URL=f"http://upstream.test:{first.port}/v1", WORKERS="1",
                      LD_PRELOAD=str(names), ADDRESS_OF_UPSTREAM=str(address))

    def answer():
        return httpx.post(sidecar.url + "/v1/messages", json=ASK).text
    assert "first" in answer()
    address.write_text("127.0.0.2")
    # An address is remembered for some seconds, a connection until it ends.
    assert eventually(lambda: "second" in answer(), 15)
    assert second.requests and sidecar.stop() == 0


@pytest.mark.parametrize("body", [ASK, {**ASK, "stream": True}], ids=["message", "stream"])
def test_a_name_is_as_good_as_an_address(names, tmp_path, body):
    """libcurl finds an address on a thread, whose descriptor's number the connection gets."""
    issuer = authority(tmp_path, "ours")
    certificate = issue(tmp_path, "server", issuer, host="upstream.test")

    def script(connection):
        # Longer than libcurl looks after a new connection unasked.
        time.sleep(0.5)
        if body.get("stream"):
            connection.stream(text_stream("named"))
        else:
            connection.json(completion("named"))
    upstream = Upstream(tls=serving(certificate)).always(script)
    address = tmp_path / "address"
    address.write_text("127.0.0.1")
    sidecar = Sidecar(OPENAI_BASE_URL=f"https://upstream.test:{upstream.port}/v1", WORKERS="1",
                      UPSTREAM_CA_FILE=str(issuer), LD_PRELOAD=str(names),
                      ADDRESS_OF_UPSTREAM=str(address))
    assert "named" in httpx.post(sidecar.url + "/v1/messages", json=body).text
    assert sidecar.stop() == 0


def test_a_name_that_is_none_costs_nobody_else_anything(names, upstream, tmp_path):
    sidecar = Sidecar(OPENAI_BASE_URL=f"http://upstream.test:{upstream.port}/v1", WORKERS="1",
                      LD_PRELOAD=str(names), ADDRESS_OF_UPSTREAM=str(tmp_path / "nothing"),
                      MAX_RETRIES="0")
    with httpx.Client(base_url=sidecar.url) as first, httpx.Client(base_url=sidecar.url) as second:
        assert first.post("/v1/messages", json=ASK).status_code == 502
        # It may have got the number of a descriptor that libcurl had while it looked for the name.
        for _ in range(2):
            assert second.get("/readyz").status_code == 200
    assert sidecar.stop() == 0


def test_who_leaves_while_a_name_is_looked_for_holds_nobody_up(names, upstream, tmp_path):
    sidecar = Sidecar(OPENAI_BASE_URL=f"http://upstream.test:{upstream.port}/v1", WORKERS="1",
                      LD_PRELOAD=str(names), NAMES_TAKE="8000",
                      ADDRESS_OF_UPSTREAM=str(tmp_path / "nothing"))
    with httpx.Client(base_url=sidecar.url, timeout=4) as client:
        sock = sidecar.open_request(ASK)
        asked = re.compile(r'requests_in_flight{route="[a-z/0-9]*messages"} 1')
        assert eventually(lambda: asked.search(client.get("/metrics").text))
        sock.close()
        for _ in range(3):
            assert client.get("/readyz").status_code == 200
    assert sidecar.stop() == 0


def test_a_name_that_takes_too_long_holds_nobody_up(names, upstream, tmp_path):
    sidecar = Sidecar(OPENAI_BASE_URL=f"http://upstream.test:{upstream.port}/v1", WORKERS="1",
                      LD_PRELOAD=str(names), NAMES_TAKE="8000", CONNECT_TIMEOUT="1s",
                      ADDRESS_OF_UPSTREAM=str(tmp_path / "nothing"), MAX_RETRIES="0")
    answer = httpx.post(sidecar.url + "/v1/messages", json=ASK, timeout=4)
    assert answer.status_code == 504
    assert sidecar.stop() == 0
