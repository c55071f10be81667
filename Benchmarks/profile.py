"""Counts what one small request, one token and 100 KB of a body cost, and holds it to budgets.

    profile.py --check BINARY    instructions against `budgets.json`
    profile.py --write BINARY    `budgets.json` anew
    profile.py --table BINARY    instructions, system calls, allocations, bytes copied

A cost is the difference between a run that does a thing more often and one that does it once, so
that start and end of the process, and what is done once a stream, fall out.
"""

import argparse
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from scene import BURST, Scene

FOLDER = pathlib.Path(__file__).parent
BUDGETS = FOLDER / "budgets.json"
#: What a cost may be above its budget: code moves a little with every release of a library.
TOLERANCE = 0.04
TURN_BYTES = 660_000


class Unit:
    """Something whose cost is counted: what is done `less` and `more` often, and divided by."""

    def __init__(self, title, work, less, more, scale=1.0):
        self.title, self.work, self.less, self.more, self.scale = title, work, less, more, scale

    def cost(self, totals):
        pairs = zip(totals[self.title, self.less], totals[self.title, self.more])
        return [(more - less) / (self.more - self.less) / self.scale for less, more in pairs]


UNITS = [
    Unit("small request", lambda scene, count: scene.small(count), 10, 110),
    Unit("token of text, alone", lambda scene, count: scene.text(count, 1), 50, 450),
    Unit("token of text, in a burst", lambda scene, count: scene.text(count, BURST), 100, 2100),
    Unit("token of arguments, alone", lambda scene, count: scene.arguments(count, 1), 50, 450),
    Unit("token of arguments, in a burst",
         lambda scene, count: scene.arguments(count, BURST), 100, 2100),
    # Behind the first exchanges of a model, whose tokens are estimated with care, and before the
    # sixteenth, which is again.
    Unit("100 KB of a body", lambda scene, count: scene.body(count, TURN_BYTES), 6, 12,
         scale=TURN_BYTES / 100_000),
]


def instructions(binary, work, folder):
    """Instructions of a whole run, by callgrind."""
    out = folder / "callgrind.out"
    with Scene(binary, ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]) as scene:
        work(scene)
    return [int(re.search(r"^totals: (\d+)", out.read_text(), re.MULTILINE)[1])]


def system_calls(binary, work, folder):
    out = folder / "strace.out"
    with Scene(binary, ["strace", "-c", "-f", "-o", out]) as scene:
        work(scene)
    return [int(re.search(r"^100\.00 +\S+ +(?:\S+ +)?(\d+).* total$", out.read_text(),
                          re.MULTILINE)[1])]


def memory(binary, work, folder):
    """Allocations, bytes asked for, bytes copied."""
    library, out = folder / "counted.so", folder / "counted.out"
    subprocess.run(["cc", "-O2", "-fno-builtin", "-shared", "-fPIC", "-o", library,
                    FOLDER / "counted.c"], check=True)
    with Scene(binary, environment={"LD_PRELOAD": library, "COUNTED": out}.items()) as scene:
        work(scene)
    return [int(number) for number in out.read_text().split()]


def measure(counter, binary, units):
    """What each unit costs, as the counter has it; two runs at a time."""
    def one(unit, count):
        with tempfile.TemporaryDirectory() as name:
            return counter(binary, lambda scene: unit.work(scene, count), pathlib.Path(name))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = {(unit.title, count): pool.submit(one, unit, count)
                for unit in units for count in (unit.less, unit.more)}
        totals = {key: run.result() for key, run in runs.items()}
    return {unit.title: unit.cost(totals) for unit in units}


def table(binary):
    columns = [measure(counter, binary, UNITS) for counter in (instructions, system_calls, memory)]
    print("| Per | instructions | system calls | allocations | bytes allocated | bytes copied |")
    print("|---|---|---|---|---|---|")
    for unit in UNITS:
        numbers = [number for column in columns for number in column[unit.title]]
        cells = [f"{numbers[0]:,.0f}", f"{numbers[1]:.2f}", f"{numbers[2]:.2f}",
                 f"{numbers[3]:,.0f}", f"{numbers[4]:,.0f}"]
        print(f"| {unit.title} | " + " | ".join(cells).replace(",", " ") + " |")


def check(measured):
    budgets = json.loads(BUDGETS.read_text())
    over = [title for title, cost in measured.items() if cost > budgets[title] * (1 + TOLERANCE)]
    for title, cost in measured.items():
        word = " TOO MUCH" if title in over else ""
        print(f"{title}: {cost:,.0f} instructions of {budgets[title]:,}{word}")
    if over:
        print("Make it cheaper, or say why it is worth that and run scripts/budgets --write.")
    return 1 if over else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    action = parser.add_mutually_exclusive_group(required=True)
    for name in ("--check", "--write", "--table"):
        action.add_argument(name, action="store_true")
    options = parser.parse_args()
    if options.table:
        return table(options.binary)
    costs = measure(instructions, options.binary, UNITS)
    measured = {title: round(cost) for title, (cost,) in costs.items()}
    if options.write:
        BUDGETS.write_text(json.dumps(measured, indent=2) + "\n")
    return check(measured)


if __name__ == "__main__":
    sys.exit(main())
