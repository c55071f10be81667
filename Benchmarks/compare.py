"""What the sidecar costs beside proxies that pass the same bytes through unread, and LiteLLM.

All stand before the same upstream and get the same load, in turns, on the same machine; what counts
is the CPU time of the process, not the wall clock. Results are medians of the rounds.
"""

import bisect
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

from scene import QUESTION, ROOT, compact, turn

STREAM = {**QUESTION, "stream": True}
TURN_BYTES = 660_000
BODY_SIZES = [1_000, 10_000, 100_000, 1_000_000, 8_000_000, 32_000_000]
STREAM_COUNTS = [0, 100, 300, 1000]

NGINX = """
worker_processes 1; worker_rlimit_nofile 16384; daemon off; pid {folder}/nginx.pid;
error_log /dev/null; events {{ worker_connections 8192; }}
http {{
  access_log off; client_max_body_size 64m; client_body_buffer_size 64m; keepalive_requests 1000000000;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  upstream model {{ server 127.0.0.1:{upstream}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-no-delay
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:{port}
  default_backend model
backend model
  server model 127.0.0.1:{upstream}
"""

LITELLM = """
model_list:
  - model_name: "*"
    litellm_params:
      model: hosted_vllm/bench-model
      api_base: http://127.0.0.1:{upstream}/v1
      api_key: bench
litellm_settings: {{telemetry: false, num_retries: 0}}
"""


class Bench:
    """An upstream and the targets before it, for as long as `with` lasts."""

    def __init__(self, setup, targets, tokens=50, pace=0, has_admin=False):
        self.has_admin = has_admin
        self.setup, self.folder, self.processes = setup, setup.folder, []
        upstream = self.start([self.folder / "upstream", tokens, pace], stdout=subprocess.PIPE)
        self.upstream_port = int(upstream.stdout.readline())
        starts = {"nginx": self.nginx, "HAProxy": self.haproxy, "sidecar": self.sidecar,
                  "LiteLLM": self.litellm}
        self.targets = {name: starts[name]() for name in targets}

    def start(self, command, **options):
        process = subprocess.Popen([str(part) for part in command], **options)
        self.processes.append(process)
        return process

    def listening(self, name, template, command, seconds=10, attempts=5, **environment):
        """Starts a proxy on a free port; on another one when somebody else was faster."""
        for _ in range(attempts):
            port, path = free_port(), self.folder / name
            path.write_text(
                template.format(folder=self.folder, upstream=self.upstream_port, port=port))
            log = open(self.folder / f"{name}.log", "wb")
            process = self.start(command(path, port), stdout=log, stderr=log,
                                 env={**os.environ, **environment})
            if accepts(port, process, seconds):
                return port, process.pid
            process.kill()
        raise SystemExit(f"{name}: " + (self.folder / f"{name}.log").read_text()[-2000:])

    def nginx(self):
        port, pid = self.listening("nginx.conf", NGINX, lambda path, _: ["nginx", "-c", path])
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        while not children.read_text():  # it listens before it has a worker
            time.sleep(0.01)
        return port, int(children.read_text().split()[0])

    def haproxy(self):
        return self.listening("haproxy.cfg", HAPROXY, lambda path, _: ["haproxy", "-db", "-f", path])

    def litellm(self):
        return self.listening(
            "litellm.yaml", LITELLM, seconds=120, attempts=1, LITELLM_LOCAL_MODEL_COST_MAP="True",
            LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY="true",
            command=lambda path, port: [
                self.setup.litellm, "--config", path, "--port", port, "--num_workers", 1])

    def sidecar(self):
        log = self.folder / "sidecar.log"
        with open(log, "wb") as file:
            process = self.start([self.setup.binary], stderr=file, env={
                "PATH": os.environ["PATH"], "PORT": "0", "WORKERS": "1",
                **({"ADMIN_PORT": "0", "ADMIN_HOST": "127.0.0.1"} if self.has_admin else {}),
                "OPENAI_BASE_URL": f"http://127.0.0.1:{self.upstream_port}/v1"})
        for _ in range(10_000):
            ports = [int(port) for port in re.findall(r'"address":"[^"]*:(\d+)"', log.read_text())]
            # The admin listener tells its address first.
            if len(ports) == 1 + self.has_admin:
                self.admin_port = ports[0]
                return ports[-1], process.pid
            time.sleep(0.002)
        raise SystemExit("the sidecar does not start")

    def measure(self, name, connections, seconds, body, warm_up=0.5, cut=False, trace=None):
        port, pid = self.targets[name]
        path = self.folder / "body.json"
        path.write_bytes(body)
        command = [self.folder / "load", port, connections, seconds, path, pid, warm_up]
        command += ["cut"] if cut else [trace] if trace else []
        done = subprocess.run([str(part) for part in command], check=True, capture_output=True,
                              text=True)
        measured = json.loads(done.stdout)
        if measured["failures"] and not cut:
            raise SystemExit(f"{name}: {measured}")
        return measured

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def accepts(port, process, seconds):
    """Waits until a process listens; `False` when it ends or takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except ConnectionRefusedError:
            time.sleep(0.01)
    return False


def memory(pid):
    """Resident and anonymous memory in kilobytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return [int(re.search(rf"{key}:\s+(\d+)", status)[1]) for key in ("VmRSS", "RssAnon")]


