"""What the sidecar costs beside nginx that passes the same bytes through unread.

Both stand before the same upstream and get the same load, in turns, on the same machine; what counts
is the CPU time of the process, not the wall clock. Prints medians and the ratio to nginx.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
TURN = ROOT / "Tests/EndToEnd/fixtures/parallel_tool_results.json"

QUESTION = {"model": "claude-sonnet-5", "max_tokens": 256, "messages": [
    {"role": "user", "content": "What is the weather like in Rome today?"}]}

NGINX = """
worker_processes 1; worker_rlimit_nofile 16384; daemon off; pid {folder}/nginx.pid;
error_log /dev/null; events {{ worker_connections 8192; }}
http {{
  access_log off; client_max_body_size 64m; client_body_buffer_size 2m; keepalive_requests 1000000000;
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


class Bench:
    """An upstream, and before it nginx and the sidecar."""

    def __init__(self, options, folder, tokens=50, pace=0):
        self.folder, self.processes = folder, []
        upstream = self.start([folder / "upstream", str(tokens), str(pace)], stdout=subprocess.PIPE)
        upstream_port = int(upstream.stdout.readline())
        nginx_port = free_port()
        (folder / "nginx.conf").write_text(
            NGINX.format(folder=folder, upstream=upstream_port, port=nginx_port))
        nginx = self.start(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        wait_for(nginx_port)
        children = pathlib.Path(f"/proc/{nginx.pid}/task/{nginx.pid}/children").read_text()
        sidecar, sidecar_port = start_sidecar(self, options.binary, upstream_port, "1")
        self.targets = {"nginx": (nginx_port, int(children.split()[0])),
                        "sidecar": (sidecar_port, sidecar.pid)}

    def start(self, command, **options):
        process = subprocess.Popen([str(part) for part in command], **options)
        self.processes.append(process)
        return process

    def measure(self, name, connections, seconds, body):
        port, pid = self.targets[name]
        done = subprocess.run(
            [self.folder / "load", str(port), str(connections), str(seconds), body, str(pid)],
            check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise SystemExit("nothing listens")


def start_sidecar(bench, binary, upstream_port, workers):
    environment = {"PATH": os.environ["PATH"], "PORT": "0", "WORKERS": workers,
                   "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream_port}/v1"}
    with open(bench.folder / "sidecar.log", "wb") as log:
        process = bench.start([binary], env=environment, stderr=log)
    for _ in range(500):
        found = re.search(r'"address":"[^"]*:(\d+)"', (bench.folder / "sidecar.log").read_text())
        if found:
            return process, int(found[1])
        time.sleep(0.01)
    raise SystemExit("the sidecar does not start")


def row(options, folder, title, unit, connections, body, **upstream):
    path = folder / "body.json"
    path.write_text(json.dumps(body, ensure_ascii=False, separators=(",", ":")))
    results = {"nginx": [], "sidecar": []}
    with Bench(options, folder, **upstream) as bench:
        for _ in range(options.rounds):
            for name, measured in results.items():
                measured.append(bench.measure(name, connections, options.seconds, path))
    assert not any(m["failures"] for measured in results.values() for m in measured), results

    def median(name, value):
        return statistics.median(value(m) for m in results[name])

    def cost(m):
        return m["cpu"] * 1e6 / m[unit + "s"]
    nginx, sidecar = median("nginx", cost), median("sidecar", cost)
    memory = [median(name, lambda m: m["resident_kilobytes"] / 1024) for name in results]
    delay = [median(name, lambda m: m["delay_p99"]) for name in results]
    print(f"| {title} | {nginx:.1f} | {sidecar:.1f} | {sidecar / nginx:.2f} "
          f"| {memory[0]:.0f} / {memory[1]:.0f} | {delay[0]:.0f} / {delay[1]:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    stream = {**QUESTION, "stream": True}
    turn = {**json.loads(TURN.read_text())["body"], "stream": False}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for program in ("upstream", "load"):
            subprocess.run(["cc", "-O2", "-Wall", "-o", folder / program,
                            ROOT / "Benchmarks" / f"{program}.c"], check=True)
        print("| Work | nginx | sidecar | ratio | memory, MB | p99 delay of a token, µs |")
        print("|---|---|---|---|---|---|")
        row(options, folder, "small request, 32 connections, µs", "request", 32, QUESTION)
        row(options, folder, "50 tokens in a burst, 32 connections, µs a token", "token", 32, stream)
        row(options, folder, "200 streams, a token every 20 ms, µs a token", "token", 200, stream,
            tokens=100, pace=20_000)
        row(options, folder, "1000 streams, the same", "token", 1000, stream,
            tokens=100, pace=20_000)
        row(options, folder, "a Claude Code turn of 78 KB, 4 connections, µs", "request", 4, turn)


if __name__ == "__main__":
    main()
