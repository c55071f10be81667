"""What is counted is what has happened; what is exposed is what Prometheus wants."""

import os
import threading

import httpx
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families)
from prometheus_client.parser import text_string_to_metric_families

import traffic
from conftest import ASK, eventually
from test_http import run
from upstream import Upstream, chunk, completion, text_stream

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


class Scrape:
    """The samples of a scrape."""

    def __init__(self, families):
        self.families = list(families)
        self.samples = {(s.name, frozenset(s.labels.items())): s
                        for family in self.families for s in family.samples}

    def __getitem__(self, name):
        """The sum over all series of a sample."""
        return sum(s.value for (own, _), s in self.samples.items()
                   if own == "claude_sidecar_" + name)

    def value(self, name, **labels):
        sample = self.samples.get(("claude_sidecar_" + name, frozenset(labels.items())))
        return sample.value if sample else 0


@pytest.fixture(scope="module")
def busy():
    """A sidecar that has seen everything."""
    upstream = Upstream()
    sidecar = traffic.start(upstream)
    driven = traffic.Traffic(sidecar, upstream)
    driven.all()
    yield driven
    assert sidecar.stop() == 0


def scrape(busy):
    return Scrape(text_string_to_metric_families(busy.scrape().text))


def open_scrape(busy):
    return Scrape(open_metrics_families(busy.scrape(accept=OPEN_METRICS).text))


@pytest.mark.skipif("CLAUDE_SIDECAR_COMMIT" not in os.environ, reason="scripts/lib tells it")
def test_the_commit_is_told(busy):
    info = [s for s in scrape(busy).samples.values() if s.name == "claude_sidecar_build_info"]
    assert [s.labels.get("commit", "") for s in info] == [os.environ["CLAUDE_SIDECAR_COMMIT"]]


# What this test cannot make happen.
NOT_HERE = {"claude_sidecar_memory_budget_bytes", "claude_sidecar_memory_limit_bytes",
            "target_info"}


def declared():
    for line in run("metrics").stdout.split("\n### ")[0].splitlines()[2:]:
        if line:
            name = line.split("`")[1]
            # Said only on demand; `test_prometheus.py` demands it.
            if not name.startswith("gen_ai_"):
                yield name


def test_every_metric_is_fed(busy):
    seen = {family.name + ("_total" if family.type == "counter" else "")
            for family in scrape(busy).families}
    assert set(declared()) - seen - NOT_HERE == set()
    empty = [family.name for family in scrape(busy).families
             if family.type == "histogram" and not any(
                 s.value for s in family.samples if s.name.endswith("_count"))]
    assert empty == []


@pytest.mark.parametrize("read", [scrape, open_scrape], ids=["text", "open metrics"])
def test_series_stay_within_their_budget(busy, read):
    count = len(read(busy).samples)
    print(f"{count} series")
    assert 600 < count <= 1500


def test_no_label_comes_from_a_client(busy):
    models = {s.labels["model"] for s in scrape(busy).samples.values() if "model" in s.labels}
    assert models == {*traffic.MODELS, "other"}


def test_an_exchange_is_counted_where_it_belongs(busy):
    before = scrape(busy)
    busy.ask(text_stream("a", "b", "c"), "model-b", stream=True)
    busy.ask(completion(), "model-b")
    after = scrape(busy)

    def grew(name, **labels):
        return after.value(name, **labels) - before.value(name, **labels)
    for phase in ("request", "response_first", "total"):
        assert grew("overhead_seconds_count", phase=phase) == 2
    assert 0 < grew("overhead_seconds_sum", phase="request") < 0.1
    assert grew("time_per_output_token_seconds_count", model="model-b") == 1
    assert grew("inter_chunk_max_seconds_count") == 1
    assert grew("tokens_per_request_count", type="input") == 2
    assert grew("tokens_per_request_sum", type="input") == 20
    assert grew("tokens_per_request_sum", type="output") == 10
    assert grew("token_estimate_ratio_count") == 2
    assert grew("upstream_requests_total", code="200", attempt="first") == 2
    assert grew("upstream_connect_seconds_count", reused="true") == 2
    assert grew("upstream_first_byte_seconds_count", model="model-b") == 2
    assert grew("event_loop_lag_seconds_count") >= 4
    assert after["upstream_up"] == 1 and after["requests_in_flight"] == 0


def test_the_longest_silence_of_a_stream_is_measured(busy):
    before = scrape(busy)
    silence = 0.25

    def script(connection):
        connection.begin()
        first, *rest = text_stream("one", "two")
        connection.event(first)
        connection.request.closed.wait(silence)
        for item in rest:
            connection.event(item)
        connection.end()
    busy.ask(script, "model-c", stream=True)
    after = scrape(busy)
    grown = after["inter_chunk_max_seconds_sum"] - before["inter_chunk_max_seconds_sum"]
    assert silence * 0.9 < grown < silence + 0.2
    assert after["pings_sent_total"] > before["pings_sent_total"]


def test_connections_are_told_apart(busy):
    before, scraped = scrape(busy), threading.Event()

    def hold(connection):
        connection.begin()
        connection.event(chunk({"content": "word"}))
        scraped.wait(20)
        connection.event(chunk({}, "stop"))
        connection.event("[DONE]")
        connection.end()
    busy.upstream.then(hold)
    with busy.client.stream("POST", "/v1/messages", json={
            **ASK, "model": "claude-a", "stream": True}) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        during = scrape(busy)
        scraped.set()
        assert b"message_stop" in b"".join(pieces)
    assert during.value("upstream_connections", state="active") == 1
    assert during.value("requests_in_flight", route="messages") == 1
    assert during["streams_in_flight"] == 1
    assert eventually(
        lambda: scrape(busy).value("upstream_connections", state="active") == 0)
    assert scrape(busy).value("upstream_connections", state="idle") >= 1
    assert before.value("upstream_connections", state="active") == 0


def test_how_much_of_a_conversation_comes_again_is_told(busy):
    def turn(*texts, session="prefix-session"):
        busy.upstream.then(completion())
        messages = [{"role": ("user", "assistant")[place % 2], "content": text}
                    for place, text in enumerate(texts)]
        answer = busy.client.post(
            "/v1/messages", headers={"x-claude-code-session-id": session},
            json={**ASK, "messages": messages})
        assert answer.status_code == 200

    def told(after, before, **labels):
        name = "prefix_stable_ratio_" + ("bucket" if labels else "count")
        return after.value(name, **labels) - before.value(name, **labels)

    first, long = scrape(busy), ["".join(f"{part} {n} " for n in range(2000)) for part in "abc"]
    turn(long[0])
    turn(*long, "d")
    second = scrape(busy)
    assert told(second, first) == 1 and told(second, first, le="0.9") == 0
    turn(long[0], "changed", *long[1:])
    third = scrape(busy)
    assert told(third, second) == 1 and told(third, second, le="0.5") == 1
    turn(*long, "e", session="other")
    assert told(scrape(busy), third) == 0
