"""The manifests build with kustomize, fit the schemas of Kubernetes, and run what the binary is."""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess

import httpx
import jsonschema
import kubernetes_validate
import pytest
import yaml

from conftest import BINARY, Sidecar

ROOT = pathlib.Path(__file__).parents[2]
OVERLAYS = ["gateway", "claude-code", "job", "monitoring"]
KUBECTL = shutil.which("kubectl") or str(ROOT / ".build/kubectl/kubectl")

# What somebody has before the sidecar comes: one of each kind, one with an init container.
WORKLOADS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      initContainers: [{name: migrate, image: app}]
      containers: [{name: app, image: app}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers: [{name: store, image: app}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: agent, image: app}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: task}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: task, image: app}]
"""


@functools.cache
def text_of(folder):
    answer = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True,
                            timeout=60)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def build(folder):
    return list(yaml.safe_load_all(text_of(folder)))


def with_component(tmp_path, component):
    """The workloads above with a component of ours, as a user's kustomization names it."""
    (tmp_path / "workloads.yaml").write_text(WORKLOADS)
    path = os.path.relpath(ROOT / "k8s" / component, tmp_path)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(
        {"resources": ["workloads.yaml"], "components": [path]}))
    return build(tmp_path)


# Where they come from stands in their first line.
CUSTOM = {path.stem: json.loads(path.read_text())
          for path in (ROOT / "Tests/EndToEnd/schemas").glob("*.json")}


def validate(documents):
    assert documents
    for document in documents:
        schema = CUSTOM.get(document["kind"])
        if schema:
            jsonschema.validate(document, schema)
        else:
            kubernetes_validate.validate(document, kubernetes_validate.latest_version(),
                                         strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_fits_the_schemas(overlay):
    validate(build(ROOT / "k8s/overlays" / overlay))


@pytest.mark.parametrize("component", ["base", "overlays/plain-container"])
def test_a_component_fits_the_schemas(component, tmp_path):
    validate(with_component(tmp_path, component))


def test_a_field_that_nobody_knows_does_not_fit():
    with pytest.raises(kubernetes_validate.ValidationError):
        validate([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"},
                   "spec": {"prots": []}}])
    monitor = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": {},
               "spec": {"selector": {}, "podMetricsEndpoints": [{"prot": "x"}]}}
    with pytest.raises(jsonschema.ValidationError):
        validate([monitor])


def pods(documents):
    return [d["spec"]["template"]["spec"] for d in documents if "template" in d.get("spec", {})]


def sidecar_of(pod):
    return next(c for c in pod.get("initContainers", []) + pod["containers"]
                if c["name"] == "claude-sidecar")


def settings_of(documents):
    return next(d["data"] for d in documents if d["kind"] == "ConfigMap")


def test_a_sidecar_starts_before_everything_else(tmp_path):
    for pod in pods(with_component(tmp_path, "base")):
        first = pod["initContainers"][0]
        assert (first["name"], first["restartPolicy"]) == ("claude-sidecar", "Always")
        assert [c["name"] for c in pod["containers"]] in (["app"], ["store"], ["agent"], ["task"])


def test_a_plain_container_stands_last(tmp_path):
    for pod in pods(with_component(tmp_path, "overlays/plain-container")):
        last = pod["containers"][-1]
        assert last["name"] == "claude-sidecar" and "restartPolicy" not in last
        assert "claude-sidecar" not in [c["name"] for c in pod.get("initContainers", [])]


