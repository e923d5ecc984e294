import copy
import gc
import pickle

import pytest
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from spanglass.exceptions.occurrence import SAME_FOR_NS, _by_id, occurrence_id_of, occurrence_of


def span(trace_id, span_id=1):
    """Return the context of a span."""
    return SpanContext(trace_id, span_id, is_remote=False)


def seen(error, place=INVALID_SPAN_CONTEXT, now_ns=0, made="new"):
    """See an exception at a place and a time."""
    return occurrence_of(error, place, now_ns, lambda: made)


class Frozen(Exception):  # noqa: N818 - a name
    """Takes no attributes."""

    def __setattr__(self, *_):
        raise AttributeError("frozen")

    def __getattribute__(self, name):
        raise AttributeError(name)


class Own(Exception):  # noqa: N818 - a name
    """The application's, with attributes."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


KINDS = pytest.mark.parametrize(
    "make", [lambda: ValueError("x"), lambda: Own("x"), Frozen], ids=["built-in", "own", "frozen"]
)


@KINDS
def test_an_exception_keeps_its_occurrence(make):
    """The same object in the same trace is the same occurrence, however often it is seen; another object is not."""
    error = make()

    first = seen(error, span(1), made="a")

    assert seen(error, span(1, 2), 10**15, made="b") is first
    assert occurrence_id_of(error) == "a"
    assert occurrence_id_of(make()) is None


@KINDS
def test_an_object_that_is_raised_again_is_another_occurrence(make):
    """A module may keep one exception and raise it often: in another trace, or after a minute without traces."""
    error = make()
    first = seen(error, span(1), made="a")

    assert seen(error, span(2), made="b").id == "b"
    assert seen(error, INVALID_SPAN_CONTEXT, SAME_FOR_NS - 1, made="c").id == "b"
    assert seen(error, INVALID_SPAN_CONTEXT, SAME_FOR_NS, made="d").id == "d"
    assert first.id == "a"


def test_a_place_is_learnt_later():
    """An occurrence that was seen outside of spans first belongs to the first span that it is seen in."""
    error = ValueError()
    seen(error, made="a")

    assert seen(error, span(7), made="b").place == span(7)
    assert seen(error, span(8), made="c").id == "c"


@KINDS
def test_objects_in_one_place_of_memory_are_not_taken_for_each_other(make):
    """Thousands that are made and dropped one after the other have an id each, and nothing of them is kept."""
    gc.collect()
    before = len(_by_id)

    ids = [seen(make(), made=str(number)).id for number in range(2_000)]

    assert ids == [str(number) for number in range(2_000)]
    assert len(_by_id) <= before + 1


@pytest.mark.parametrize("make", [lambda: ValueError("x"), lambda: Own("x")], ids=["built-in", "own"])
def test_nothing_can_be_seen_on_an_exception(make):
    """Its attributes, its pickle and its copies are what they are without us."""
    error, other = make(), make()
    vars(other)
    seen(error, made="a")
    for each in (error, other):
        each.note = "mine"

    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own

    assert vars(error) == vars(other)
    assert dir(error) == dir(other)
    assert b"spanglass.exc" not in pickle.dumps(error)
    assert type(vars(arrived)) is type(vars(copy.deepcopy(error))) is dict
    assert vars(arrived) == vars(copy.copy(error)) == vars(other)
    assert occurrence_id_of(error) == "a"
    assert occurrence_id_of(arrived) is None
