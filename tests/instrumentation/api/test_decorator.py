"""``@trace`` on functions, coroutines and methods."""

from __future__ import annotations

import asyncio
import functools
import inspect

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from spanglass.api.captured import MAX_CAPTURED
from spanglass.api.decorator import trace
from spanglass.api.spans import current_span, span
from spanglass.errors import MonitorError, TracingError


def attributes_of(made):
    """The attributes without those that say where the function is."""
    return {key: value for key, value in made.attributes.items() if not key.startswith("code.")}


def test_a_function_keeps_everything_and_gets_a_span(sent):
    """Name, documentation, signature and result stay; the span says where the function is."""

    @trace
    def charge(amount: float, *, currency: str = "EUR") -> str:
        """Charge."""
        return f"{amount} {currency}"

    assert charge(3, currency="USD") == "3 USD"

    name = "test_a_function_keeps_everything_and_gets_a_span.<locals>.charge"
    assert (charge.__name__, charge.__doc__) == ("charge", "Charge.")
    assert str(inspect.signature(charge)) == "(amount: 'float', *, currency: 'str' = 'EUR') -> 'str'"
    assert sent.span.name == name
    assert dict(sent.span.attributes) == {
        "code.function.name": f"{__name__}.{name}",
        "code.file.path": __file__,
        "code.line.number": charge.__wrapped__.__code__.co_firstlineno,
    }


def test_options(sent):
    """Name, kind and attributes are those given."""

    @trace("pay", kind="client", attributes={"peer": "bank"})
    def charge():
        pass

    charge()

    assert (sent.span.name, sent.span.kind, attributes_of(sent.span)) == ("pay", SpanKind.CLIENT, {"peer": "bank"})


@pytest.mark.usefixtures("sent")
def test_empty_parentheses():
    """@trace() is @trace."""

    @trace()
    def charge():
        return current_span().name

    assert charge() == charge.__qualname__


def test_a_coroutine_function_stays_one(sent):
    """The span is current around the awaits, and ends with the coroutine."""

    @trace
    async def charge():
        await asyncio.sleep(0)
        with span("inner"):
            return 7

    assert inspect.iscoroutinefunction(charge)
    assert asyncio.run(charge()) == 7
    inner, outer = sent.spans
    assert inner.parent.span_id == outer.context.span_id


def test_a_failed_call_is_an_error(sent):
    """The exception goes through unchanged, recorded on the span; record_exceptions=False leaves only the status."""

    @trace
    def fails():
        raise LookupError("gone")

    @trace(record_exceptions=False)
    async def fails_quietly():
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        fails()
    with pytest.raises(LookupError, match="gone"):
        asyncio.run(fails_quietly())

    assert [(each.status.status_code, len(each.events)) for each in sent.spans] == [
        (StatusCode.ERROR, 1),
        (StatusCode.ERROR, 0),
    ]


def test_a_cancelled_task_is_no_error(sent):
    """Cancellation ends the span without an error."""

    @trace
    async def waits():
        await asyncio.sleep(60)

    async def cancelled():
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        task.cancel()
        return await asyncio.gather(task, return_exceptions=True)

    assert [type(each) for each in asyncio.run(cancelled())] == [asyncio.CancelledError]
    assert (sent.span.status.status_code, list(sent.span.events)) == (StatusCode.UNSET, [])


def test_methods_of_all_kinds(sent):
    """Methods, class methods and static methods work, the decorator above or below the built-in one."""

    class Shop:
        @trace(capture_args=True)
        def method(self, a):
            return a

        @trace(capture_args=True)
        @classmethod
        def above(cls, a):
            return cls, a

        @classmethod
        @trace(capture_args=True)
        def below(cls, a):
            return cls, a

        @trace(capture_args=True)
        @staticmethod
        def static_above(a):
            return a

        @staticmethod
        @trace(capture_args=True)
        def static_below(a):
            return a

    shop = Shop()

    assert shop.method(1) == 1
    assert (Shop.above(2), shop.below(3)) == ((Shop, 2), (Shop, 3))
    assert (Shop.static_above(4), shop.static_below(5)) == (4, 5)
    assert [attributes_of(each) for each in sent.spans] == [{"spanglass.argument.a": i} for i in range(1, 6)]


def test_arguments_are_captured_however_they_are_passed(sent):
    """By position, by keyword, by default, and the variable ones; simple values keep their type."""

    @trace(capture_args=True)
    def call(a, /, b, *rest, c=3, **more):
        return a, b, rest, c, more

    assert call(1, "two", 4, 5, d=None) == (1, "two", (4, 5), 3, {"d": None})

    assert attributes_of(sent.span) == {
        "spanglass.argument.a": 1,
        "spanglass.argument.b": "two",
        "spanglass.argument.rest": "[4, 5]",
        "spanglass.argument.c": 3,
        "spanglass.argument.more": "{'d': None}",
    }


def test_only_the_named_arguments_and_the_result(sent):
    """capture_args takes one name or several; capture_result adds what was returned."""

    @trace(capture_args=("b",), capture_result=True)
    def pair(a, b):
        return {"a": a, "b": b}

    @trace(capture_args="a")
    def single(a, b):
        pass

    pair(1, 2)
    single(1, 2)

    assert [attributes_of(each) for each in sent.spans] == [
        {"spanglass.argument.b": 2, "spanglass.result": "{'a': 1, 'b': 2}"},
        {"spanglass.argument.a": 1},
    ]


def test_captured_values_are_bounded_and_safe(sent):
    """Long values are cut, and a __repr__ that raises says so instead."""

    class Broken:
        def __repr__(self):
            raise RuntimeError("no text")

    @trace(capture_args=True)
    def call(text, items, broken):
        pass

    call("x" * 5000, list(range(10**6)), Broken())

    found = attributes_of(sent.span)
    assert len(found["spanglass.argument.text"]) == MAX_CAPTURED
    assert found["spanglass.argument.items"] == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]"
    assert found["spanglass.argument.broken"].startswith("<Broken instance at")


@pytest.mark.usefixtures("sent")
def test_a_wrong_call_is_the_functions_own_error():
    """Missing and surplus arguments give Python's own TypeError, captured or not."""

    @trace(capture_args=True)
    def call(a):
        pass

    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        call()
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        call(1, 2)


def test_an_unknown_argument_is_refused_when_decorating():
    """A name that the function does not have is refused, with the names that it has."""
    with pytest.raises(TracingError, match=r"charge has no argument 'amont' to capture; it has: amount, currency"):

        @trace(capture_args=("amont",))
        def charge(amount, currency):
            pass


def test_what_is_no_function_is_refused():
    """A class or a value cannot be traced, and what has no signature cannot be captured."""
    with pytest.raises(MonitorError, match="is no function: put @trace on functions and methods"):
        trace(dict)
    with pytest.raises(TracingError, match="3 is no function"):
        trace(3)
    with pytest.raises(TracingError, match="has no signature that says what to capture"):
        trace(capture_args=True)(min)


def test_a_partial_is_traced_under_its_functions_name(sent):
    """A functools.partial has the name of what it calls."""

    def charge(amount):
        return amount

    assert trace(functools.partial(charge, 3))() == 3
    assert sent.span.name == charge.__qualname__


def test_functions_without_providers_do_nothing_more():
    """Without providers arguments are not even looked at."""

    class Untouchable:
        def __repr__(self):
            raise AssertionError("looked at")

    @trace(capture_args=True, capture_result=True)
    def same(value):
        return value

    value = Untouchable()
    assert same(value) is value
