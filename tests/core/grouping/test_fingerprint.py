"""Fingerprints: what makes two reports one issue, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.grouping.exception import ExceptionReport
from spanglass_core.grouping.fingerprint import CURRENT_VERSION, Fingerprint, Input, fingerprint

_STACK = """Traceback (most recent call last):
  File "/app/shop/web.py", line 12, in checkout
    total = stock.take(name)
            ^^^^^^^^^^^^^^^^
  File "/app/shop/stock.py", line 31, in take
    return self.items[name]
           ~~~~~~~~~~^^^^^^
KeyError: 'tea'
"""


def _key(stacktrace: str, kind: str = "", message: str = "", service: str = "checkout") -> int:
    return fingerprint(CURRENT_VERSION, ExceptionReport(service, kind, message, stacktrace)).key


def test_a_fingerprint_in_full() -> None:
    """Service, type and place of the failure are the inputs; title and culprit name it."""
    found = fingerprint(1, ExceptionReport("checkout", "KeyError", "'tea'", _STACK))
    assert found == Fingerprint(
        version=1,
        key=found.key,
        inputs=(Input("service", "checkout"), Input("type", "KeyError"), Input("frame", "stock.take")),
        title="KeyError: 'tea'",
        culprit="stock.take",
        type="KeyError",
        message="'tea'",
    )
    assert -(2**63) <= found.key < 2**63


@pytest.mark.parametrize(
    "other",
    [
        _STACK.replace("line 31", "line 47").replace("line 12", "line 2"),
        _STACK.replace("'tea'", "'coffee'"),
        _STACK.replace("/app/", "/srv/shop-1.2.3/"),
        _STACK.replace("/app/", "/tmp/tmpa1b2c3/"),  # noqa: S108 - a text
        _STACK.replace("            ^^^^^^^^^^^^^^^^\n", "").replace("           ~~~~~~~~~~^^^^^^\n", ""),
        _STACK.replace("/app/shop/web.py", "/app/shop/jobs.py").replace("checkout", "restock"),
        _STACK.replace("KeyError: 'tea'", "KeyError: 'tea'\na note of 3.11"),
    ],
    ids=["lines", "value", "path", "temporary path", "no carets", "caller", "note"],
)
def test_what_does_not_split(other: str) -> None:
    """Lines, values, paths, callers and notes differ between occurrences of one bug."""
    assert _key(other) == _key(_STACK)


def test_what_splits() -> None:
    """Another service, type or function is another issue."""
    keys = {
        _key(_STACK),
        _key(_STACK, service="stock"),
        _key(_STACK.replace("KeyError", "ValueError")),
        _key(_STACK.replace("in take", "in put")),
    }
    assert len(keys) == 4


def test_a_fingerprint_of_the_application_leads() -> None:
    """With a custom fingerprint neither type nor stack matters, only the service."""
    one = fingerprint(1, ExceptionReport("checkout", "KeyError", "'tea'", _STACK, ("no price",)))
    other = fingerprint(1, ExceptionReport("checkout", "ValueError", "x", "", ("no price",)))
    elsewhere = fingerprint(1, ExceptionReport("stock", "ValueError", "x", "", ("no price",)))
    assert one.inputs == (Input("service", "checkout"), Input("custom", "no price"))
    assert one.key == other.key != elsewhere.key


def test_parts_of_a_custom_fingerprint_stay_apart() -> None:
    """Two texts are not the same as one text of both."""
    keys = {fingerprint(1, ExceptionReport("s", "", "", "", parts)).key for parts in (("a", "b"), ("ab",), ("a b",))}
    assert len(keys) == 3


def test_without_a_stack_the_normalised_message_decides() -> None:
    """Ids and values in messages do not split, words do."""
    assert _key("", "E", "order 7 of 'tea' not found") == _key("", "E", "order 12 of 'green tea' not found")
    assert _key("", "E", "order 7 not found") != _key("", "E", "order 7 not paid")


def test_exceptions_that_share_only_framework_frames_stay_apart() -> None:
    """Frames of libraries alone do not make two failures one."""
    frames = (
        'Traceback (most recent call last):\n  File "/usr/lib/python3.11/site-packages/django/x.py", line 1, in get\n'
    )
    assert _key(frames + "E: no such column price") != _key(frames + "E: no such table orders")
    assert _key(frames + "E: row 7 is locked") == _key(frames.replace("line 1", "line 9") + "E: row 81 is locked")


def test_recursion_does_not_split() -> None:
    """Neither the depth of a recursion nor which of its functions met the limit matters."""
    frame = '  File "/app/tree.py", line {0}, in {1}\n    x\n'
    head, end = "Traceback (most recent call last):\n", "RecursionError: maximum recursion depth exceeded\n"
    cycle = frame.format(3, "walk") + frame.format(9, "visit")
    keys = {
        _key(head + cycle * 50 + end),
        _key(head + cycle * 480 + frame.format(3, "walk") + end),
        _key(head + frame.format(1, "main") + cycle * 50 + end),
    }
    assert len(keys) == 1
    walk = frame.format(3, "walk")
    repeated = "  [Previous line repeated 970 more times]\n"
    assert _key(head + walk * 3 + repeated + end) == _key(head + walk * 2 + end)


@settings(derandomize=True, deadline=None)
@given(st.text(st.characters()), st.text(st.characters()), st.text(st.characters()), st.lists(st.text()))
def test_no_report_raises(stacktrace: str, kind: str, message: str, custom: list[str]) -> None:
    """Whatever is reported has a key, the same each time."""
    report = ExceptionReport("s", kind, message, stacktrace, tuple(custom))
    assert fingerprint(1, report) == fingerprint(1, report)


def test_reports_of_nothing_have_a_title() -> None:
    """Missing type, message and stack are one issue, which says what it is."""
    assert fingerprint(1, ExceptionReport("", "", "", "")).title == "an exception without type and message"


def _frames(stacktrace: str, kind: str = "E", message: str = "m") -> list[str]:
    report = ExceptionReport("s", kind, message, stacktrace)
    return [one.value for one in fingerprint(1, report).inputs if one.kind in {"frame", "message"}]


def test_a_caller_counts_where_code_fails_for_others() -> None:
    """Around an installed package, around a client of the library, and in helpers that only raise."""
    python = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in order\n    x\n'
    call = python + '  File "/app/web.py", line 1, in call\n    x\n'
    package = call + '  File "/v/lib/python3.12/site-packages/requests/api.py", line 1, in get\n    x\n'
    library = call + '  File "/usr/lib/python3.12/json/decoder.py", line 1, in decode\n    x\n'
    assert _frames(call + "E: m\n") == ["web.call"]
    assert _frames(package + "requests.E: m\n") == ["web.call", "a.order"]
    assert _frames(library + "json.E: m\n") == ["web.call"]
    assert _frames(call + "sqlite3.OperationalError: m\n") == ["web.call", "a.order"]
    assert _frames(python + '  File "/app/c.py", line 1, in ensure\n    x\nE: m\n') == ["c.ensure", "a.order"]


def test_the_message_counts_where_a_frame_has_no_name() -> None:
    """Anonymous functions, names that minifiers made up, and what runs at the top level."""
    assert _frames("E: m 7\n    at /app/shop.js:1:2\n    at g (/app/shop.js:3:4)") == ["shop", "m <n>"]
    assert _frames("E: m 7\n    at t (https://x.example/a.3f2a9c.js:1:2)") == ["a", "m <n>"]
    assert _frames("E: m 7\n    at t (/app/shop.js:1:2)") == ["shop.t"]
    assert _frames('Traceback (most recent call last):\n  File "/app/a.py", line 1, in <module>\n    x\nE: m 7') == [
        "a.<module>",
        "m <n>",
    ]


def test_the_message_counts_where_libraries_failed_by_themselves() -> None:
    """A frame of the application far outside, a server's start or a middleware, says nothing of the failure."""
    head = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in serve\n    x\n'
    library = '  File "/usr/lib/python3.12/http/server.py", line 1, in handle\n    x\n'
    assert _frames(head + library * 13 + "E: m 7\n") == ["a.serve", "m <n>"]
    assert _frames(head + library * 3 + "E: m 7\n") == ["a.serve"]


