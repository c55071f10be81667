"""Writes the dashboards' JSON from panels.py, and the PrometheusRule from alerts/rules.yaml.

    python grafana/generate.py

A test compares what is committed with what this writes.
"""

import json
import pathlib

from panels import DASHBOARDS

ROOT = pathlib.Path(__file__).parents[1]
ENVELOPE = """\
# Written by grafana/generate.py from alerts/rules.yaml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: claude-sidecar
spec:
  groups:
"""


def rule():
    """The PrometheusRule: the plain rules as they stand, in their envelope."""
    groups = (ROOT / "alerts/rules.yaml").read_text().split("groups:\n", 1)[1]
    return ENVELOPE + "".join("  " + line if line.strip() else line
                              for line in groups.splitlines(keepends=True))


def files():
    """Every file that is written: its path and its text."""
    texts = {ROOT / f"grafana/{board.uid}.json": json.dumps(board.json(), indent=1) + "\n"
             for board in DASHBOARDS}
    return {**texts, ROOT / "k8s/overlays/monitoring/prometheusrule.yaml": rule()}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