@pytest.mark.parametrize("overlay", ["gateway", "claude-code", "job"])
def test_a_pod_meets_the_restricted_standard(overlay):
    """The Pod Security Standard that a namespace may enforce, for every container of ours."""
    for pod in pods(build(ROOT / "k8s/overlays" / overlay)):
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod.get("initContainers", []) + pod["containers"]:
            context = {**pod.get("securityContext", {}), **container["securityContext"]}
            assert context["runAsNonRoot"] and context["runAsUser"] > 0
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
        assert sidecar_of(pod)["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("overlay", ["gateway", "claude-code", "job"])
def test_the_binary_takes_the_settings_and_answers_the_probes(overlay, tmp_path, upstream):
    documents = build(ROOT / "k8s/overlays" / overlay)
    settings = settings_of(documents)
    for name, value in settings.items():
        if name.endswith("_FILE"):
            key = tmp_path / pathlib.Path(value).name
            key.write_text("key-in-a-file")
            settings[name] = str(key)
    checked = subprocess.run([BINARY, "check"], env=settings, capture_output=True, text=True)
    assert checked.returncode == 0 and "*** from" in checked.stdout, checked.stderr
    assert "warning" not in checked.stdout
    container = sidecar_of(pods(documents)[0])
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    assert str(ports["sidecar-admin"]) == settings["ADMIN_PORT"]
    assert ports.get("messages", 8080) == 8080
    sidecar = Sidecar(**{**settings, "ADMIN_PORT": "0", "OPENAI_BASE_URL": upstream.url})
    probes = [container[kind]["httpGet"] for kind in
              ("startupProbe", "readinessProbe", "livenessProbe")]
    admin = "http://127.0.0.1:" + sidecar.addresses["admin"].rsplit(":", 1)[1]
    for probe in probes:
        assert probe["port"] == "sidecar-admin"
        assert httpx.get(admin + probe["path"]).status_code == 200
    assert sidecar.stop() == 0


def seconds(settings, name):
    return int(settings.get(name, "0s").removesuffix("s"))


@pytest.mark.parametrize("overlay", ["gateway", "claude-code", "job", "plain-container"])
def test_a_stop_fits_into_the_grace_period(overlay, tmp_path):
    documents = (with_component(tmp_path, "overlays/plain-container")
                 if overlay == "plain-container" else build(ROOT / "k8s/overlays" / overlay))
    settings = {"DRAIN_TIMEOUT": "25s", **settings_of(documents)}
    # Two seconds are for the last words to whoever was cut.
    whole = 2 + sum(seconds(settings, name) for name in (
        "DRAIN_DELAY", "DRAIN_TIMEOUT", "LAST_SCRAPE_WAIT"))
    for pod in pods(documents):
        assert whole < pod.get("terminationGracePeriodSeconds", 30)
        ends_with_others = sidecar_of(pod) in pod["containers"]
        assert bool(seconds(settings, "DRAIN_DELAY")) == ends_with_others


def alerts(documents):
    rules = [d for d in documents if d["kind"] == "PrometheusRule"]
    return [rule for d in rules for group in d["spec"]["groups"] for rule in group["rules"]
            if "alert" in rule]


GUIDE = (ROOT / "docs/kubernetes.md").read_text()


@pytest.mark.parametrize("example", re.findall(r"```yaml\n# kustomization.yaml\n(.*?)```", GUIDE, re.S))
def test_an_example_of_the_guide_builds(example, tmp_path):
    """As it stands there, with a workload of somebody's and this repository beside it."""
    (tmp_path / "claude-sidecar").symlink_to(ROOT)
    (tmp_path / "deployment.yaml").write_text(WORKLOADS)
    for name in ("OPENAI_API_KEY", "PROXY_API_KEYS"):
        (tmp_path / name).write_text("key")
    text = example.replace("claude-sidecar/k8s", os.path.relpath(ROOT / "k8s", tmp_path))
    (tmp_path / "kustomization.yaml").write_text(text)
    documents = build(tmp_path)
    validate(documents)
    for rule in alerts(documents):
        assert rule["annotations"]["runbook_url"] == (
            "https://git.example/claude-sidecar/blob/main/docs/runbook.md#" + rule["alert"].lower())
        assert rule["annotations"]["dashboard_url"].startswith(
            "https://grafana.example/d/claude-sidecar-")
    # A key is exchanged by applying it: no pod may have to roll for that.
    secrets = [d["metadata"]["name"] for d in documents if d["kind"] == "Secret"]
    assert ("claude-sidecar" in secrets) == bool(pods(documents))
    for pod in pods(documents):
        assert not sidecar_of(pod)["image"].startswith("claude-sidecar")


@pytest.mark.parametrize("overlay", ["claude-code", "job"])
def test_only_the_monitoring_connects_to_a_pod_of_the_command_line(overlay):
    documents = build(ROOT / "k8s/overlays" / overlay)
    policy, = [d["spec"] for d in documents if d["kind"] == "NetworkPolicy"]
    labels, = [d["spec"]["template"]["metadata"]["labels"] for d in documents
               if "template" in d.get("spec", {})]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    # Beside it there may be pods with a sidecar that others do connect to.
    assert "claude-sidecar" not in policy["podSelector"]["matchLabels"]
    assert policy["policyTypes"] == ["Ingress"]
    rule, = policy["ingress"]
    assert rule["ports"] == [{"port": "sidecar-admin"}]


def test_what_must_fit_together_does():
    gateway = build(ROOT / "k8s/overlays/gateway")
    by_kind = {d["kind"]: d for d in gateway}
    pod = by_kind["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    names = {p["name"] for p in sidecar_of(pod["spec"])["ports"]}
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = by_kind[kind]["spec"]
        chosen = spec.get("podSelector") or spec["selector"]
        assert (chosen.get("matchLabels") or chosen).items() <= labels.items()
    assert by_kind["Service"]["spec"]["ports"][0]["targetPort"] in names
    assert {port["port"] for rule in by_kind["NetworkPolicy"]["spec"]["ingress"]
            for port in rule["ports"]} == names
    monitor = next(d for d in build(ROOT / "k8s/overlays/monitoring") if d["kind"] == "PodMonitor")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] in names