def test_the_message_counts_where_the_caller_that_counts_has_no_name() -> None:
    """A package is called by a function that an anonymous handler calls."""
    package = "    at g (/app/node_modules/knex/lib/client.js:1:2)\n"
    stack = "E: m 7\n" + package + "    at query (/app/db.js:1:2)\n    at {0}/app/web.js:3:4{1}\n"
    assert _frames(stack.format("", "")) == ["db.query", "m <n>"]
    assert _frames(stack.format("orders (", ")")) == ["db.query", "web.orders"]


def test_where_go_reports_errors() -> None:
    """Helpers report for many: caller and message count, unless it is a panic."""
    stack = "goroutine 1 [running]:\nmain.record(0x1)\n\t/app/main.go:1 +0x1\nmain.order(0x1)\n\t/app/main.go:9 +0x1\n"
    assert _frames(stack, message="order 7") == ["main.record", "main.order", "order <n>"]
    assert _frames("panic: order 7\n\n" + stack) == ["main.record"]


def test_causes_of_javascript_do_not_split() -> None:
    """A span event tells no causes, a log record of the same error does."""
    alone = "E: a\n    at f (/app/a.js:1:2)"
    assert _key(alone) == _key(alone + "\ncaused by: B: b\n    at g (/app/b.js:3:4)")


def test_causes_elsewhere_count_once_each() -> None:
    """Another cause is another issue; one cause told twice is not."""
    head = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\n    x\n'
    between = "\nThe above exception was the direct cause of the following exception:\n\n"
    one, other, last = head + "B: b\n", head + "C: c\n", head + "A: a\n"
    assert _key(one + between + last) != _key(other + between + last)
    assert _key(one + between + last) == _key(one + between + one + between + last)


def test_what_was_suppressed_does_not_split() -> None:
    """Closing a resource may fail too, or not: the failure before it is the same."""
    stack = "shop.A: a\n\tat shop.Stock.take(Stock.java:1)\n"
    suppressed = "\tSuppressed: shop.B: b\n\t\tat shop.Shelf.close(Shelf.java:1)\n"
    assert _key(stack) == _key(stack + suppressed)


def test_members_of_a_group_in_any_order() -> None:
    """Tasks end as they like: neither order nor number of equal members matters."""
    head = (
        '  + Exception Group Traceback (most recent call last):\n  |   File "/app/a.py", line 1, in f\n  | Group: x\n'
    )
    first, further = "  +-+---------------- 1 ----------------\n", "    +---------------- 2 ----------------\n"
    end = "    +------------------------------------\n"
    keys = {
        _key(head + first + "    | A: a\n" + further + "    | B: b\n" + end),
        _key(head + first + "    | B: b\n" + further + "    | A: a\n" + end),
        _key(head + first + "    | B: b\n" + further + "    | A: a\n" + further + "    | A: c\n" + end),
    }
    assert len(keys) == 1
