"""Every fault of an upstream at every phase of an answer: what the client gets, and the books.

Run as a program it writes the table of docs/reliability.md.
"""

import collections
import concurrent.futures
import json
import pathlib
import re
import socket
import ssl
import tempfile
import threading

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import ASK, Sidecar
from test_credentials import certify
from upstream import Upstream, USAGE, chunk, completion, text_stream

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/reliability.md"
# Only what stalls is waited for: on a machine that is busy, anything else may take longer than that,
# and must never be told as silence.
PATIENT = {"MAX_RETRIES": "0", "FIRST_BYTE_TIMEOUT": "60s", "UPSTREAM_IDLE_TIMEOUT": "60s",
           "COMMIT_AFTER": "60s", "WORKERS": "2"}
HASTY = {**PATIENT, "FIRST_BYTE_TIMEOUT": "4s", "UPSTREAM_IDLE_TIMEOUT": "4s"}
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: {}\r\n"
MODES = ("stream", "message")
# By number of the scenario: the client of the stream has seen something of it. What goes wrong together
# with the first event may still become a status.
SEEN = collections.defaultdict(threading.Event)


# --- what an upstream can do wrong ---------------------------------------------------------------


def close(connection):
    return "close"


def reset(connection):
    connection.reset()


def stall(connection):
    connection.wait_closed(20)
    return "close"


def garbage(connection):
    connection.send(b"\x00\xff\x17 no protocol at all\r\n\r\n")
    return "close"


ENDS = {"close": close, "reset": reset, "stall": stall, "garbage": garbage}


def begin(connection, mode):
    """The head of an answer, and its body's framing."""
    kind = "text/event-stream" if mode == "stream" else "application/json"
    connection.send(HEAD.format(kind) + "transfer-encoding: chunked\r\n\r\n")


def number(connection):
    return int(connection.request.body["messages"][-1]["content"].split()[-1])


def shown(connection, mode):
    """Waits until the client has seen what was sent."""
    assert mode == "message" or SEEN[number(connection)].wait(10)


def body(mode):
    """A whole body: the parts of a stream, or of a message."""
    if mode == "message":
        text = json.dumps(completion("some words"))
        return [text[:40], text[40:]]
    return ["data: " + (part if isinstance(part, str) else json.dumps(part)) + "\n\n"
            for part in text_stream("some", "words")]


def in_head(connection, mode):
    connection.send(HEAD.format("text/event-stream")[:30])


def before_first(connection, mode):
    begin(connection, mode)


def in_event(connection, mode):
    begin(connection, mode)
    parts = body(mode)
    for part in parts[:-5]:
        connection.raw(part)
    connection.raw(parts[-5 if mode == "stream" else 0][:25])
    shown(connection, mode)


def between(connection, mode):
    begin(connection, mode)
    for part in body(mode)[:-3]:
        connection.raw(part)
    shown(connection, mode)


def after_finish(connection, mode):
    """Behind the finish reason, before the usage."""
    begin(connection, mode)
    for part in body(mode)[:-2] if mode == "stream" else body(mode):
        connection.raw(part)


def nothing(connection, mode):
    pass


PHASES = {
    "request sent": nothing, "in the head": in_head, "before the first byte": before_first,
    "in an event": in_event, "between events": between, "after the finish reason": after_finish,
}

def status(code, text=None, **headers):
    def answer(connection, mode):
        data = text or json.dumps({"error": {"message": f"status {code}", "type": "x"}})
        connection.json(data.encode(), code, headers.items())
        return "close"
    return answer


def too_short(connection, mode):
    """Announces more than it sends."""
    text = "".join(body(mode)[:-3] if mode == "stream" else body(mode))
    kind = "text/event-stream" if mode == "stream" else "application/json"
    connection.send(HEAD.format(kind) + f"content-length: {len(text) + 9}\r\n\r\n{text}")
    shown(connection, mode)
    return "close"


def too_long(connection, mode):
    """Sends more than it announces."""
    text = "".join(body(mode))
    kind = "text/event-stream" if mode == "stream" else "application/json"
    connection.send(HEAD.format(kind) + f"content-length: {len(text)}\r\n\r\n{text}{text}")
    return "close"


def wrong_chunk(connection, mode):
    between(connection, mode) if mode == "stream" else begin(connection, mode)
    connection.send("zz\r\nno length\r\n")
    return "close"


def told(connection, mode):
    """An error inside an answer of 200."""
    error = {"error": {"message": "out of memory", "code": 500}}
    if mode == "message":
        return connection.json(error) or "close"
    between(connection, mode)
    connection.event(error)
    return "close"


