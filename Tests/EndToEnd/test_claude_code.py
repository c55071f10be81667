"""The real Claude Code CLI finishes its agent loop through the sidecar."""

import importlib.util
import json
import os
import subprocess

import pytest

from agent_loop import (
    GREETING, LAST_WORDS, AgentLoop, cut_in_a_call, fail_in_a_stream, too_many_requests)
from conftest import Sidecar


def bundled_cli():
    """The CLI that the claude-agent-sdk wheel carries; `None` without it."""
    found = importlib.util.find_spec("claude_agent_sdk")
    folders = found.submodule_search_locations if found else []
    for folder in folders:
        path = os.path.join(folder, "_bundled", "claude")
        if os.access(path, os.X_OK):
            return path


CLI = bundled_cli()
pytestmark = pytest.mark.skipif(
    CLI is None, reason="the claude-agent-sdk wheel with its bundled CLI is not installed")


def run_cli(sidecar, folder, home, model="gpt-4"):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": sidecar.url, "ANTHROPIC_AUTH_TOKEN": "anything",
        "ANTHROPIC_MODEL": model, "ANTHROPIC_SMALL_FAST_MODEL": "gpt-3.5-turbo",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    done = subprocess.run(
        [CLI, "-p", "Write a greeting with Bash and read it back", "--max-turns", "12",
         "--output-format", "stream-json", "--verbose", "--allowedTools", "Bash,Read"],
        env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=120)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    results = [line for line in lines if line.get("type") == "result"]
    assert done.returncode == 0 and results, done.stdout[-2000:] + done.stderr[-2000:]
    return results[-1]


@pytest.mark.parametrize("loop_options, model", [
    ({}, "gpt-4"),
    ({"parallel": True, "reasoning": True, "split": 7}, "gpt-4"),
    ({"parallel": True}, "claude-sonnet-4-5"),
    ({"disturb": too_many_requests}, "gpt-4"),
    ({"disturb": cut_in_a_call}, "gpt-4"),
    ({"disturb": fail_in_a_stream, "reasoning": True}, "gpt-4"),
], ids=["plain", "parallel-reasoning-split", "claude-model", "429", "cut", "error-in-stream"])
def test_the_agent_loop_finishes(sidecar, upstream, tmp_path, loop_options, model):
    folder, home = tmp_path / "project", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    loop = AgentLoop(str(folder), **loop_options)
    upstream.always(loop)
    result = run_cli(sidecar, folder, home, model)
    assert loop.complaints == []
    assert loop.is_finished and not result["is_error"]
    assert result["result"] == LAST_WORDS
    assert (folder / "greeting.txt").read_text().strip() == GREETING
    if loop.parallel:
        assert (folder / "one.txt").read_text() == (folder / "two.txt").read_text()


def test_the_demo_is_enough_for_a_first_turn(tmp_path):
    sidecar = Sidecar("demo")
    folder, home = tmp_path / "project", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    result = run_cli(sidecar, folder, home)
    assert not result["is_error"] and "claude-sidecar" in result["result"]
    assert result["num_turns"] >= 2
    assert sidecar.stop() == 0
