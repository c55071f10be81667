"""Runs the comparison and writes what came of it: Markdown and plots.

    bench.py BINARY                     everything, to standard output
    bench.py BINARY --write FOLDER      also performance.md in FOLDER, and the plots beside it
    bench.py BINARY --soak              a million requests and 100 000 streams cut: does memory grow?
"""

import argparse
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

import compare
from plots import plot

BEGIN, END = "<!-- results: written by scripts/bench -->", "<!-- end of results -->"


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return next(iter((done.stdout + done.stderr).strip().splitlines()), "")


def versions(setup):
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    lines = [
        f"{platform.system()} {platform.release()}, {cpu[1] if cpu else platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} CPUs",
        first_line(setup.binary, "--version"), first_line("nginx", "-v"),
    ]
    if shutil.which("haproxy"):
        lines.append(" ".join(first_line("haproxy", "-v").split()[:3]))
    if setup.litellm:
        lines.append(first_line(setup.litellm, "--version").strip())
    return [line for line in lines if line]


def report(setup):
    """The whole comparison as lines of Markdown, and plots by name."""
    began, load = time.monotonic(), pathlib.Path("/proc/loadavg").read_text().split()[0]
    rows = []
    for row in compare.rows():
        rows.append(row.run(setup))
        print(f"{row.title}: {row.ratio():.2f} × nginx", file=sys.stderr, flush=True)
    if setup.litellm:
        for row in (rows[0], rows[1], rows[4]):
            row.run_litellm(setup)
    streams = compare.memory_by_streams(setup)
    sizes = compare.cost_by_size(setup)
    scrapes = compare.scrapes(setup)
    start, (idle, anonymous) = compare.start_up(setup)
    per_stream = {name: (curve[-1] - curve[1]) /
                  (compare.STREAM_COUNTS[-1] - compare.STREAM_COUNTS[1])
                  for name, curve in streams.items()}
    minutes = (time.monotonic() - began) / 60
    lines = [
        f"{setup.rounds} rounds of {setup.seconds:g} s each, in turns, one worker each; medians; "
        f"{minutes:.0f} minutes; load average before: {load}.", "",
        *[f"* {line}" for line in versions(setup)], "",
        *cost_table(setup, rows), "", *memory_table(streams, per_stream), "",
        *size_table(sizes), "", *scrape_table(*scrapes), "",
        f"First answer {start:.1f} ms after the start of the process; then "
        f"{idle / 1024:.1f} MB are resident, {anonymous / 1024:.1f} MB of them anonymous.", "",
        *target_table(rows, per_stream["sidecar"], start, idle, anonymous)]
    plots = {
        "memory-by-streams.svg": plot(
            "Resident memory", "open streams", "MB", compare.STREAM_COUNTS,
            {name: [value / 1024 for value in curve] for name, curve in streams.items()}, False),
        "cost-by-size.svg": plot(
            "CPU of a request by the size of its body", "bytes", "µs", compare.BODY_SIZES, sizes,
            True),
    }
    return lines, plots


def cost_table(setup, rows):
    names = [name for name in (*setup.targets, "LiteLLM") if any(name in r.results for r in rows)]
    lines = ["| CPU | " + " | ".join(names) + " | sidecar / nginx | delay of a token, p50 and p99,"
             " µs: nginx | sidecar |", "|---" * (len(names) + 4) + "|"]
    for row in rows:
        cells = [f"{row.results[name]['cost']:,.1f}".replace(",", " ") if name in row.results else "–"
                 for name in names]
        delays = [f"{r['p50']:.0f}, {r['p99']:.0f}" if r["p99"] else "–"
                  for r in (row.results["nginx"], row.results["sidecar"])]
        lines.append(f"| {row.title} | {' | '.join(cells)} | **{row.ratio():.2f}** | "
                     f"{' | '.join(delays)} |")
    return lines


