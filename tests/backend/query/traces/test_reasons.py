"""Why a span failed, in one line, as senders of many kinds record it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass_server.error_text import MOST, one_line
from spanglass_server.query.one_trace.reasons import reason


def span(message="", *events, **attributes):
    """Make what is read of a failing span; ``__`` in a key stands for a dot. Events are names with their attributes."""
    return {
        "status_message": message,
        "attributes": {key.replace("__", "."): value for key, value in attributes.items()},
        "events": [
            {"name": name, "attributes": {key.replace("__", "."): value for key, value in more.items()}}
            for name, more in events
        ],
    }


def raised(kind=None, message=None, name="exception", **more):
    """Make the event of an exception."""
    told = {"exception__type": kind, "exception__message": message}
    return name, {key: value for key, value in told.items() if value is not None} | more


BACKTRACE = 'order 7\n\nCaused by:\n    0: reserve of "tea" failed\n\nStack backtrace:\n   0: <E as anyhow>::ext'
PYTHON = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'sku'\n"
CHAIN = '[{"type": "PoolTimeout", "message": "no connection for 5 s"}, {"type": "OSError", "message": "x"}]'

REASONS = {
    # the status message, when it says something
    "no rate for 'NOK'": span("no rate for 'NOK'"),
    "order 7": span(BACKTRACE, raised(message=BACKTRACE)),
    "KeyError: 'sku'": span("", raised("KeyError", "'sku'")),
    "KeyError: 'a'": span("KeyError: 'a'", raised("builtins.KeyError", "'a'")),
    "*net.OpError: connection refused": span("connection refused", raised("*net.OpError", "connection refused")),
    "no message but a status": span("no message but a status", raised("Error")),
    # ... but a code, or the word error, says less than anything else
    "Oops: a": span("Internal Server Error", raised("Oops", "a"), http__response__status_code=500),
    "Oops: b": span("HTTP 500", raised("Oops", "b")),
    "Oops: c": span("ERROR", raised("Oops", "c")),
    "Oops: d": span("Status code: 503", raised("Oops", "d")),
    "upstream connect error": span("upstream connect error", http__status_code=503),
    "The answer was 404.": span("404 Not Found", http__response__status_code=404, error__type="404"),
    "502 Bad Gateway": span("502 Bad Gateway"),
    "Internal Server Error": span("Internal Server Error"),
    "failed": span("failed"),
    # the last exception that was not handled: earlier ones were retried
    "Timeout: again": span("", raised("Timeout", "first"), raised("Timeout", "again")),
    "Timeout: open": span("", raised("Timeout", "open"), raised("E", "x", spanglass__exception__handled=True)),
    "E: handled": span("", raised("E", "handled", spanglass__exception__handled=True)),
    "PoolTimeout: no connection for 5 s": span("", raised(spanglass__exception__chain=CHAIN)),
    "KeyError: 'sku' ": span("", raised(exception__stacktrace=PYTHON)),
    "StockError: shelf 3 is empty": span("", raised("StockError", ["shelf 3 is empty", "at shelf"])),
    # the events of Rust
    "reserve failed": span("", ("could not reserve", {"level": "ERROR", "exception__message": "reserve failed"})),
    "Reserve { sku }": span("", ("debug error", {"level": "ERROR", "err": "Reserve { sku }"})),
    "at error": span("", ("at warn", {"level": "WARN"}), ("at error", {"level": "ERROR"}), http__status_code=200),
    "of the span": span("", exception__message="of the span", exception__stacktrace=["shelf 3"]),
    # OpenTracing's error event
    "IOError: disk is full": span("", ("log", {"event": "error", "error__kind": "IOError", "message": "disk is full"})),
    "LookupError: no price": span("", ("error", {"error__kind": "<class 'LookupError'>", "error__object": "no price"})),
    "TypeError: no function": span("", ("error", {"error__object": {"name": "TypeError", "message": "no function"}})),
    "Error: lost at a.js:1": span("", ("error", {"event": "error", "stack": "Error: lost at a.js:1\n at f\n at g"})),
    # Zipkin's error tag
    "connect timed out": span("", error="connect timed out", http__status_code="500"),
    "The answer was 500.": span("", error="true", http__status_code="500"),
    "The answer was 503 Service Unavailable.": span("", http__status_code=503, http__status_text="Service Unavailable"),
    "": span("", error="false", http__status_code=200),
    # Node.js, .NET, JSON
    "socket hang up": span("", http__error_name="Error", http__error_message="socket hang up"),
    "SqlException: deadlock": span("", otel__status_description="deadlock", error__type="SqlException"),
    "Boom: out of paper": span("", error='{"type": "Boom", "message": "out of paper", "code": 7}'),
    "quota is used up": span("", error__message=["quota is used up", "try later"]),
    # codes and kinds
    "The answer was 14 UNAVAILABLE.": span("", rpc__grpc__status_code=14, error__type="14"),
    "The answer was DEADLINE_EXCEEDED.": span("", rpc__response__status_code="DEADLINE_EXCEEDED"),
    "The answer was 504.": span("", error__type="504"),
    "The database answered 40P01.": span("", db__response__status_code="40P01"),
    "The process ended with exit code 3.": span("", process__exit__code=3),
    "ConnectError": span("", error__type="ConnectError"),
    "java.net.ConnectException": span("", error__type="java.net.ConnectException", rpc__grpc__status_code=0),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "failed"), REASONS.items())
def test_the_first_that_says_something_is_the_reason(expected, failed):
    """Text comes before codes, codes before kinds; what is no failure is no reason."""
    assert reason(failed) == expected.strip()


@pytest.mark.parametrize(
    "nothing",
    [
        span(),
        span("", http__response__status_code=200),
        span("", http__status_code="302"),
        span("", http__status_code="²"),
        span("", http__status_code="9" * 5000),
        span("200 OK", http__status_code=200),
        span("OK"),
        span("Error"),
        span("", error=True),
        span("", error__type="_OTHER"),
        span("", error__type="200"),
        span("", rpc__grpc__status_code=0, http__status_code=200),
        span("", rpc__response__status_code="OK"),
        span("", ("message", {"level": "INFO"})),
        span("", ("retry", {"error": False})),
        span("", process__exit__code=0),
    ],
)
def test_what_is_no_failure_is_no_reason(nothing):
    """An answer of 200, exit code 0 and the word error tell nothing."""
    assert reason(nothing) == ""


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, ""),
        (True, "true"),
        (7.5, "7.5"),
        ("\n\n ---- \n  a   b\tc\r\nd", "a b c"),
        ("\x1b[31mred\x1b[0m \x07bell", "red bell"),
        ("goroutine 1 [running]:\nmain.f()", "main.f()"),
        (PYTHON, "KeyError: 'sku'"),
        ("x" * 201, "x" * 199 + "…"),
        ("x" * 200, "x" * 200),
        ('["a", "b"]', "a"),
        ('{"error": {"message": "inner"}}', "inner"),
        ('{"a": 1}', '{"a": 1}'),
        ("[not json", "[not json"),
        ({"$bytes": "00ff"}, '{"$bytes": "00ff"}'),
    ],
)
def test_one_line(value, line):
    """A text of any size and shape becomes its first line that says something."""
    assert one_line(value) == line


@given(st.text(max_size=400) | st.lists(st.text(max_size=30)) | st.dictionaries(st.text(max_size=5), st.text()))
def test_a_reason_is_one_bounded_line(value):
    """Whatever was sent, a reason fits into a sentence."""
    found = reason(span(str(value), ("error", {"error": value}), error=value))

    assert len(found) <= MOST
    assert found == " ".join(found.split())
    assert found.isprintable()
