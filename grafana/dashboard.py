"""What a panel and a dashboard are, and the JSON that Grafana reads of them."""

import dataclasses
import pathlib
import re

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
RULES = (pathlib.Path(__file__).parents[1] / "alerts/rules.yaml").read_text()
PODS = 'namespace=~"$namespace",pod=~"$pod"'


@dataclasses.dataclass
class Panel:
    """One panel: what it is called, how it draws, what it asks."""

    title: str
    kind: str
    unit: str
    queries: list
    description: str
    thresholds: list = dataclasses.field(default_factory=list)
    width: int = 12

    def json(self, number, x, y, more):
        colors = ["green", "orange", "red"] if len(self.thresholds) > 1 else ["green", "orange"]
        steps = [{"color": color, "value": value}
                 for color, value in zip(colors, [None, *self.thresholds])]
        defaults = {"unit": self.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
        if self.kind == "timeseries":
            style = "dashed" if self.thresholds else "off"
            defaults["custom"] = {"fillOpacity": 10, "showPoints": "never",
                                  "thresholdsStyle": {"mode": style}}
        return {
            "id": number, "type": self.kind, "title": self.title,
            "description": self.description + more, "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": self.options(),
            "targets": [self.target(*query, place) for place, query in enumerate(self.queries)],
        }

    @property
    def height(self):
        return 4 if self.kind == "stat" else 8

    def options(self):
        if self.kind == "stat":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value",
                    "graphMode": "area"}
        if self.kind == "table":
            return {"showHeader": True}
        return {"legend": {"displayMode": "table", "placement": "bottom",
                           "calcs": ["mean", "max"]},
                "tooltip": {"mode": "multi", "sort": "desc"}}

    def target(self, query, legend, place):
        target = {"refId": chr(ord("A") + place), "datasource": DATASOURCE,
                  "expr": expanded(query), "legendFormat": legend}
        if self.kind == "table":
            target |= {"instant": True, "format": "table"}
        return target


def expanded(query):
    """A query with its filters written out."""
    return query.replace("{@m", '{%s,model=~"$model"' % PODS).replace("{@", "{" + PODS)


@dataclasses.dataclass
class Dashboard:
    """One dashboard; its uid is what links and alerts call it by."""

    uid: str
    title: str
    description: str
    panels: list

    def json(self):
        return {
            "id": None, "uid": self.uid, "title": self.title, "description": self.description,
            "tags": ["claude-sidecar"], "schemaVersion": 39, "version": 1, "editable": True,
            "graphTooltip": 1, "refresh": "30s", "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser", "annotations": {"list": [restarts()]},
            "links": [{"type": "dashboards", "tags": ["claude-sidecar"], "asDropdown": True,
                       "title": "More of the sidecar", "includeVars": True, "keepTime": True}],
            "templating": {"list": variables()}, "panels": self.placed(),
        }

    def placed(self):
        """Panels from left to right, a new row where one is full."""
        placed, x, y, height = [], 0, 0, 0
        for number, panel in enumerate(self.panels, 1):
            if x + panel.width > 24:
                x, y = 0, y + height
            placed.append(panel.json(number, x, y, runbooks(self.uid, number)))
            x, height = x + panel.width, panel.height
        return placed


def runbooks(uid, number):
    """Where it says what to do about the alerts of a panel: in the repository, wherever that is."""
    alerts = re.findall(r"alert: (\w+).*?runbook_url: (\S+)\n\s+dashboard_url: (\S+)", RULES, re.S)
    return "".join(f"\n\nWhen {alert} fires: {runbook}" for alert, runbook, panel in alerts
                   if panel == f"/d/{uid}?viewPanel={number}")


def restarts():
    return {"name": "Starts", "datasource": DATASOURCE, "enable": True, "iconColor": "blue",
            "expr": f"changes((process_start_time_seconds{{{PODS}}} and on (namespace, pod, instance) "
                    "claude_sidecar_build_info)[2m:]) > 0", "titleFormat": "{{pod}} started"}


def variables():
    def query(name, text, label):
        return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE,
                "definition": text, "query": {"query": text, "refId": name}, "refresh": 2,
                "sort": 1, "multi": True, "includeAll": True, "allValue": ".*",
                "current": {"text": ["All"], "value": ["$__all"]}}

    info = "claude_sidecar_build_info"
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource",
         "query": "prometheus", "current": {}},
        query("namespace", f"label_values({info}, namespace)", "Namespace"),
        query("pod", f'label_values({info}{{namespace=~"$namespace"}}, pod)', "Pod"),
        query("model", 'label_values(claude_sidecar_requests_total{namespace=~"$namespace"}, '
                       "model)", "Model"),
    ]
