"""What the process lets be seen of itself."""

import json
import os
import shutil
import subprocess

import pytest

from conftest import BINARY


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
