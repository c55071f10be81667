"""`claude-sidecar check --probe` asks the upstream once and says what its answer means."""

import pytest

from conftest import UPSTREAM_KEY
from test_http import run
from upstream import Upstream, completion


def probe(url, **settings):
    return run("check", "--probe", OPENAI_BASE_URL=url, OPENAI_API_KEY=UPSTREAM_KEY,
               BIG_MODEL="big", PROXY_API_KEYS="somebody-elses", **settings)


def test_a_good_answer_is_shown(upstream):
    upstream.then(completion())
    answer = probe(upstream.url)
    assert answer.returncode == 0, answer.stdout
    assert "probe             200" in answer.stdout
    assert "the upstream works with these settings" in answer.stdout
    assert UPSTREAM_KEY not in answer.stdout + answer.stderr
    assert upstream.requests[-1].body["model"] == "big" and len(upstream.requests) == 1


@pytest.mark.parametrize("status, shown, meaning", [
    (401, 502, "reached, but the key is refused"), (404, 404, "BIG_MODEL"),
    (429, 429, "limits the rate"), (503, 529, "too much to do")])
def test_a_refusal_is_explained(upstream, status, shown, meaning):
    upstream.always(lambda c: c.json({"error": {"message": "no such luck"}}, status))
    answer = probe(upstream.url)
    assert answer.returncode == 1
    assert f"probe             {shown}" in answer.stdout and meaning in answer.stdout
    assert len(upstream.requests) == 1


def test_every_upstream_is_asked_for_a_model_of_its_own(upstream):
    other = Upstream().then(completion())
    upstream.then(lambda c: c.json({"error": {"message": "no such luck"}}, 401))
    answer = run(
        "check", "--probe", UPSTREAMS="first,second", MODEL_MAP="claude-*=second/big,*=first/small",
        UPSTREAM_FIRST_BASE_URL=upstream.url, UPSTREAM_SECOND_BASE_URL=other.url,
        UPSTREAM_SECOND_MODELS="tiny,big")
    assert answer.returncode == 1, answer.stdout
    lines = answer.stdout.splitlines()
    assert any(line.startswith("probe of first    502") for line in lines)
    assert any(line.startswith("probe of second   200") for line in lines)
    assert [r.body["model"] for r in upstream.requests + other.requests] == ["small", "big"]


def test_an_upstream_without_the_usual_models_is_asked_for_one_it_serves():
    upstream = Upstream().then(completion())
    answer = run("check", "--probe", UPSTREAMS="only", UPSTREAM_ONLY_BASE_URL=upstream.url,
                 UPSTREAM_ONLY_MODELS="llama-*,mine")
    assert answer.returncode == 0 and "200 to mine" in answer.stdout, answer.stdout
    assert upstream.requests[0].body["model"] == "mine"


def test_an_upstream_that_is_not_there_is_told():
    answer = probe("http://127.0.0.1:1/v1")
    assert answer.returncode == 1
    assert "cannot connect to upstream 127.0.0.1:1: " in answer.stdout
    assert "this means      not reached: OPENAI_BASE_URL" in answer.stdout


def test_a_path_that_is_not_there_is_named(upstream):
    upstream.always(lambda c: c.json(b"<html>", 404))
    assert "404 for POST /v1/chat/completions" in probe(upstream.url).stdout


def test_settings_that_are_wrong_are_not_tried():
    assert probe("http://127.0.0.1:1/v1", PORT="no").returncode == 78
    assert run("check", "--prob").returncode == 2


def test_addresses_are_shown_as_the_log_shows_them():
    answer = run("check", HOST="::1", PORT="8080", ADMIN_HOST="::", ADMIN_PORT="9464")
    assert "listens on        [::1]:8080\n" in answer.stdout
    assert "admin listener    [::]:9464\n" in answer.stdout
