"""What the process lets be seen of itself."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from conftest import ASK, BINARY, UPSTREAM_KEY, Sidecar
from test_admin import own_address


def test_no_memory_leaves_in_a_core_dump(sidecar):
    proc = f"/proc/{sidecar.process.pid}"
    with open(f"{proc}/limits") as file:
        line = next(line for line in file if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]
    with open(f"{proc}/coredump_filter") as file:
        assert int(file.read(), 16) == 0


def test_it_may_open_as_many_descriptors_as_it_is_allowed(sidecar):
    with open(f"/proc/{sidecar.process.pid}/limits") as file:
        line = next(line for line in file if line.startswith("Max open files"))
    assert line.split()[3] == line.split()[4]


def test_the_command_line_holds_no_secret(sidecar):
    with open(f"/proc/{sidecar.process.pid}/cmdline", "rb") as file:
        assert b"sk-planted" not in file.read()


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="packages are Debian's")
def test_the_bill_of_materials_names_what_is_loaded():
    script = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "sbom")
    done = subprocess.run([script, BINARY], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    bill = json.loads(done.stdout)
    assert bill["bomFormat"] == "CycloneDX"
    names = {component["name"] for component in bill["components"]}
    assert {"swift-runtime", "libcurl4", "libjansson4", "libssl3", "zlib1g"} <= names
    assert all(c.get("version") for c in bill["components"] if c["name"].startswith("lib"))


def test_only_this_machine_can_connect_unless_more_is_asked_for(upstream):
    outside = own_address()
    if outside is None:
        pytest.skip("this machine has no address besides loopback")
    for settings, is_open, warns in (
            ({}, False, False), ({"HOST": "0.0.0.0"}, True, True),
            ({"HOST": "0.0.0.0", "PROXY_API_KEYS": "k"}, True, False)):
        sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, **settings)
        with socket.socket() as sock:
            sock.settimeout(5)
            assert (sock.connect_ex((outside, sidecar.port)) == 0) == is_open, settings
        assert sidecar.stop() == 0
        warnings = [line for line in sidecar.whole_log() if '"level":"warn"' in line]
        assert any("PROXY_API_KEYS" in line for line in warnings) == warns, warnings


DOCKERFILE = pathlib.Path(__file__).parents[2] / "Dockerfile"


def backtracer():
    """The program that writes a backtrace, as the image has it; None where Swift is not."""
    swift = shutil.which("swift")
    found = swift and list(pathlib.Path(swift).resolve().parents[1].glob("libexec/**/*-backtrace-static"))
    return found[0] if found else None


@pytest.mark.skipif(not backtracer(), reason="the backtracer comes with Swift")
def test_a_backtrace_shows_no_memory(upstream):
    """With what the image sets, a crash tells functions; neither registers nor what they point at."""
    setting = re.search(r"^ENV SWIFT_BACKTRACE=(.*)$", DOCKERFILE.read_text(), re.M)[1]
    setting = re.sub(r"swift-backtrace=.*", f"swift-backtrace={backtracer()}", setting)
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=UPSTREAM_KEY,
                      SWIFT_BACKTRACE=setting)
    upstream.then(lambda c: c.wait_closed() and "close")
    body = {**ASK, "messages": [{"role": "user", "content": "PLANTED-PROMPT"}]}
    with sidecar.open_request(body):
        upstream.next_request()
        sidecar.process.send_signal(signal.SIGSEGV)
        sidecar.wait_for(lambda: any("Backtrace took" in line for line in sidecar.lines), 60)
        # A fault would end it; a signal from outside is reported, and that is all.
        sidecar.process.kill()
        report = "".join(sidecar.whole_log())
    assert "Worker.run" in report, report
    for secret in ("PLANTED", UPSTREAM_KEY, "Registers:", "rax", "Images"):
        assert secret not in report, report