def slow(connection, mode):
    """Slower than clients like, but never as slow as the limits."""
    begin(connection, mode)
    for part in body(mode):
        connection.request.closed.wait(0.15)
        connection.raw(part)
    connection.end()
    return "close"


ANSWERS = {
    ("status", "400"): status(400), ("status", "401"): status(401), ("status", "403"): status(403),
    ("status", "404"): status(404), ("status", "413"): status(413), ("status", "429"): status(429),
    ("status", "500"): status(500), ("status", "502"): status(502), ("status", "503"): status(503),
    ("status", "529"): status(529),
    ("status", "302, a redirect"): status(302, location="http://127.0.0.1:9/"),
    ("status", "200, a page of HTML"): status(200, "<html>login</html>"),
    ("body", "shorter than announced"): too_short, ("body", "longer than announced"): too_long,
    ("body", "broken chunks"): wrong_chunk, ("body", "an error in a 200"): told,
    ("body", "slow"): slow,
}


def scenarios():
    """Phase, fault and script of everything that goes wrong behind a connection."""
    for phase, lead in PHASES.items():
        for fault, end in ENDS.items():
            yield phase, fault, lambda c, mode, lead=lead, end=end: lead(c, mode) or end(c)
    for (phase, fault), script in ANSWERS.items():
        yield phase, fault, script


# --- what the client gets ------------------------------------------------------------------------


def outcome(text, code, mode):
    """An answer in words."""
    if code != 200:
        return f"{code} `{json.loads(text)['error']['type']}`"
    if mode == "message":
        assert json.loads(text)["content"][0]["text"] == "some words"
        return "whole"
    events = re.findall(r"event: (\w+)\ndata: (.*)\n", text)
    names = [name for name, _ in events]
    if "error" in names:
        assert names[-1] == "error" and "message_stop" not in names
        return f"200, `error` event `{json.loads(events[-1][1])['error']['type']}`"
    assert names[0] == "message_start" and names[-1] == "message_stop"
    assert names.count("message_stop") == 1
    return "whole"


def ask(sidecar, mode, scenario):
    question = {**ASK, "stream": mode == "stream",
                "messages": [{"role": "user", "content": f"scenario {scenario}"}]}
    with httpx.stream("POST", sidecar.url + "/v1/messages", json=question, timeout=30) as answer:
        text = ""
        for piece in answer.iter_text():
            text += piece
            if mode == "stream":
                SEEN[scenario].set()
    line = sidecar.log_of(answer.headers["request-id"])
    assert line["status"] == answer.status_code
    return outcome(text, answer.status_code, mode), line


def before_connecting():
    """Phase, fault and settings of what goes wrong before anything is sent."""
    yield "connecting", "refused", {"OPENAI_BASE_URL": f"http://127.0.0.1:{closed_port()}/v1"}
    yield "connecting", "no such host", {"OPENAI_BASE_URL": "http://nowhere.invalid/v1"}
    yield "connecting", "no TLS there", {"OPENAI_BASE_URL": f"https://127.0.0.1:{server()}/v1"}
    with tempfile.TemporaryDirectory() as folder:
        path = certify(pathlib.Path(folder), "unknown")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path, path.with_suffix(".key"))
        url = f"https://localhost:{server(context)}/v1"
        yield "connecting", "a certificate of nobody's", {"OPENAI_BASE_URL": url}