class Setup:
    """What is compared, on which machine, for how long."""

    def __init__(self, binary, folder, rounds, seconds, litellm):
        self.binary, self.folder, self.rounds, self.seconds = binary, folder, rounds, seconds
        self.litellm = litellm
        self.floors = ["nginx"] + (["HAProxy"] if shutil.which("haproxy") else [])
        self.targets = [*self.floors, "sidecar"]
        for program in ("upstream", "load"):
            subprocess.run(["cc", "-O2", "-Wall", "-o", folder / program,
                            ROOT / "Benchmarks" / f"{program}.c"], check=True)


class Row:
    """One kind of work, and what it cost each target."""

    def __init__(self, title, unit, connections, body, warm_up=0.5, seconds=None, **upstream):
        self.title, self.unit, self.connections, self.body = title, unit, connections, body
        self.warm_up, self.seconds, self.upstream = warm_up, seconds, upstream
        self.results = {}

    def run(self, setup):
        with Bench(setup, setup.targets, **self.upstream) as bench:
            rounds = {name: [] for name in setup.targets}
            for _ in range(setup.rounds):
                for name, measured in rounds.items():
                    measured.append(bench.measure(
                        name, self.connections, self.seconds or setup.seconds, self.body,
                        self.warm_up))
        self.results = {name: self.summary(measured) for name, measured in rounds.items()}
        return self

    def run_litellm(self, setup):
        """One round is enough for a factor of hundreds."""
        try:
            with Bench(setup, ["LiteLLM"], **self.upstream) as bench:
                measured = bench.measure("LiteLLM", min(self.connections, 8), 6, self.body, 3)
        except SystemExit as reason:
            print(f"LiteLLM is left out: {reason}", file=sys.stderr)
            return
        if measured[self.unit + "s"]:
            self.results["LiteLLM"] = self.summary([measured])

    def summary(self, measured):
        def median(value):
            return statistics.median(value(m) for m in measured)
        return {
            "cost": median(lambda m: m["cpu"] * 1e6 / max(1, m[self.unit + "s"])),
            "megabytes": median(lambda m: m["resident_kilobytes"] / 1024),
            "p50": median(lambda m: m["delay_p50"]), "p99": median(lambda m: m["delay_p99"])}

    def ratio(self, name="sidecar"):
        return self.results[name]["cost"] / self.results["nginx"]["cost"]


def rows():
    stream = compact(STREAM)
    return [
        Row("small request, 32 connections, µs", "request", 32, compact(QUESTION)),
        Row("50 tokens in a burst, 32 connections, µs a token", "token", 32, stream),
        Row("200 streams, a token every 20 ms, µs a token", "token", 200, stream,
            warm_up=1, seconds=3, tokens=100, pace=20_000),
        Row("1000 streams, the same", "token", 1000, stream,
            warm_up=1, seconds=3, tokens=100, pace=20_000),
        Row("a Claude Code turn of 660 KB, 4 connections, µs", "request", 4, turn(TURN_BYTES)),
    ]


def memory_by_streams(setup):
    """Resident kilobytes of each target with so many streams open."""
    stream = compact(STREAM)
    with Bench(setup, setup.targets, tokens=100, pace=20_000) as bench:
        curves = {name: [] for name in setup.targets}
        for name, (_, pid) in bench.targets.items():
            for count in STREAM_COUNTS:
                if count:
                    bench.measure(name, count, 1.5, stream, 1)
                curves[name].append(memory(pid)[0])
    return curves


