"""Why spans failed, as real senders record it: Rust's events, answers of 200, backtraces in a status message."""

from __future__ import annotations

import time

import pytest
from cases import Case


@pytest.fixture
def shown(cases_server):
    """Send a case; return its trace as the API shows it, and a function that returns the page of one of its spans."""

    def send(name):
        request = Case(name, time.time_ns()).send(cases_server)
        trace_id = request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"]
        trace = cases_server.request("GET", f"/api/v1/traces/{trace_id}").json()
        return trace, lambda key: cases_server.request("GET", f"/traces/{trace_id}?span={key}").body.decode()

    return send


def reasons(trace):
    """Return the reasons of all spans by name."""
    return {span["name"]: span["reason"] for span in trace["spans"]}


def test_an_answer_of_200_is_no_reason(shown):
    """A failing span that answered 200 failed because of the error that was logged on it."""
    trace, page = shown("sender-07-answer-was-200")

    assert reasons(trace) == {"GET /levels": "at error"}
    assert trace["failure"]["reason"] == "at error"
    text = page(trace["failure"]["key"])
    assert "<bdi>at error</bdi>" in text
    assert "The answer was 200" not in text


def test_an_event_of_any_name_is_an_exception(shown):
    """Rust's events with exception.* are exceptions with their stack, an array, and their own names."""
    trace, page = shown("sender-08-exception-of-tracing-opentelemetry")

    assert reasons(trace) == {"fails": 'StockError: reserve of "tea" failed', "GET /fails": "The answer was 503."}
    assert trace["failure"]["name"] == "fails"
    text = page(trace["failure"]["key"])
    assert text.count('<div class="exc">') == 3
    assert '<pre class="src" tabindex="0">shelf 3 is empty</pre>' in text
    assert "<span>could not reserve</span>" in text


def test_a_backtrace_in_a_status_message_is_one_line(shown):
    """The sentence has the first line of a message of 10 kB, the details have the whole."""
    trace, page = shown("sender-12-status-message-with-a-backtrace")

    assert reasons(trace) == {"reserve_anyhow": "order 7", "GET /fails2": "The answer was 500."}
    text = page(trace["failure"]["key"])
    assert "<bdi>order 7</bdi>" in text
    assert text.count("core::ops::function::FnOnce::call_once{{vtable.shim}}") >= 1