def server(context=None):
    """The port of a server that speaks before it is asked."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            sock, _ = listener.accept()
            try:
                with context.wrap_socket(sock, server_side=True) if context else sock as stream:
                    stream.sendall(b"220 mail ready\r\n")
                    stream.recv(65536)
            except OSError:
                pass
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def play():
    """Everything once: rows of the table, and what the sidecar has counted."""
    SEEN.clear()
    rows = []
    for phase, fault, settings in before_connecting():
        sidecar = Sidecar(**PATIENT, **settings)
        results = [ask(sidecar, mode, 0) for mode in MODES]
        check_books(sidecar, [line for _, line in results])
        rows.append((phase, fault, results))
        assert sidecar.stop() == 0
    upstream = Upstream()
    plays = list(scenarios())

    def script(connection):
        mode = "stream" if connection.request.body.get("stream") else "message"
        return plays[number(connection)][2](connection, mode)
    upstream.always(script)
    patient, hasty = (Sidecar(OPENAI_BASE_URL=upstream.url, **settings)
                      for settings in (PATIENT, HASTY))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        futures = [[pool.submit(ask, hasty if fault == "stall" else patient, mode, scenario)
                    for mode in MODES] for scenario, (_, fault, _) in enumerate(plays)]
        for (phase, fault, _), pair in zip(plays, futures):
            rows.append((phase, fault, [future.result() for future in pair]))
    for sidecar in (patient, hasty):
        check_books(sidecar, [line for _, fault, results in rows[-len(plays):]
                              for _, line in results if (fault == "stall") == (sidecar is hasty)])
        assert sidecar.stop() == 0
    return rows


def check_books(sidecar, lines):
    """Every exchange stands in the metrics once, and as the log has it."""
    sums = collections.Counter()
    for family in text_string_to_metric_families(httpx.get(sidecar.url + "/metrics").text):
        for sample in family.samples:
            name = sample.name.removeprefix("claude_sidecar_")
            labels = sample.labels
            if labels.get("route", "messages") == "messages":
                sums[name] += sample.value
                for key in ("code", "outcome", "type", "reason"):
                    if key in labels:
                        sums[name, labels[key]] += sample.value
    streams = [line for line in lines if line["stream"] and line["status"] == 200]
    errors = [line for line in lines if "error" in line]
    assert sums["requests_total"] == sums["request_duration_seconds_count"] == len(lines)
    assert sums["stream_outcomes_total"] == len(streams)
    assert sums["errors_total"] == len(errors)
    for line in lines:
        assert ("error" in line) == (line["outcome"] != "completed")
    for name, key, counted in (("requests_total", "status", lines),
                               ("stream_outcomes_total", "outcome", streams),
                               ("errors_total", "error", errors)):
        for value, count in collections.Counter(str(line[key]) for line in counted).items():
            assert sums[name, value] == count, (name, value)
    for gauge in ("requests_in_flight", "streams_in_flight", "inflight_body_bytes"):
        assert sums[gauge] == 0, gauge


def table(rows):
    text = ["| Where | What | A stream gets | A message gets | Counted as |", "|---|---|---|---|---|"]
    for phase, fault, results in rows:
        (stream, line), (message, other) = results
        label = line.get("error") or other.get("error")
        counted = f"`{label}`" if label else ""
        if line["status"] == 200 and line["outcome"] != "completed":
            counted += f", `{line['outcome']}`"
        text.append(f"| {phase} | {fault} | {stream} | {message} | {counted} |")
    return "\n".join(text)


def document():
    before, rest = DOCUMENT.read_text().split("<!-- faults -->\n")
    shown, after = rest.split("\n<!-- end of faults -->")
    return before, shown, after


def test_every_fault_ends_as_documented():
    assert table(play()) == document()[1], "run this file as a program: it writes the table"


# --- cut at every byte ---------------------------------------------------------------------------


TOOL = [chunk({"role": "assistant", "content": None, "tool_calls": [
            {"index": 0, "id": "c1", "type": "function",
             "function": {"name": "read", "arguments": ""}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"path":"/etc'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '/hosts"}'}}]}),
        chunk({}, "tool_calls"), chunk(usage=USAGE), "[DONE]"]


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("chunks", [text_stream("Grüße", " 🙂"), TOOL], ids=["text", "tool"])
def test_a_stream_cut_at_any_byte_is_an_error(chunks, how):
    parts = [b"data: " + (c if isinstance(c, str) else json.dumps(c, ensure_ascii=False)).encode()
             + b"\n\n" for c in chunks]
    whole = b"".join(parts)
    # With its finish reason an answer is whole; the empty line, usage and end may be missing.
    finished = len(b"".join(parts[:-2])) - len("\n\n")
    upstream = Upstream()

    def script(connection):
        count = int(connection.request.body["messages"][-1]["content"])
        connection.begin()
        connection.raw(whole[:count])
        return ENDS[how](connection) or "close"
    upstream.always(script)
    sidecar = Sidecar(OPENAI_BASE_URL=upstream.url, MAX_RETRIES="0")

    def cut(count):
        question = {**ASK, "stream": True,
                    "messages": [{"role": "user", "content": str(count)}]}
        answer = client.post(sidecar.url + "/v1/messages", json=question)
        return outcome(answer.text, answer.status_code, "stream")
    with httpx.Client(timeout=30) as client, concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(cut, range(len(whole))))
    wrong = [count for count, result in enumerate(results)
             if (result == "whole") != (count >= finished)]
    assert wrong == [], "cut there a stream looks like what it is not"
    assert sidecar.stop() == 0


if __name__ == "__main__":
    text_before, _, text_after = document()
    DOCUMENT.write_text(text_before + "<!-- faults -->\n" + table(play())
                        + "\n<!-- end of faults -->" + text_after)