def memory_table(streams, per_stream):
    counts = compare.STREAM_COUNTS
    return ["| Resident MB with streams | " + " | ".join(map(str, counts)) + " | KB a stream |",
            "|---" * (len(counts) + 2) + "|"] + [
        f"| {name} | " + " | ".join(f"{value / 1024:.1f}" for value in curve) +
        f" | {per_stream[name]:.0f} |" for name, curve in streams.items()]


def size_table(sizes):
    heads = [f"{size // 1000:,} KB".replace(",", " ") for size in compare.BODY_SIZES]
    return ["| CPU µs by size of the body | " + " | ".join(heads) + " |",
            "|---" * (len(heads) + 1) + "|"] + [
        f"| {name} | " + " | ".join(f"{value:,.0f}".replace(",", " ") for value in curve) + " |"
        for name, curve in sizes.items()]


def scrape_table(found, cost):
    lines = ["| Delay of a token at 200 streams, p50 and p99, µs | beside a scrape | at other times |",
             "|---|---|---|"]
    for listener, delays in found.items():
        cells = []
        for is_beside in True, False:
            ordered = sorted(delays[is_beside])
            cells.append(f"{ordered[len(ordered) // 2]}, {ordered[len(ordered) * 99 // 100]}")
        lines.append(f"| ten scrapes a second of the {listener} listener | {' | '.join(cells)} |")
    return lines + ["", f"A scrape takes {cost:.0f} µs of CPU: OpenMetrics, gzip."]


def target_table(rows, per_stream, start, idle, anonymous):
    small, burst, steady, many, turn = rows
    delay = steady.results["sidecar"]["p99"] / max(1, steady.results["nginx"]["p99"])
    targets = [
        ("T1", "token in a burst / nginx", burst.ratio(), 1.0),
        ("T1", "token at 200 streams / nginx", steady.ratio(), 1.0),
        ("T1", "token at 1000 streams / nginx", many.ratio(), 1.0),
        ("T2", "small request / nginx", small.ratio(), 2.0),
        ("T3", "660 KB turn / nginx", turn.ratio(), 1.5),
        ("T4", "p99 delay of a token at 200 streams / nginx", delay, 1.2),
        ("T5", "idle resident, MB", idle / 1024, 12), ("T5", "idle anonymous, MB",
                                                       anonymous / 1024, 3),
        ("T5", "KB a stream", per_stream, 20), ("T6", "first answer, ms", start, 30)]
    lines = ["| | Target | measured | wanted | |", "|---|---|---|---|---|"]
    for number, title, value, wanted in targets:
        lines.append(f"| {number} | {title} | {value:.2f} | ≤ {wanted:g} | "
                     f"{'holds' if value <= wanted else 'missed'} |")
    peers = [(row.results["LiteLLM"]["cost"] / row.results["sidecar"]["cost"])
             for row in rows if "LiteLLM" in row.results]
    if peers:
        lines.append(f"| T7 | LiteLLM / sidecar, least of the rows | {min(peers):.0f} | ≥ 100 | "
                     f"{'holds' if min(peers) >= 100 else 'missed'} |")
    return lines


def write(folder, lines, plots):
    folder = pathlib.Path(folder)
    (folder / "plots").mkdir(exist_ok=True)
    for name, text in plots.items():
        (folder / "plots" / name).write_text(text)
    page = folder / "performance.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--litellm", help="its program; left out when not given")
    parser.add_argument("--write", metavar="FOLDER")
    parser.add_argument("--soak", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        setup = compare.Setup(options.binary, pathlib.Path(name), options.rounds, options.seconds,
                              options.litellm)
        if options.soak:
            first, last, (requests, cut) = compare.soak(setup)
            print(f"resident: {first} KB after 20 000, {last} KB after {requests} requests and "
                  f"{cut} streams cut by the client: {last - first:+} KB")
            return 0 if last - first <= 2048 else 1
        lines, plots = report(setup)
    print("\n".join(lines))
    if options.write:
        write(options.write, lines, plots)
    return 0


if __name__ == "__main__":
    sys.exit(main())
