"""A real Prometheus scrapes the release binary, in both formats, and answers queries."""

import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import httpx
import pytest

import traffic
from conftest import eventually
from upstream import Upstream

TEXT = "text/plain; version=0.0.4"


class PlainRelay(http.server.BaseHTTPRequestHandler):
    """Asks for plain text, whatever Prometheus would rather have."""

    target = ""

    def do_GET(self):
        connection = http.client.HTTPConnection(self.target, timeout=5)
        connection.request("GET", "/metrics", headers={"accept": TEXT})
        answer = connection.getresponse()
        assert answer.headers["content-type"].startswith(TEXT)
        self.send_response(answer.status)
        self.send_header("content-type", answer.headers["content-type"])
        self.end_headers()
        self.wfile.write(answer.read())
        connection.close()

    def log_message(self, *_):
        pass


def listening_ports(pid):
    """The TCP ports that a process listens on, from /proc."""
    sockets = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue
        if found:
            sockets.add(found[1])
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                ports.add(int(fields[1].rsplit(":", 1)[1], 16))
    return ports


class Prometheus:
    """A Prometheus with its own folder, on a port that the system picks."""

    def __init__(self, folder, targets):
        jobs = [{"job_name": name, "static_configs": [{"targets": [target]}]}
                for name, target in targets.items()]
        # JSON is YAML.
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": jobs}))
        self.log = open(folder / "log", "w")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:0",
             "--enable-feature=exemplar-storage"], stdout=self.log, stderr=self.log)
        assert eventually(lambda: listening_ports(self.process.pid), 20)
        self.url = f"http://127.0.0.1:{listening_ports(self.process.pid).pop()}/api/v1/"

    def ask(self, path, **parameters):
        answer = httpx.get(self.url + path, params=parameters)
        return answer.json()["data"] if answer.status_code == 200 else None

    def query(self, expression):
        """The values of a query by job, once both have one: a scrape may come late."""
        eventually(lambda: len(self.query_now(expression)) == 2, 10)
        return self.query_now(expression)

    def query_now(self, expression):
        data = self.ask("query", query=expression)
        return {row["metric"].get("job"): float(row["value"][1])
                for row in (data or {"result": []})["result"]}

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A sidecar that has seen everything and a Prometheus that has seen the sidecar."""
    if shutil.which("prometheus") is None:
        pytest.skip("there is no prometheus on the PATH")
    upstream = Upstream()
    sidecar = traffic.start(
        upstream, OTEL_SERVICE_NAME="sidecar-of-tests",
        OTEL_SEMCONV_STABILITY_OPT_IN="http,gen_ai_latest_experimental",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test,team=a%20b")
    driven = traffic.Traffic(sidecar, upstream)
    driven.all()
    relay = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Relay", (PlainRelay,), {
            "target": sidecar.addresses["admin"]}))
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), {
        "open": sidecar.addresses["admin"], "plain": f"127.0.0.1:{relay.server_port}"})
    ready = eventually(lambda: prometheus.query_now("count_over_time(up[1m]) > 1").keys()
                       == {"open", "plain"}, 20)
    assert ready, prometheus.query_now("up")
    yield prometheus, driven
    prometheus.stop()
    relay.shutdown()
    assert sidecar.stop() == 0


def test_promtool_finds_nothing_to_say(watched):
    _, driven = watched
    text = driven.scrape(accept=TEXT).content
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_both_formats_say_the_same(watched):
    prometheus, _ = watched
    assert prometheus.query("up") == {"open": 1, "plain": 1}
    for expression in ("sum by (job) (claude_sidecar_requests_total)",
                       "sum by (job) (claude_sidecar_tokens_total{model='model-a'})",
                       "sum by (job) (claude_sidecar_request_duration_seconds_bucket)",
                       "sum by (job) (claude_sidecar_stream_outcomes_total)"):
        found = prometheus.query(expression)
        assert found["open"] == found["plain"] > 0, expression


def test_quantiles_can_be_asked_for(watched):
    prometheus, _ = watched
    for histogram in ("time_to_first_token", "request_duration", "upstream_first_byte"):
        found = prometheus.query(
            "histogram_quantile(0.95, sum by (job, le) "
            f"(claude_sidecar_{histogram}_seconds_bucket))")
        assert 0 < found["open"] == found["plain"] < 10


def test_series_stay_within_their_budget(watched):
    prometheus, _ = watched
    # With the mirror of OpenTelemetry's names, which is not on by default.
    mirror = 'count by (job) ({__name__=~"gen_ai_.*"})'
    for job, count in prometheus.query(f"scrape_samples_scraped - on (job) {mirror}").items():
        assert 600 < count <= 1500, job


def test_exemplars_lead_to_traces(watched):
    prometheus, _ = watched
    for histogram in ("time_to_first_token", "request_duration", "upstream_first_byte"):
        found = prometheus.ask("query_exemplars", start="0", end="9999999999",
                               query=f"claude_sidecar_{histogram}_seconds_bucket")
        traces = {row["seriesLabels"]["job"]: exemplar["labels"]["trace_id"]
                  for row in found for exemplar in row["exemplars"]}
        assert traces == {"open": traffic.TRACE}


def test_the_names_of_opentelemetry_are_there_when_asked_for(watched):
    prometheus, _ = watched
    assert prometheus.query('target_info{service_name="sidecar-of-tests",team="a b",'
                            'deployment_environment="test"}') == {"open": 1, "plain": 1}
    same = [
        ("gen_ai_server_request_duration_seconds_count",
         "claude_sidecar_request_duration_seconds_count{route='messages'}"),
        ("gen_ai_server_time_to_first_token_seconds_count",
         "claude_sidecar_time_to_first_token_seconds_count"),
        ("gen_ai_server_time_per_output_token_seconds_count",
         "claude_sidecar_time_per_output_token_seconds_count"),
        ("gen_ai_client_token_usage_sum{gen_ai_token_type='output'}",
         "claude_sidecar_tokens_total{type='output'}"),
    ]
    for theirs, ours in same:
        found = prometheus.query(f"sum by (job) ({theirs})")
        assert found == prometheus.query(f"sum by (job) ({ours})")
        assert found["open"] == found["plain"] > 0
    found = prometheus.query(
        'sum by (job) (gen_ai_server_request_duration_seconds_count{gen_ai_operation_name="chat",'
        'gen_ai_provider_name="generic",gen_ai_request_model="model-a",'
        'gen_ai_response_model="model-a",error_type="upstream_cut"})')
    assert found["open"] >= 1
