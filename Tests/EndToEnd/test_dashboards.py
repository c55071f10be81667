"""Every panel and every alert asks for something that is there, under a real Prometheus."""

import json
import pathlib
import re
import subprocess
import sys
import threading

import httpx
import pytest
import yaml

import traffic
from conftest import eventually
from test_http import run
from upstream import Upstream

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "grafana"))

import generate  # noqa: E402
import panels  # noqa: E402

RULES = yaml.safe_load((ROOT / "alerts/rules.yaml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
RECORDS = [rule for group in RULES["groups"] for rule in group["rules"] if "record" in rule]
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
PANELS = [(board, panel) for board in panels.DASHBOARDS for panel in board.json()["panels"]]

# Only in a container with a limit, which a test may run in or not.
IN_CONTAINERS = "claude_sidecar_memory_limit_bytes"


class Prometheus:
    """A Prometheus that watches one sidecar and evaluates our rules."""

    def __init__(self, folder, sidecar):
        (folder / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms",
                       "evaluation_interval": "1s"},
            "rule_files": [str(ROOT / "alerts/rules.yaml")],
            "scrape_configs": [{"job_name": "sidecar", "static_configs": [{
                "targets": [sidecar.addresses["admin"]],
                "labels": {"namespace": "shop", "pod": "sidecar-0"}}]}]}))
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:0"],
            stderr=subprocess.PIPE, text=True, cwd=folder)
        self.log = []
        self.address = None
        self.found = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.found.wait(20), "".join(self.log)
        self.http = httpx.Client(base_url=f"http://{self.address}/api/v1", timeout=10)
        assert eventually(self.is_up, 10), "".join(self.log)

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r'address"?[=:]"?(127\.0\.0\.1:[1-9]\d*)', line)
            if found and not self.address:
                self.address = found[1]
                self.found.set()

    def is_up(self):
        try:
            return self.ask("up == 1") != []
        except (httpx.TransportError, KeyError, ValueError):
            return False

    def ask(self, query):
        answer = self.http.get("/query", params={"query": query}).json()
        assert answer["status"] == "success", (query, answer)
        return answer["data"]["result"]

    def scraped(self):
        """Waits until what is counted now has been fetched twice."""
        count = "count_over_time(up[1h])"
        seen = int(self.ask(count)[0]["value"][1])
        assert eventually(lambda: int(self.ask(count)[0]["value"][1]) >= seen + 2, 10)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    upstream = Upstream()
    sidecar = traffic.start(upstream, MEMORY_BUDGET="64MiB")
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), sidecar)
    driven = traffic.Traffic(sidecar, upstream)
    # Twice, because a series that begins with its first event has no rate before the second.
    for _ in range(2):
        driven.all()
        prometheus.scraped()
    yield prometheus
    prometheus.stop()
    assert sidecar.stop() == 0


def filled(query):
    """A query with a value for each of Grafana's variables."""
    query = query.replace("$__rate_interval", "1m")
    query = re.sub(r"\$(namespace|pod|model)", ".*", query)
    assert "$" not in query, query
    return query


QUERIES = [pytest.param(target["expr"], id=f"{board.uid}/{panel['title']}/{target['refId']}")
           for board, panel in PANELS for target in panel["targets"]]


@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_shows_something(prometheus, query):
    answer = prometheus.ask(filled(query))
    assert IN_CONTAINERS in query or any(
        series["value"][1] != "NaN" for series in answer), query


def selectors(query):
    """Each metric of a query, with its matchers."""
    query = re.sub(r"(by|on) \([^)]*\)", "", query)
    for name, inside in re.findall(
            r"\b((?:claude_sidecar|process|kube)[a-z0-9_:]*)(?:\{([^}]*)\})?", query):
        yield name, re.findall(r'([a-z_]+)(=~|=)"([^"]*)"', inside)


def closed_sets():
    """Every value that a label of a metric can have, as the binary tells it."""
    rows = run("metrics").stdout.split("### Values of labels")[1].splitlines()
    cells = [[re.findall("`([^`]+)`", cell) for cell in row.split("|")] for row in rows]
    return {(name, row[1][0]): set(row[3])
            for row in cells if len(row) > 3 and row[1] for name in row[2]}


