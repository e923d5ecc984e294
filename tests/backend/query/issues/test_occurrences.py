"""Occurrences of an issue: pages in the order of time, and one whole with what told it and what came before."""

from __future__ import annotations

import pytest
from known_occurrences import at

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.issues.occurrences.listing import list_occurrences
from spanglass_server.query.issues.occurrences.one import show_occurrence


def pages(world, where="latest", limit=2):
    """Return the messages of all pages."""
    found, cursor = [], None
    while True:
        answer = list_occurrences(world.session(), world.issues, "SHOP-1", at=where, limit=limit, cursor=cursor)
        found.append([row["message"] for row in answer["occurrences"]])
        cursor = answer["next_cursor"]
        if cursor is None:
            return found


def some(world):
    """Let four exceptions of one issue happen, two of them at once, and one of another."""
    for number, second in enumerate((1, 2, 2, 3)):
        world.see(1, second, message=f"m{number}", trace_id=bytes([number]) * 16, span_id=b"\1" * 8)
    world.see(2, 2, message="other")


def test_pages(world):
    """Pages go from the latest back, or from the first on; each occurrence is on one, also those of one time."""
    some(world)

    latest, first = pages(world), pages(world, "first")

    assert [len(page) for page in latest] == [2, 2]
    flat = [message for page in latest for message in page]
    assert (flat[0], sorted(flat), flat[-1]) == ("m3", ["m0", "m1", "m2", "m3"], "m0")
    assert [message for page in first for message in page] == flat[::-1]


def test_from_one_on(world):
    """``at`` an occurrence's id the page begins with it; an id of nothing is refused."""
    some(world)
    answer = list_occurrences(world.session(), world.issues, "SHOP-1", at="latest", limit=10, cursor=None)
    second = answer["occurrences"][1]

    found = list_occurrences(world.session(), world.issues, "SHOP-1", at=second["id"], limit=2, cursor=None)

    assert found["occurrences"] == answer["occurrences"][1:3]
    with pytest.raises(BadQuestionError, match="no id of an occurrence"):
        pages(world, "x")


def test_previous_and_next(world):
    """From the first, ``next`` leads through all to the latest, and ``previous`` back."""
    some(world)
    session = world.session()
    first = show_occurrence(session, world.issues, "SHOP-1", "first")
    seen = [first]
    while seen[-1]["next"]:
        seen.append(show_occurrence(session, world.issues, "SHOP-1", seen[-1]["next"]))

    latest = show_occurrence(session, world.issues, "SHOP-1", "latest")
    assert first["previous"] is None
    assert [row["message"] for row in seen] == [message for page in pages(world, "first") for message in page]
    assert seen[-1] == latest
    assert [row["previous"] for row in seen[1:]] == [row["id"] for row in seen[:-1]]


def span(number, second, **fields):
    """Make a stored span of the trace of the exception."""
    return {
        "trace_id": b"\1" * 16,
        "span_id": bytes([number]) * 8,
        "name": f"s{number}",
        "kind": 2,
        "start_time_ns": at(second),
        "duration_ns": 5,
        "resource.service.name:str": "shop",
        **fields,
    }


def log(order, second, **fields):
    """Make a stored log record."""
    return {"time_ns": at(second), "arrival_order": order, "body": f"l{order}", **fields}


def test_told_by_a_span(world):
    """The exception is that of the span's event; before it are the trace's log records and spans, newest first."""
    world.see(1, 10, trace_id=b"\1" * 16, span_id=b"\7" * 8, event_index=1, record_time_ns=at(5), message="cut")
    event = {
        "event_time_ns": [at(6), at(10)],
        "event_name": ["hello", "exception"],
        "event.exception.type:str": [None, "ValueError"],
        "event.exception.message:str": [None, "cut no more"],
        "event.exception.stacktrace:str": [None, "a stack"],
        "span.http.route:str": "/buy",
    }
    world.records["spans"] = [span(7, 5, **event), span(1, 1), span(2, 7), span(3, 11), span(4, 6, trace_id=b"\2" * 16)]
    own = {"trace_id": b"\1" * 16}
    world.records["logs"] = [log(1, 8, **own), log(2, 9, **own), log(3, 9), log(4, 11, **own)]

    found = show_occurrence(world.session(), world.issues, "SHOP-1", "latest")

    assert (found["exception"]["message"], found["exception"]["stacktrace"]) == ("cut no more", "a stack")
    assert found["attributes"] == {"http.route": "/buy"}
    assert found["resource"] == {"service.name": "shop"}
    assert [before["body"] for before in found["logs_before"]] == ["l2", "l1"]
    assert [before["name"] for before in found["spans_before"]] == ["s2", "s1"]
    assert (found["source"], found["log"]) == ("span", None)


def test_told_by_a_log_record(world):
    """The exception is that of the record; without a trace the service's records of a minute are before it."""
    world.see(1, 100, source=1, record_order=9, record_time_ns=at(100))
    said = {"log.exception.type:str": "ValueError", "log.exception.stacktrace:str": "a stack"}
    of_shop = {"resource.service.name:str": "shop"}
    world.records["logs"] = [log(9, 100, **said, **of_shop), log(8, 99, **of_shop), log(7, 99), log(6, 10, **of_shop)]

    found = show_occurrence(world.session(), world.issues, "SHOP-1", "latest")

    assert found["exception"]["stacktrace"] == "a stack"
    assert found["log"]["id"] == f"{at(100):x}-9"
    assert [before["body"] for before in found["logs_before"]] == ["l8"]
    assert (found["span"], found["spans_before"]) == (None, [])


@pytest.mark.parametrize("source", [0, 1])
def test_the_record_is_deleted(world, source):
    """An occurrence whose record is not stored any more has no exception, and is there still."""
    world.see(1, 10, source=source, trace_id=b"\1" * 16, span_id=b"\7" * 8, record_order=3, record_time_ns=at(10))

    found = show_occurrence(world.session(), world.issues, "SHOP-1", "first")

    assert (found["exception"], found["attributes"], found["message"]) == (None, {}, "no 1")


@pytest.mark.parametrize("name", ["1-0000000000000001", "latest"])
def test_no_such_occurrence(world, name):
    """An occurrence that is not stored is not found."""
    world.see(1, 10)
    world.rows.clear()

    with pytest.raises(BadQuestionError, match="no occurrence") as refused:
        show_occurrence(world.session(), world.issues, "SHOP-1", name)

    assert refused.value.code == "not_found"
