"""Web pages that call the sidecar from a browser (CORS)."""

import httpx
import pytest

from conftest import ASK, Sidecar
from upstream import completion, text_stream

PAGE = "https://app.example.com"
PREFLIGHT = {"origin": PAGE, "access-control-request-method": "POST",
             "access-control-request-headers": "anthropic-version,x-api-key,content-type"}


@pytest.fixture(scope="module")
def open_to_page(shared_upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=shared_upstream.url, CORS_ORIGINS=PAGE + ",http://other",
                      PROXY_API_KEYS="secret")
    yield sidecar
    assert sidecar.stop() == 0


def allowed(answer):
    return answer.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/models", "/v1/messages/count_tokens", "/x"])
def test_a_preflight_is_answered_without_a_key(open_to_page, path):
    answer = httpx.options(open_to_page.url + path, headers=PREFLIGHT)
    assert answer.status_code == 204 and answer.content == b""
    assert "content-length" not in answer.headers and allowed(answer) == PAGE
    assert answer.headers["vary"] == "Origin" and "POST" in answer.headers[
        "access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == PREFLIGHT[
        "access-control-request-headers"]


def test_every_answer_may_be_read_by_the_page(open_to_page, upstream):
    def post(body, **headers):
        return httpx.post(open_to_page.url + "/v1/messages", json=body,
                          headers={"origin": PAGE, "x-api-key": "secret", **headers})

    upstream.then(completion("whole"))
    whole = post(ASK)
    upstream.then(text_stream("stream"))
    stream = post({**ASK, "stream": True})
    upstream.then(lambda c: c.json({"error": {"message": "no"}}, 403))
    for answer, status in ((whole, 200), (stream, 200), (post(ASK), 403), (post({}), 400),
                           (post(ASK, **{"x-api-key": "wrong"}), 401)):
        assert answer.status_code == status and allowed(answer) == PAGE
        assert answer.headers["access-control-expose-headers"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    assert "whole" in whole.text and "stream" in stream.text
    models = httpx.get(open_to_page.url + "/v1/models",
                       headers={"origin": PAGE, "x-api-key": "secret"})
    assert allowed(models) == PAGE


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example.com", "null",
                                    PAGE + ".evil", PAGE.upper()])
def test_another_page_may_not(open_to_page, origin):
    answer = httpx.options(open_to_page.url + "/v1/messages",
                           headers={**PREFLIGHT, "origin": origin})
    assert allowed(answer) is None and answer.headers["vary"] == "Origin"


def test_a_star_is_every_page(shared_upstream):
    sidecar = Sidecar(OPENAI_BASE_URL=shared_upstream.url, CORS_ORIGINS="*")
    answer = httpx.options(sidecar.url + "/v1/messages", headers=PREFLIGHT)
    assert allowed(answer) == "*" and "vary" not in answer.headers
    assert allowed(httpx.get(sidecar.url + "/nothing", headers={"origin": PAGE})) == "*"
    assert sidecar.stop() == 0


def test_without_the_setting_there_is_nothing_of_it(sidecar):
    answer = httpx.options(sidecar.url + "/v1/messages", headers=PREFLIGHT)
    assert answer.status_code == 405 and answer.headers["allow"] == "POST"
    told = httpx.get(sidecar.url + "/v1/models", headers={"origin": PAGE})
    assert not [name for name in [*answer.headers, *told.headers] if name.startswith("access-")]