@pytest.mark.parametrize("rule", ALERTS + RECORDS, ids=lambda rule: rule.get("alert") or "rule")
def test_a_rule_asks_for_what_there_is(prometheus, rule):
    """An alert is silent here, so each of its parts must be there: name, labels and values."""
    prometheus.ask(rule["expr"])
    possible = closed_sets()
    for name, matchers in selectors(rule["expr"]):
        if name == IN_CONTAINERS:
            continue
        assert eventually(lambda: prometheus.ask(name), 10), name
        series = [result["metric"] for result in prometheus.ask(name)]
        for label, _, pattern in matchers:
            values = {one.get(label) for one in series} - {None} | possible.get((name, label), set())
            for part in pattern.split("|"):
                assert any(re.fullmatch(part, value) for value in values), (name, label, part)


def test_the_rules_are_evaluated_without_error(prometheus):
    def rules():
        groups = prometheus.http.get("/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]
    assert eventually(lambda: all(rule["health"] == "ok" for rule in rules()), 20), rules()
    assert len(rules()) == len(ALERTS) + len(RECORDS)
    for rule in RECORDS:
        assert eventually(lambda: prometheus.ask(rule["record"]), 10), rule["record"]


def declared():
    for line in run("metrics").stdout.split("\n### ")[0].splitlines()[2:]:
        if line:
            yield line.split("`")[1]


def test_every_metric_is_shown_or_left_out_on_purpose():
    asked = " ".join(target["expr"] for _, panel in PANELS for target in panel["targets"])
    names = set(declared())
    shown = {name for name in names if re.search(rf"\b{name}(_bucket)?\b", asked)}
    assert names - shown == set(panels.NOT_SHOWN)


def test_what_is_committed_is_what_is_described():
    for path, text in generate.files().items():
        assert path.read_text() == text, f"run grafana/generate.py: {path.name}"
    listed = yaml.safe_load((ROOT / "grafana/kustomization.yaml").read_text())
    boards = {path.name for path in (ROOT / "grafana").glob("*.json")}
    assert set(listed["configMapGenerator"][0]["files"]) == boards
    assert boards == {board.uid + ".json" for board in panels.DASHBOARDS}


@pytest.mark.parametrize("path", sorted((ROOT / "grafana").glob("*.json")), ids=lambda p: p.stem)
def test_a_dashboard_can_be_imported_anywhere(path):
    board = json.loads(path.read_text())
    assert board["id"] is None and board["uid"] == path.stem and board["schemaVersion"] >= 39
    names = [variable["name"] for variable in board["templating"]["list"]]
    assert names == ["datasource", "namespace", "pod", "model"]
    for panel in board["panels"]:
        assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
    cells = [(x, y) for panel in board["panels"] for p in [panel["gridPos"]]
             for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_leads_to_its_panel_and_its_runbook(alert):
    annotations = alert["annotations"]
    anchor = annotations["runbook_url"].removeprefix("docs/runbook.md#")
    assert anchor in {title.lower() for title in re.findall(r"^## (\w+)$", RUNBOOK, re.M)}
    uid, number = re.fullmatch(r"/d/([a-z-]+)\?viewPanel=(\d+)", annotations["dashboard_url"]
                               ).groups()
    panel = next(p for board, p in PANELS if (board.uid, p["id"]) == (uid, int(number)))
    asked = {name.removesuffix("_bucket") for target in panel["targets"]
             for name, _ in selectors(target["expr"])}
    exprs = alert["expr"] + "".join(rule["expr"] for rule in RECORDS
                                    if rule["record"] in alert["expr"])
    assert asked & {name.removesuffix("_bucket") for name, _ in selectors(exprs)}
    told = f"When {alert['alert']} fires: {annotations['runbook_url']}"
    assert told in panel["description"].splitlines()
    assert alert["labels"]["severity"] in ("warning", "critical") and "for" in alert


def test_every_section_of_the_runbook_is_of_an_alert():
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.M) == [alert["alert"] for alert in ALERTS]


def promtool(*arguments):
    return subprocess.run(["promtool", *arguments], cwd=ROOT / "alerts", capture_output=True,
                          text=True)


def test_the_rules_fire_when_they_should_and_only_then():
    checked = promtool("check", "rules", "--lint-fatal", "rules.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tried = promtool("test", "rules", "tests.yaml")
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_every_alert_has_a_case_that_fires_and_one_that_does_not():
    cases = [case for test in yaml.safe_load((ROOT / "alerts/tests.yaml").read_text())["tests"]
             for case in test.get("alert_rule_test", [])]
    for alert in ALERTS:
        own = [bool(case.get("exp_alerts")) for case in cases
               if case["alertname"] == alert["alert"]]
        assert set(own) == {True, False}, alert["alert"]
