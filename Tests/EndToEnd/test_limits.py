"""Our own limits of requests and tokens, as a client sees them."""

import datetime

import httpx
import pytest

from conftest import ASK, Sidecar
from test_admission import metrics
from upstream import completion, text_stream

UPSTREAM_LIMITS = [("x-ratelimit-limit-tokens", "1000"), ("x-ratelimit-remaining-tokens", "5"),
                   ("x-ratelimit-reset-tokens", "30s")]


@pytest.fixture
def limited(upstream):
    started = []

    def start(**settings):
        started.append(Sidecar(OPENAI_BASE_URL=upstream.url, WORKERS="2", **settings))
        return started[0]
    yield start
    assert all(sidecar.stop() == 0 for sidecar in started)


def post(sidecar, **more):
    return httpx.post(sidecar.url + "/v1/messages", json={**ASK, **more})


def figure(answer, name):
    return answer.headers["anthropic-ratelimit-" + name]


def seconds_until(text):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def test_requests_over_the_rate_are_refused_and_told_when_to_come_back(limited, upstream):
    upstream.always(completion())
    sidecar = limited(RATE_LIMIT_RPM="3")
    for left in (2, 1, 0):
        answer = post(sidecar)
        assert answer.status_code == 200
        assert figure(answer, "requests-limit") == "3"
        assert figure(answer, "requests-remaining") == str(left)
    refused = post(sidecar)
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert 15 <= int(refused.headers["retry-after"]) <= 20
    assert figure(refused, "requests-remaining") == "0"
    assert 50 < seconds_until(figure(refused, "requests-reset")) <= 60.1
    assert len(upstream.requests) == 3
    assert metrics(sidecar)['rejected_total{reason="rate_limit"}'] == 1
    assert post(sidecar, model="another").status_code == 200


def test_tokens_are_counted_by_what_the_upstream_reports(limited, upstream):
    # 10 in and 5 out, where the estimate had a little less; one a second flows back.
    upstream.then(text_stream("a")).then(completion()).then(completion())
    sidecar = limited(RATE_LIMIT_TPM="60")
    with httpx.stream("POST", sidecar.url + "/v1/messages", json={**ASK, "stream": True}) as answer:
        assert int(figure(answer, "tokens-remaining")) <= 60 - 5
        answer.read()
    before = int(figure(post(sidecar), "tokens-remaining"))
    after = int(figure(post(sidecar), "tokens-remaining"))
    assert after < before <= 60 - 15


def test_a_budget_that_is_used_up_ends_for_the_day(limited, upstream):
    upstream.always(completion())
    sidecar = limited(TOKEN_BUDGET="gpt-*=1M/day,20/day,1G/month")
    assert figure(post(sidecar), "tokens-limit") == "20"
    assert figure(post(sidecar), "tokens-remaining") == "0"
    refused = post(sidecar)
    assert refused.status_code == 429 and "budget" in refused.text
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    until = seconds_until(figure(refused, "tokens-reset"))
    assert abs(until - int(refused.headers["retry-after"])) < 3
    assert metrics(sidecar)['rejected_total{reason="token_budget"}'] == 1
    assert figure(post(sidecar, model="gpt-x"), "tokens-limit") == "1000000"


def test_a_failed_request_costs_no_tokens(limited, upstream):
    upstream.always(lambda c: c.json({"error": {"message": "no"}}, 400))
    sidecar = limited(TOKEN_BUDGET="20/day")
    for _ in range(5):
        assert post(sidecar).status_code == 400
    upstream.always(completion())
    answer = post(sidecar)
    assert answer.status_code == 200


def test_the_tighter_of_two_limits_is_told(limited, upstream):
    upstream.always(lambda c: c.json(completion(), headers=UPSTREAM_LIMITS))
    sidecar = limited(RATE_LIMIT_TPM="1M", RATE_LIMIT_RPM="7")
    answer = post(sidecar)
    assert figure(answer, "tokens-limit") == "1000" and figure(answer, "tokens-remaining") == "5"
    assert figure(answer, "requests-limit") == "7"


def test_without_limits_of_our_own_the_upstreams_go_through(sidecar, upstream):
    upstream.then(lambda c: c.json(completion(), headers=UPSTREAM_LIMITS))
    answer = post(sidecar)
    assert figure(answer, "tokens-limit") == "1000"
    assert 28 < seconds_until(figure(answer, "tokens-reset")) < 31
    assert "anthropic-ratelimit-requests-limit" not in answer.headers
