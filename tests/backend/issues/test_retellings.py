"""One exception that is told several times is one occurrence."""

from __future__ import annotations

import itertools

import pytest

from spanglass_server.issues.retellings import Retellings, Telling

TRACE = b"t" * 16
SHORT, LONG = 1, 2  # hashes of a stack, and of the one that it has a frame further out


def of_span(span="a", parent="", *, stack=SHORT, index=0, place="take:31", message="no tea"):
    """Return the event of a span."""
    origin = ("shop", "KeyError", message, place)
    return Telling(None, TRACE, span.encode(), parent.encode() or None, True, 10, index, origin, stack)  # noqa: FBT003


def of_log(span="a", *, stack=SHORT, trace=TRACE, message="no tea"):
    """Return a log record."""
    origin = ("shop", "KeyError", message, "take:31")
    return Telling(None, trace, span.encode(), None, False, 11, 0, origin, stack)  # noqa: FBT003


def of_ours(occurrence, *, is_event, trace=TRACE):
    """Return what our SDK sends of an occurrence."""
    origin = ("shop", "KeyError", "no tea", "take:31")
    return Telling(occurrence, trace, b"a", None, is_event, 10, 0, origin, SHORT)


@pytest.mark.parametrize(
    ("tellings", "expected"),
    [
        ([of_span()], 1),
        ([of_span(), of_log()], 1),
        ([of_span(), of_span()], 1),
        ([of_span("a", "root"), of_span("root", stack=LONG)], 1),
        ([of_span("a", "mid"), of_span("mid", "root"), of_span("root"), of_log("root", stack=LONG)], 1),
        ([of_log(), of_log("root", stack=LONG)], 1),
        ([of_log()] * 20, 20),
        ([*[of_log()] * 20, *[of_log("root", stack=LONG)] * 20], 20),
        ([of_span(f"c{i}", "root") for i in range(20)], 20),
        ([*(of_span(f"c{i}", "root") for i in range(20)), *(of_log(f"c{i}") for i in range(20))], 20),
        ([of_span(index=0), of_span(index=1), of_log()], 2),
        ([of_span(place="take:31"), of_span(place="put:40")], 2),
        ([of_span(message="no tea"), of_span(message="no coffee")], 2),
        ([of_log(trace=None)] * 3, 3),
        ([of_ours("1", is_event=True), of_ours("1", is_event=False), of_ours("2", is_event=False)], 2),
    ],
    ids=lambda value: None if isinstance(value, list) else f"{value}",
)
def test_an_exception_counts_once(tellings, expected):
    """Spans that it leaves, log records about it and resends are one occurrence; equal failures of many calls many."""
    retellings = Retellings()
    assert sum(map(retellings.is_new, tellings)) == expected


def test_the_order_of_arrival_does_not_change_the_count():
    """Parents before their children, log records before spans: the number of occurrences is the same."""
    tellings = [
        of_span("a", "mid"),
        of_span("mid", "root", stack=LONG),
        of_log("mid", stack=LONG),
        of_span("b", "root"),
    ]
    counts = {sum(map(Retellings().is_new, order)) for order in itertools.permutations(tellings)}
    assert counts == {2}


def test_memory_is_bounded():
    """The latest exceptions are remembered, as many as the limit says."""
    retellings = Retellings(remembered=10)
    first = of_ours("first", is_event=True)
    assert retellings.is_new(first)
    assert all(retellings.is_new(of_ours(f"{i}", is_event=True)) for i in range(10))
    assert not retellings.is_new(of_ours("9", is_event=False))
    assert retellings.is_new(first)
