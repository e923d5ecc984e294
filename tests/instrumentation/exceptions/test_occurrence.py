import copy
import pickle

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from spanglass.exceptions.occurrence import SAME_FOR_NS, occurrence_id_of, occurrence_of


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


def test_an_exception_keeps_its_occurrence():
    """The same object in the same trace is the same occurrence, however often it is seen."""
    error = ValueError()

    first = seen(error, span(1), made="a")

    assert seen(error, span(1, 2), 10**15, made="b") is first
    assert occurrence_id_of(error) == "a"
    assert occurrence_id_of(ValueError()) is None


def test_an_object_that_is_raised_again_is_another_occurrence():
    """A module may keep one exception and raise it often: in another trace, or after a minute without traces."""
    error = ValueError()
    first = seen(error, span(1), made="a")

    assert seen(error, span(2), made="b") == "b"
    assert seen(error, INVALID_SPAN_CONTEXT, SAME_FOR_NS - 1, made="c") == "b"
    assert seen(error, INVALID_SPAN_CONTEXT, SAME_FOR_NS, made="d") == "d"
    assert first == "a"


def test_a_place_is_learnt_later():
    """An occurrence that was seen outside of spans first belongs to the first span that it is seen in."""
    error = ValueError()
    seen(error, made="a")

    assert seen(error, span(7), made="b").place == span(7)
    assert seen(error, span(8), made="c") == "c"


def test_exceptions_of_any_making_are_marked():
    """An exception that takes no attributes, and gives none, has an occurrence as any other."""
    error = Frozen()

    assert seen(error, made="a") is seen(error, made="b")


def test_it_travels_to_other_processes_as_text():
    """What comes out of a worker process is the same occurrence, and was described there."""
    error = ValueError("x")
    seen(error, made="a")

    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    kind = type(vars(arrived)["__spanglass_occurrence__"])
    here = seen(arrived, made="b")

    assert kind is str
    assert (here, here.in_log, here.in_span) == ("a", True, True)
    assert copy.copy(error).args == ("x",)
