"""The module of the monitoring API in a real browser, against answers that are written by hand."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.browser

#: Imports the module as pages do, calls one function, and tells what came of it.
CALL = """
async ([name, args]) => {
  const main = document.querySelector('script[type="module"]').src;
  const api = await import(main.replace("main.js", "monitoring.js"));
  try {
    return { answer: await api[name](...args, { attempts: 4, firstMs: 1, longestMs: 2, timeoutMs: 2000 }) };
  } catch (error) {
    return { kind: error.constructor.name, status: error.status ?? 0, message: error.message };
  }
}
"""
FAILED = (503, {"error": {"code": "unavailable", "message": "starting"}})
CONFLICT = (409, {"error": {"code": "conflict", "message": "it is over", "field": "status"}})
RESOLVED = (200, {"id": "a/1", "status": "resolved"})


@pytest.fixture
def answering(open_page):
    """Return a function that gives a call its answers in order (None hangs up), and returns what came and was asked."""
    page = open_page("shop", "/server", allow=("Failed to load resource",))
    waiting, asked = [], []

    def answer(route):
        request = route.request
        path = request.url.partition("/api/")[2]
        asked.append((request.method, path, json.loads(request.post_data) if request.post_data else None))
        said = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if said is None:
            route.abort()
        else:
            route.fulfill(status=said[0], content_type="application/json", body=json.dumps(said[1]))

    page.route("**/api/monitoring/**", answer)
    page.route("**/api/v1/status", answer)

    def call(name, *args, said):
        waiting[:], asked[:] = said, []
        return page.evaluate(CALL, [name, args]), list(asked)

    return call


def test_the_five_calls_ask_their_routes_and_a_503_that_goes_away_is_not_seen(answering):
    """Each is asked three times: after a 503, and after a connection that was closed."""
    thresholds = {"r": {"warning_threshold": 0.1}}
    for name, args, request in (
        ("getMetrics", ["cpu", {"last": "1h", "host": None}], ("GET", "monitoring/metrics/cpu/?last=1h", None)),
        ("getAlerts", [{"status": ["active", "acknowledged"], "labels": {"team": "shop"}}],
         ("GET", "monitoring/alerts/?status=active%2Cacknowledged&labels=team%3Dshop", None)),
        ("updateThresholds", [thresholds, {"by": "ann"}],
         ("PUT", "monitoring/thresholds/", {"by": "ann", "thresholds": thresholds})),
        ("resolveAlert", ["a/1", {"by": "ann"}],
         ("PUT", "monitoring/alerts/a%2F1/", {"by": "ann", "status": "resolved"})),
        ("getSystemStatus", [], ("GET", "v1/status", None)),
    ):  # fmt: skip
        came, asked = answering(name, *args, said=[FAILED, None, RESOLVED])
        assert came == {"answer": RESOLVED[1]}, name
        assert asked == [request] * 3


def test_errors_are_told_by_their_kind(answering):
    """What another attempt does not change is told at once; a change that a lost attempt had made is no error."""
    came, asked = answering(
        "getAlerts", {}, said=[(400, {"error": {"code": "bad_request", "message": "no such word"}})]
    )
    assert (came, len(asked)) == ({"kind": "ApiError", "status": 400, "message": "no such word"}, 1)
    came, asked = answering("getAlerts", {}, said=[FAILED])
    assert (came["status"], len(asked)) == (503, 4)
    came, asked = answering("getAlerts", {}, said=[None])
    assert (came["kind"], len(asked)) == ("TypeError", 4)
    came, _ = answering("resolveAlert", "a1", {}, said=[None, CONFLICT, RESOLVED])
    assert came == {"answer": RESOLVED[1]}
    came, _ = answering("resolveAlert", "a1", {}, said=[None, CONFLICT, (200, {"id": "a1", "status": "dismissed"})])
    assert (came["kind"], came["status"]) == ("ApiError", 409)
    came, asked = answering("resolveAlert", "a1", {}, said=[CONFLICT])
    assert (came["status"], len(asked)) == (409, 1)
