"""``@trace`` on generators, plain and asynchronous: like the bare ones, with a span that does not leak."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect

import pytest
from opentelemetry.trace import StatusCode

from spanglass.api.decorator import trace
from spanglass.api.spans import current_span, span


def names():
    """Name of the current span, or '' outside of all."""
    return current_span().name


@trace("numbers")
def numbers(n):
    for i in range(n):
        yield i, names()
    return "done"


@trace("echo")
def echo():
    """Yield what is sent in, and survive a ValueError."""
    given = None
    while given != "end":
        try:
            given = yield given
        except ValueError as error:
            given = str(error)


@trace("anumbers")
async def anumbers(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i, names()


def test_the_span_is_current_in_the_body_only(sent):
    """The body sees its span, the consumer between the steps does not; it ends with the last item."""
    seen = []
    with span("consumer"):
        for item in numbers(2):
            seen += [item, names()]

    assert seen == [(0, "numbers"), "consumer", (1, "numbers"), "consumer"]
    assert [each.name for each in sent.spans] == ["numbers", "consumer"]
    assert sent.spans[0].parent.span_id == sent.spans[1].context.span_id


def test_it_is_still_a_generator_function():
    """Frameworks ask what kind of function it is."""
    assert inspect.isgeneratorfunction(numbers)
    assert inspect.isasyncgenfunction(anumbers)


def test_nothing_starts_before_the_first_step(sent):
    """A generator that nobody iterates over has no span."""
    numbers(3)

    assert sent.spans == []


def test_send_throw_and_return(sent):
    """Values and exceptions go in, the returned value comes out, as from the bare generator."""
    generator = echo()
    assert next(generator) is None
    assert generator.send("a") == "a"
    assert generator.throw(ValueError("b")) == "b"
    with pytest.raises(StopIteration):
        generator.send("end")

    def whole():
        return (yield from numbers(1))

    outer = whole()
    next(outer)
    with pytest.raises(StopIteration) as stopped:
        next(outer)

    assert stopped.value.value == "done"
    assert [each.status.status_code for each in sent.spans] == [StatusCode.UNSET] * 2


def test_the_result_is_captured(sent):
    """capture_result keeps what the generator returned."""

    @trace(capture_result=True, capture_args=True)
    def counting(n):
        yield from range(n)
        return n

    assert list(counting(2)) == [0, 1]
    assert sent.span.attributes["spanglass.result"] == 2
    assert sent.span.attributes["spanglass.argument.n"] == 2


@pytest.mark.parametrize("how", ["close", "drop"])
def test_an_early_end_ends_the_span_without_error(sent, how):
    """Closed, or forgotten, the body's finally runs and the span ends."""
    cleaned = []

    @trace("early")
    def early():
        try:
            yield 1
        finally:
            cleaned.append(names())

    generator = early()
    next(generator)
    if how == "close":
        generator.close()
    del generator
    gc.collect()

    assert cleaned == ["early"]
    assert (sent.span.status.status_code, list(sent.span.events)) == (StatusCode.UNSET, [])


def test_errors_of_the_body_and_of_the_consumer(sent):
    """What the body raises, or what is thrown in and not caught, ends the span with an error."""

    @trace
    def fails():
        yield 1
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        list(fails())
    generator = numbers(2)
    next(generator)
    with pytest.raises(KeyError):
        generator.throw(KeyError("x"))

    assert [(each.status.status_code, each.attributes["error.type"]) for each in sent.spans] == [
        (StatusCode.ERROR, "LookupError"),
        (StatusCode.ERROR, "KeyError"),
    ]


def test_a_span_around_a_yield_is_put_aside_and_back(sent):
    """A block of the body that is open across a yield is current in the body only, and its spans nest."""

    @trace("outer")
    def body():
        with span("inner"):
            yield names()
            yield names()
        yield names()

    seen = []
    for item in body():
        seen += [item, names()]

    assert seen == ["inner", "", "inner", "", "outer", ""]
    inner, outer = sent.spans
    assert inner.parent.span_id == outer.context.span_id


def test_two_generators_in_turns(sent):
    """Interleaved generators do not become children of one another."""
    assert list(zip(numbers(2), numbers(2), strict=True))[1] == ((1, "numbers"), (1, "numbers"))
    assert [each.parent for each in sent.spans] == [None, None]


def test_other_context_variables_go_through():
    """A variable that the body sets is visible to its consumer, as with the bare generator."""
    variable = contextvars.ContextVar("variable", default="unset")

    @trace
    def sets():
        variable.set("body")
        yield

    next(generator := sets())
    generator.close()
    assert variable.get() == "body"


def test_each_step_may_run_in_another_context(sent, caplog):
    """Thread pools resume generators in copies of a context: the span is current in each step, and ends quietly."""

    @trace("outer")
    def body():
        with span("inner"):
            yield names()
            yield names()

    generator = body()
    seen = [contextvars.copy_context().run(next, generator), contextvars.copy_context().run(next, generator)]
    contextvars.copy_context().run(next, generator, None)

    assert seen == ["inner", "inner"]
    assert [each.name for each in sent.spans] == ["inner", "outer"]
    assert (names(), caplog.records) == ("", [])


@pytest.mark.usefixtures("sent")
def test_a_context_manager_can_be_traced():
    """Under contextlib.contextmanager the block that it manages is not inside the span."""

    @contextlib.contextmanager
    @trace("manager")
    def manager():
        yield names()

    with manager() as inside:
        outside = names()

    assert (inside, outside) == ("manager", "")


def test_asynchronous_generators(sent):
    """The same for asynchronous ones: current in the body also across its awaits, not between the items."""

    async def consume():
        seen = []
        with span("consumer"):
            async for item in anumbers(2):
                seen += [item, names()]
        return seen

    assert asyncio.run(consume()) == [(0, "anumbers"), "consumer", (1, "anumbers"), "consumer"]
    assert [each.name for each in sent.spans] == ["anumbers", "consumer"]


def test_asynchronous_send_throw_and_close(sent):
    """Values and exceptions go in, and an early end runs the body's finally, awaits included."""
    cleaned = []

    @trace("aecho")
    async def aecho():
        given = None
        try:
            while True:
                try:
                    given = yield given
                except ValueError as error:
                    given = str(error)
        finally:
            await asyncio.sleep(0)
            cleaned.append(names())

    async def use():
        generator = aecho()
        first = await anext(generator)
        answers = [first, await generator.asend("a"), await generator.athrow(ValueError("b"))]
        await generator.aclose()
        with contextlib.suppress(StopAsyncIteration):
            await anext(generator)
        return answers

    assert asyncio.run(use()) == [None, "a", "b"]
    assert cleaned == ["aecho"]
    assert (sent.span.status.status_code, list(sent.span.events)) == (StatusCode.UNSET, [])


def test_an_asynchronous_error(sent):
    """What an asynchronous body raises ends the span with an error."""

    @trace
    async def fails():
        yield 1
        raise LookupError("gone")

    async def consume():
        return [item async for item in fails()]

    with pytest.raises(LookupError, match="gone"):
        asyncio.run(consume())
    assert sent.span.status.description == "LookupError: gone"


def test_a_forgotten_asynchronous_generator_is_closed_by_the_loop(sent):
    """A generator that is left half-way ends its span when the loop closes it, in another task."""

    async def leave():
        async for _ in anumbers(5):
            break

    asyncio.run(leave())

    assert sent.span.name == "anumbers"
    assert sent.span.status.status_code == StatusCode.UNSET
