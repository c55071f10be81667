"""Each named upstream has certificates, proxies and headers of its own, or those of all."""

import subprocess

import httpx
import pytest

from certificates import authority, issue, serving
from conftest import BINARY, Sidecar
from test_proxies import PASSWORD, Proxy
from upstream import Upstream, completion, text_stream

NAMES = ("one", "two")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An authority, a server and a client of it, twice."""
    folder = tmp_path_factory.mktemp("transports")
    for name in NAMES:
        ca = authority(folder, name)
        issue(folder, f"{name}-server", ca)
        issue(folder, f"{name}-client", ca)
        hashed = folder / f"{name}-authorities"
        hashed.mkdir()
        (hashed / "ca.pem").write_bytes(ca.read_bytes())
        subprocess.run(["openssl", "rehash", hashed], check=True)
    return folder


@pytest.fixture
def servers(folder):
    """Two servers that let only clients of their own authority in, in order."""
    return [Upstream(tls=serving(folder / f"{name}-server.pem", clients=folder / f"{name}.pem"))
            .always(completion(f"from {name}")) for name in NAMES]


def named(servers, **settings):
    """Two upstreams, each for the model of its name."""
    for name, server in zip(NAMES, servers):
        prefix = f"UPSTREAM_{name.upper()}"
        settings = {f"{prefix}_BASE_URL": server.url, f"{prefix}_API_KEY": f"sk-{name}",
                    f"{prefix}_MODELS": name, **settings}
    return Sidecar(UPSTREAMS="one,two", MAX_RETRIES="0", WORKERS="1", ADMIN_PORT="0",
                   ADMIN_HOST="127.0.0.1", **settings)


def ask(sidecar, model, stream=False):
    body = {"model": model, "max_tokens": 64, "stream": stream,
            "messages": [{"role": "user", "content": "hi"}]}
    return httpx.post(sidecar.url + "/v1/messages", json=body, timeout=15)


def own(folder, name, authorities="CA_FILE", ending=".pem"):
    prefix = f"UPSTREAM_{name.upper()}"
    return {f"{prefix}_{authorities}": str(folder / f"{name}{ending}"),
            f"{prefix}_CLIENT_CERT": str(folder / f"{name}-client.pem"),
            f"{prefix}_CLIENT_KEY": str(folder / f"{name}-client.key")}


@pytest.mark.parametrize("kind", [("CA_FILE", ".pem"), ("CA_DIR", "-authorities")],
                         ids=["bundle", "folder"])
def test_each_is_reached_with_its_own_certificates(folder, servers, kind):
    sidecar = named(servers, **own(folder, "one", *kind), **own(folder, "two", *kind))
    for name, server in zip(NAMES, servers):
        assert f"from {name}" in ask(sidecar, name).text
        assert server.requests[0].headers["authorization"] == f"Bearer sk-{name}"
    assert sidecar.stop() == 0


def test_one_has_its_own_and_the_other_what_all_have(folder, servers):
    shared = {key.replace("_ONE_", "_"): value for key, value in own(folder, "one").items()}
    sidecar = named(servers, **shared, **own(folder, "two"))
    assert [name in ask(sidecar, name).text for name in NAMES] == [True, True]
    assert sidecar.stop() == 0


@pytest.mark.parametrize("wrong", [
    {"UPSTREAM_TWO_CA_FILE": "one.pem"},
    {"UPSTREAM_TWO_CLIENT_CERT": "one-client.pem", "UPSTREAM_TWO_CLIENT_KEY": "one-client.key"},
], ids=["authority", "client"])
def test_what_is_right_for_one_is_wrong_for_the_other(folder, servers, wrong):
    sidecar = named(servers, **own(folder, "one"), **{
        **own(folder, "two"), **{key: str(folder / file) for key, file in wrong.items()}})
    assert ask(sidecar, "one").status_code == 200
    assert ask(sidecar, "two").status_code == 502 and not servers[1].requests
    assert sidecar.stop() == 0


def test_one_alone_goes_unchecked(folder):
    servers = [Upstream(tls=serving(folder / f"{name}-server.pem")).always(completion("ok"))
               for name in NAMES]
    sidecar = named(servers, UPSTREAM_TWO_TLS_INSECURE="true")
    assert [ask(sidecar, name).status_code for name in NAMES] == [502, 200]
    assert sidecar.stop() == 0
    warnings = [line for line in sidecar.whole_log() if "identity is not checked" in line]
    assert len(warnings) == 1 and "UPSTREAM_TWO_TLS_INSECURE" in warnings[0]


def test_a_folder_of_authorities_by_the_name_that_openssl_reads(folder, servers):
    upstream = Upstream(tls=serving(folder / "one-server.pem")).always(completion("trusted"))
    for name, status in (("one", 200), ("two", 502)):
        sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, MAX_RETRIES="0",
                          SSL_CERT_DIR=str(folder / f"{name}-authorities"))
        assert ask(sidecar, "m").status_code == status
        assert sidecar.stop() == 0


def test_each_gets_its_own_headers():
    servers = [Upstream().always(completion("a")) for _ in NAMES]
    sidecar = named(
        servers, CUSTOM_HEADER_X_TEAM="everybody", CUSTOM_HEADER_X_SHARED="yes",
        UPSTREAM_ONE_CUSTOM_HEADER_X_TEAM="planted-one", UPSTREAM_TWO_CUSTOM_HEADER_X_GATE="planted-two")
    for name in NAMES:
        assert ask(sidecar, name).status_code == 200
    one, two = (server.requests[0].headers for server in servers)
    assert (one["x-team"], one["x-shared"]) == ("planted-one", "yes") and "x-gate" not in one
    assert (two["x-team"], two["x-gate"]) == ("everybody", "planted-two")
    shown = httpx.get(f"http://{sidecar.addresses['admin']}/debug/config").text
    assert "UPSTREAM_ONE_CUSTOM_HEADER_X_TEAM" in shown and "planted" not in shown
    # What an upstream repeats of them is not told either.
    servers[0].reset()
    servers[0].then(lambda c: c.json({"error": {"message": "bad planted-one here"}}, 400))
    assert "planted" not in ask(sidecar, "one").text
    assert sidecar.stop() == 0
    assert "planted" not in "".join(sidecar.whole_log())


@pytest.mark.parametrize("stream", [False, True], ids=["message", "stream"])
def test_each_goes_its_own_way(stream):
    servers = [Upstream().always(text_stream("here") if stream else completion("here"))
               for _ in NAMES]
    shared, its = Proxy(), Proxy(wants_password=True)
    sidecar = named(servers, http_proxy=f"http://{shared.address}", UPSTREAM_ONE_PROXY="none",
                    UPSTREAM_TWO_PROXY=f"http://user:{PASSWORD}@{its.address}")
    for name in NAMES:
        assert "here" in ask(sidecar, name, stream).text
    assert not shared.heads
    assert [head.split()[1] for head in its.heads] == [f"{servers[1].url}/chat/completions"]
    shown = httpx.get(f"http://{sidecar.addresses['admin']}/debug/config").text
    assert f"http://***@{its.address}" in shown
    assert sidecar.stop() == 0
    assert PASSWORD not in shown + "".join(sidecar.whole_log())


def test_exceptions_are_of_one_too():
    servers = [Upstream().always(completion("here")) for _ in NAMES]
    shared = Proxy()
    sidecar = named(servers, http_proxy=f"http://{shared.address}",
                    UPSTREAM_ONE_NO_PROXY="localhost,127.0.0.1")
    for name in NAMES:
        assert "here" in ask(sidecar, name).text
    assert [head.split()[1] for head in shared.heads] == [f"{servers[1].url}/chat/completions"]
    assert sidecar.stop() == 0


def test_check_tells_files_that_are_missing(folder, servers):
    settings = {**own(folder, "one"), "UPSTREAM_TWO_CA_FILE": "/none/ca.pem"}
    sidecar = named(servers, **settings)
    assert sidecar.stop() == 0
    assert [line for line in sidecar.whole_log() if '"warn"' in line
            and "UPSTREAM_TWO_CA_FILE: cannot read /none/ca.pem" in line]
    told = subprocess.run([BINARY, "check"], capture_output=True, text=True, env={
        "UPSTREAMS": "one", "UPSTREAM_ONE_BASE_URL": "https://h/v1", "UPSTREAM_ONE_API_KEY": "k",
        "UPSTREAM_ONE_CLIENT_CERT": "/none/c.pem"}).stdout
    assert "warning: UPSTREAM_ONE_CLIENT_CERT: cannot read /none/c.pem" in told
