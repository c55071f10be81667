"""The documents say what the program does."""

import json
import pathlib
import re

import httpx
import pytest

from conftest import ASK, Sidecar
from test_http import run
from upstream import text_stream

ROOT = pathlib.Path(__file__).parents[2]
SETTINGS = (ROOT / "docs/settings.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
MONITORING = (ROOT / "docs/monitoring.md").read_text()
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")),
             ROOT / "Benchmarks/README.md"]


def settings_table():
    return run("settings").stdout.rstrip("\n")


def settings():
    """The names of every setting, as the table has them, the documented one first."""
    for row in re.findall(r"^\| (`.*?) \|", settings_table(), re.M):
        yield re.findall(r"`([A-Za-z_<>]+)`", row.replace("`_FILE`", ""))


def around(document, what):
    """What stands before, between and after the marks of a written table."""
    before, rest = document.split(f"<!-- {what}: ", 1)
    mark, rest = rest.split("a test compares -->\n", 1)
    shown, after = rest.split(f"<!-- end of {what}", 1)
    return (f"{before}<!-- {what}: {mark}a test compares -->\n", shown.rstrip("\n"),
            f"\n<!-- end of {what}{after}")


def test_the_settings_page_has_the_table():
    shown = around(SETTINGS, "settings")[1]
    assert shown == settings_table(), "run this file as a program: it writes the table"


def test_the_metrics_are_documented_as_they_are_declared():
    shown = around(MONITORING, "metrics")[1]
    assert shown == run("metrics").stdout.rstrip("\n"), "run this file as a program"


def test_the_help_has_the_settings_of_the_table():
    text = run("--help").stdout.split("settings (", 1)[1]
    assert re.findall(r"^  ([A-Za-z_<>]+)  ", text, re.M) == [names[0] for names in settings()]


def test_check_shows_what_became_of_every_setting():
    shown = run("check", LOG_LEVEL="debug", OPENAI_API_KEY="planted").stdout
    assert "  LOG_LEVEL = debug (set)\n" in shown and "  PING_INTERVAL = 10s (default)\n" in shown
    assert "  OPENAI_API_KEY = *** (set)\n" in shown and "planted" not in shown
    assert all(f"  {names[0]} = " in shown for names in settings() if "<" not in names[0])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    missing = [link for link in links
               if not link.startswith("http") and not (document.parent / link).exists()]
    assert missing == []


def test_every_key_of_the_log_is_documented(sidecar, upstream):
    table = MONITORING.split("## Logs")[1].split("\n## ")[0]
    cells = re.findall(r"^\|([^|]+)\|", table, re.M)
    documented = {key for cell in cells for key in re.findall(r"`([a-z_]+)`", cell)}
    orphan = {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "nobody", "content": "x"}]}
    body = {**ASK, "safeguards": [1], "stream": True, "messages": ASK["messages"] + [orphan]}
    upstream.then(text_stream("a", "b"))
    upstream.then(lambda c: c.json({"error": {"message": "x"}}, 400, [("x-request-id", "r")]))
    lines = [json.loads(line) for line in sidecar.lines if '"msg":"listening"' in line]
    for _ in range(2):
        answer = httpx.post(sidecar.url + "/v1/messages", json=body)
        lines.append(sidecar.log_of(answer.headers["request-id"]))
    assert set().union(*lines) <= documented
    sources = "".join(path.read_text() for path in (ROOT / "Sources/Proxy").rglob("*.swift"))
    own = {"ts", "level", "msg"}
    assert all(f'line.add("{key}"' in sources for key in documented - own)


def test_every_repair_and_loss_has_a_label_of_its_own():
    sources = "".join(path.read_text() for path in (ROOT / "Sources").rglob("*.swift"))
    named = set(re.findall(
        r'(?:repaired\(|repairs\.append\(|losses\.append\(|note\(loss: )"([a-z_]+)"', sources))
    labels = (ROOT / "Sources/Telemetry/MetricLabel.swift").read_text()
    assert len(named) > 15 and named - set(re.findall(r'"([a-z_]+)"', labels)) == set()


def test_every_exit_status_is_documented():
    help_text = run("--help").stdout.split("exit status")[1].split("settings")[0]
    statuses = set(re.findall(r"(?:^|\s\s)(\d+)  ", help_text))
    table = OPERATIONS.split("## Exit status")[1].split("\n## ")[0]
    assert statuses and statuses == set(re.findall(r"^\| (\d+) ", table, re.M))


def test_the_example_of_the_run_script_works():
    script = (ROOT / "scripts/run").read_text()
    body = re.search(r"-d '\n(.*?)'", script, re.S)[1].replace('\\"', '"')
    sidecar = Sidecar("demo")
    answer = httpx.post(sidecar.url + "/v1/messages", content=body)
    assert answer.status_code == 200 and "event: message_stop" in answer.text
    assert sidecar.stop() == 0


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_variables_in_documents_exist(document):
    text = document.read_text()
    names = {name for spellings in settings() for name in spellings}
    used = set(re.findall(r"\b((?:OPENAI|UPSTREAM|ADMIN|PROXY|MODEL|MAX|MIN|LOG)_[A-Z_]+)\b", text))
    files = {name + "_FILE" for name in names}
    patterns = [re.sub("<[A-Z]+>", "[A-Z_]+", name) + "(_FILE)?" for name in names if "<" in name]
    named = {name for name in used if any(re.fullmatch(p, name) for p in patterns)}
    assert used - names - files - named == set()
    commands = set(re.findall(r"claude-sidecar (--?[a-z]+|[a-z]+)`", text))
    known = run("--help").stdout
    assert all(command in known for command in commands)
    for script in re.findall(r"`(scripts/[a-z0-9_-]+|\.ci/[a-z]+|Benchmarks/[a-z.]+)", text):
        assert (ROOT / script).exists(), script


def write(path, what, table):
    before, _, after = around(path.read_text(), what)
    path.write_text(before + table + after)


if __name__ == "__main__":
    write(ROOT / "docs/settings.md", "settings", settings_table())
    write(ROOT / "docs/monitoring.md", "metrics", run("metrics").stdout.rstrip("\n"))