class Scraper:
    """At moments that chance picks it asks for the metrics, as Prometheus does, or only notes them."""

    HEADERS = {"accept": "application/openmetrics-text;version=1.0.0", "accept-encoding": "gzip"}

    def __init__(self, port):
        self.port, self.over = port, threading.Event()
        # Nanoseconds of the monotonic clock; whether it asked.
        self.moments = []
        self.thread = threading.Thread(target=self.run)

    def run(self):
        client = http.client.HTTPConnection("127.0.0.1", self.port)
        while not self.over.wait(random.uniform(0.03, 0.07)):
            asks = random.random() < 0.5
            self.moments.append((time.monotonic_ns(), asks))
            if asks:
                client.request("GET", "/metrics", headers=self.HEADERS)
                client.getresponse().read()
        client.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def delays(self, trace):
        """Delays of tokens that were sent within 5 ms of a moment: of a scrape, and of none."""
        starts = [start for start, _ in self.moments]
        found = {True: [], False: []}
        for line in trace.read_text().splitlines():
            stamp, delay = map(int, line.split())
            place = bisect.bisect(starts, stamp) - 1
            if place >= 0 and stamp - starts[place] < 5_000_000:
                found[self.moments[place][1]].append(delay)
        return found


def thread_seconds(pid, name):
    """CPU seconds of the thread with that name."""
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (thread / "comm").read_text().strip() == name:
            return int((thread / "schedstat").read_text().split()[0]) / 1e9
    raise SystemExit(f"no thread {name}")


def scrapes(setup, seconds=5):
    """Delays of tokens at 200 streams beside ten scrapes a second, and CPU microseconds of one.

    By listener, then by whether a token was sent at the time of a scrape.
    """
    found = {"admin": {True: [], False: []}, "main": {True: [], False: []}}
    trace, spent, count = setup.folder / "trace", 0, 0
    with Bench(setup, ["sidecar"], tokens=100, pace=20_000, has_admin=True) as bench:
        port, pid = bench.targets["sidecar"]
        for _ in range(setup.rounds):
            for where, scraped in ("admin", bench.admin_port), ("main", port):
                before = thread_seconds(pid, "admin")
                with Scraper(scraped) as scraper:
                    bench.measure("sidecar", 200, seconds, compact(STREAM), 1, trace=trace)
                for asks, delays in scraper.delays(trace).items():
                    found[where][asks] += delays
                if where == "admin":
                    spent += thread_seconds(pid, "admin") - before
                    count += sum(asks for _, asks in scraper.moments)
    return found, spent / count * 1e6


def cost_by_size(setup):
    """CPU microseconds of a request whose body has that size."""
    curves = {name: [] for name in setup.targets}
    with Bench(setup, setup.targets) as bench:
        for size in BODY_SIZES:
            body = padded(size) if size < 78_000 else turn(size)
            for name, curve in curves.items():
                costs = []
                for _ in range(min(3, setup.rounds)):
                    m = bench.measure(name, 2, 1.2, body, 0.3)
                    costs.append(m["cpu"] * 1e6 / max(1, m["requests"]))
                curve.append(statistics.median(costs))
    return curves


def padded(size):
    """A question as long as that."""
    text = "What is the weather like in Rome today? "
    return compact({**QUESTION, "messages": [
        {"role": "user", "content": text * max(1, (size - 120) // len(text))}]})


def start_up(setup):
    """Milliseconds from the start of the process to its first answer, and its memory then."""
    times, idle = [], []
    for _ in range(max(5, setup.rounds)):
        with Bench(setup, []) as bench:
            begin = time.monotonic()
            port, pid = bench.sidecar()
            body = compact(QUESTION)
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: "
                               b"application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                client.recv(65536)
            times.append((time.monotonic() - begin) * 1000)
            idle.append(memory(pid))
    return statistics.median(times), [statistics.median(column) for column in zip(*idle)]


def soak(setup, requests=1_000_000, cut=100_000, seconds=600):
    """Resident kilobytes after the first hundredth of the work, and after all of it."""
    end = time.monotonic() + seconds
    with Bench(setup, ["sidecar"], tokens=100, pace=1000) as bench:
        pid = bench.targets["sidecar"][1]

        def until(wanted, body, is_cut):
            done = 0
            while done < wanted and time.monotonic() < end:
                done += bench.measure("sidecar", 32, 1 if wanted <= 10_000 else 5, body, 0,
                                      is_cut)["requests"]
            return done
        until(10_000, compact(QUESTION), False)
        until(10_000, compact(STREAM), True)
        first = memory(pid)[0]
        counts = until(requests, compact(QUESTION), False), until(cut, compact(STREAM), True)
        time.sleep(1)
        return first, memory(pid)[0], counts
