"""The client's trace goes on upstream and stands in the log."""

import re

import httpx
import pytest

from conftest import ASK
from upstream import completion

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def send(sidecar, upstream, headers):
    """The headers that the upstream saw, and the line in the log."""
    upstream.then(completion())
    answer = httpx.post(sidecar.url + "/v1/messages", json=ASK, headers=headers)
    return upstream.next_request().headers, sidecar.log_of(answer.headers["request-id"])


def test_a_valid_trace_goes_on_with_a_span_of_our_own(sidecar, upstream):
    state = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"
    seen, line = send(sidecar, upstream, {"traceparent": PARENT, "tracestate": state})
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-01", seen["traceparent"])
    assert seen["traceparent"] != PARENT
    assert seen["tracestate"] == state
    assert line["trace_id"] == TRACE
    again, _ = send(sidecar, upstream, {"traceparent": PARENT})
    assert again["traceparent"] != seen["traceparent"] and "tracestate" not in again


@pytest.mark.parametrize("headers", [
    [("traceparent", PARENT.upper())], [("traceparent", PARENT + "-more")],
    [("traceparent", f"00-{'0' * 32}-b7ad6b7169203331-01")], [("traceparent", "ff" + PARENT[2:])],
    [("traceparent", PARENT), ("traceparent", PARENT)], [],
])
def test_what_is_no_trace_goes_nowhere(sidecar, upstream, headers):
    seen, line = send(sidecar, upstream, headers + [("tracestate", "a=1")])
    assert "traceparent" not in seen and "tracestate" not in seen
    assert "trace_id" not in line
