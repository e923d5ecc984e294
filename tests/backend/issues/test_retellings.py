"""One exception that is told several times is one occurrence."""

from __future__ import annotations

import itertools

import pytest

from spanglass_server.issues.occurrences.retellings import Retellings
from spanglass_server.issues.occurrences.telling import Telling

TRACE = b"t" * 16
TIMES = itertools.count(11)
SHORT, LONG = 1, 2  # hashes of a stack, and of the one that it has a frame further out


def of_span(
    span="a", parent="", *, stack=SHORT, index=0, place="take:31", message="no tea", trace=TRACE, time=10, frames=b"1"
):
    """Return the event of a span."""
    origin = ("shop", "KeyError", message, place)
    ids = (trace, span.encode(), parent.encode() or None)
    return Telling(None, *ids, True, time, index, origin, stack, frames)  # noqa: FBT003


def of_log(span="a", *, stack=SHORT, trace=TRACE, message="no tea", time=0, frames=b"1"):
    """Return a log record; without a time each is later than the one before."""
    origin = ("shop", "KeyError", message, "take:31")
    time = time or next(TIMES)
    return Telling(None, trace, span.encode(), None, False, time, 0, origin, stack, frames)  # noqa: FBT003


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
        ([of_log() for _ in range(20)], 20),
        ([of_log(time=17)] * 2, 1),
        ([of_log(time=17_000_000)] * 2, 2),
        ([*(of_log() for _ in range(20)), *(of_log("root", stack=LONG) for _ in range(20))], 20),
        ([of_span(f"c{i}", "root") for i in range(20)], 20),
        ([*(of_span(f"c{i}", "root") for i in range(20)), *(of_log(f"c{i}") for i in range(20))], 20),
        ([of_span(index=0), of_span(index=1), of_log()], 2),
        ([of_span(place="take:31"), of_span(place="put:40")], 2),
        ([of_span(message="no tea"), of_span(message="no coffee")], 2),
        ([of_log(trace=None) for _ in range(3)], 3),
        ([of_log(trace=None, time=17)] * 2, 1),
        ([of_log(trace=None, time=17_000_000)] * 2, 2),
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


TAKE, VIA_CART, VIA_LIST = b"take", b"takecart", b"takelist"


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([VIA_CART, VIA_LIST], 2),
        ([TAKE, VIA_CART], 1),
        ([TAKE, VIA_CART, TAKE, VIA_LIST], 2),
        ([b"", VIA_CART, VIA_LIST], 2),
        ([VIA_CART, VIA_CART + b"main", VIA_LIST], 2),
        ([VIA_CART] * 3 + [VIA_LIST], 4),
    ],
)
@pytest.mark.parametrize("tell", [of_span, of_log], ids=["spans", "logs"])
def test_calls_from_different_places_are_different_exceptions(tell, frames, expected):
    """A stack that goes on where the other ends is of the same exception further out; one that differs is another's."""
    for order in itertools.permutations(enumerate(frames)):
        tellings = [tell(f"s{i}", stack=hash(stack), frames=stack) for i, stack in order]
        retellings = Retellings()
        assert sum(map(retellings.is_new, tellings)) == expected


def test_spans_of_one_parent_are_different_calls_whatever_their_stacks():
    """JavaScript's stacks end after ten calls, or where the last wait was."""
    tellings = [of_span(f"c{i}", "root", stack=min(i, 1), frames=VIA_CART if i else TAKE) for i in range(20)]
    assert sum(map(Retellings().is_new, tellings)) == 20
    assert sum(map(Retellings().is_new, [*tellings, of_span("root", stack=7, frames=TAKE)])) == 20


SECOND = 10**9
OUTER, OTHER = b"1234", b"1x"  # frames, innermost first


@pytest.mark.parametrize(
    ("tellings", "expected"),
    [
        ([of_span(time=SECOND), of_log(trace=None, time=SECOND + 5, frames=OUTER)], 1),
        ([of_log(trace=TRACE, time=SECOND), of_log(trace=None, stack=LONG, time=SECOND + 5, frames=OUTER)], 1),
        ([of_log(trace=None, time=SECOND), of_log(trace=None, stack=LONG, time=SECOND + 5, frames=OUTER)], 1),
        ([of_span(time=SECOND), of_log(trace=None, time=2 * SECOND + 2_000_000, frames=OUTER)], 2),
        ([of_span(time=2 * SECOND), of_log(trace=None, time=SECOND, frames=OUTER)], 2),
        ([of_span(time=SECOND, frames=b"12"), of_log(trace=None, time=SECOND + 5, frames=OTHER)], 2),
        ([of_span(time=SECOND, message="no milk"), of_log(trace=None, time=SECOND + 5, frames=OUTER)], 2),
        ([of_span(time=SECOND), *(of_log(trace=None, time=SECOND + i) for i in (5, 6))], 2),
        (
            [
                make(i)
                for i in range(20)
                for make in (
                    lambda i: of_span(trace=b"%16d" % i, time=SECOND + i),
                    lambda i: of_log(trace=None, stack=LONG, time=SECOND + 1 + i, frames=OUTER),
                )
            ],
            20,
        ),
    ],
)
def test_a_log_record_outside_of_traces_is_matched_with_what_it_is_about(tellings, expected):
    """What went on out of its trace and is logged there counts once, whichever signal arrives first."""
    assert sum(map(Retellings().is_new, tellings)) == expected
    spans_last = sorted(tellings, key=lambda telling: telling.is_span_event)
    assert sum(map(Retellings().is_new, spans_last)) == expected


@pytest.mark.parametrize(
    "batch",
    [
        [of_span()],
        [of_span("b", "a"), of_span("a"), of_log("b", stack=LONG)],
        [of_log(trace=None), of_span("c", time=10)],
        [of_ours("7", is_event=True)],
    ],
)
@pytest.mark.parametrize(
    "before", [[], [of_span("b", "a")], [of_log("b"), of_log("b")], [of_span("z", trace=b"z" * 16)]]
)
def test_what_could_not_be_stored_is_new_again(before, batch):
    """After an undo the same tellings have the same answers."""
    retellings = Retellings()
    for telling in before:
        retellings.is_new(telling)
    retellings.begin()
    first = [retellings.is_new(telling) for telling in batch]
    retellings.undo()
    assert [retellings.is_new(telling) for telling in batch] == first


def test_a_trace_without_end_is_not_remembered_for_ever():
    """Of failures that are alike in one trace the latest are remembered; each is still an occurrence."""
    retellings = Retellings()
    assert all(retellings.is_new(of_span(f"{i}", "root", time=i)) for i in range(20_000))
    assert retellings._size < 5_000


def test_memory_is_bounded():
    """The latest exceptions are remembered, as many as the limit says."""
    retellings = Retellings(remembered=10)
    first = of_ours("first", is_event=True)
    assert retellings.is_new(first)
    assert all(retellings.is_new(of_ours(f"{i}", is_event=True)) for i in range(10))
    assert not retellings.is_new(of_ours("9", is_event=False))
    assert retellings.is_new(first)
