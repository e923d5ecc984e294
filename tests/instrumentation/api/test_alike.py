"""``@trace`` leaves what it traces what it was, however that is called or asked."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import types
import warnings
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import StatusCode

from spanglass.api.decorator import trace
from spanglass.api.operations import track_operation
from spanglass.api.spans import span


def plain(a, /, b, *rest, c, d=4, **more):
    """Return what came in."""
    return a, b, rest, c, d, more


def generator(a, /, b, *rest, c, d=4, **more):
    """Give what came in."""
    yield a, b, rest, c, d, more


async def coroutine(a, /, b, *rest, c, d=4, **more):
    """Return what came in."""
    return a, b, rest, c, d, more


async def async_generator(a, /, b, *rest, c, d=4, **more):
    """Give what came in."""
    yield a, b, rest, c, d, more


def few(spanglass=1, *, made=2):
    """Give what came in, under names that the wrapper could have."""
    yield spanglass, made


KINDS = [plain, generator, coroutine, async_generator, few]
QUESTIONS = [inspect.isfunction, inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction]
TRACED = {kind: trace(kind) for kind in KINDS}


def outcome(function, args, kwargs):
    """Call a function, and run to the end what it gave; the error of the call itself is told apart."""

    async def collect(items):
        return [item async for item in items]

    try:
        made = function(*args, **kwargs)
    except TypeError as error:
        return "refused", str(error)
    if inspect.isasyncgen(made):
        return asyncio.run(collect(made))
    if inspect.iscoroutine(made):
        return asyncio.run(made)
    return list(made) if inspect.isgenerator(made) else made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_answers_every_question_alike(kind):
    """What kind of function it is, its signature, names, defaults and documentation; and what is inside is found."""
    traced = TRACED[kind]

    assert [ask(traced) for ask in QUESTIONS] == [ask(kind) for ask in QUESTIONS]
    assert inspect.signature(traced) == inspect.signature(kind)
    assert (traced.__name__, traced.__qualname__, traced.__module__) == (kind.__name__, kind.__qualname__, __name__)
    assert (traced.__doc__, traced.__wrapped__) == (kind.__doc__, kind)
    if kind is not plain:
        assert (traced.__defaults__, traced.__kwdefaults__) == (kind.__defaults__, kind.__kwdefaults__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(
    args=st.lists(st.integers(0, 9), max_size=4),
    kwargs=st.dictionaries(st.sampled_from([*"abcdef", "made", "spanglass", "args"]), st.integers(0, 9), max_size=4),
)
def test_calls_have_the_same_outcome(kind, args, kwargs):
    """The same values come out, and wrong arguments are refused at the call, in the same words."""
    assert outcome(TRACED[kind], args, kwargs) == outcome(kind, args, kwargs)


def test_a_generator_based_coroutine_is_awaited(sent):
    """What `types.coroutine` made of a generator function stays awaitable, and its span has what runs inside."""

    @trace("ticks")
    @types.coroutine
    def ticks(times):
        for _ in range(times):
            yield
        return "done"

    async def use():
        with span("use"):
            return await ticks(2)

    assert asyncio.run(use()) == "done"
    assert [each.name for each in sent.spans] == ["ticks", "use"]
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        ticks()


@pytest.mark.usefixtures("no_garbage")
def test_a_coroutine_that_nobody_awaits_is_told_once():
    """Python's own warning comes once, and names the application's function."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        TRACED[coroutine](1, 2, c=3)
        gc.collect()

    assert [str(each.message) for each in told] == ["coroutine 'coroutine' was never awaited"]


class Desk:
    """Has methods of all kinds."""

    def __init__(self, name):
        self.name = name

    @trace
    async def take(self, order):
        """Take an order."""
        return self.name, order

    @trace
    @classmethod
    def all(cls, count):
        """Give some."""
        yield from range(count)

    @trace
    @staticmethod
    async def ring(times):
        """Give tones."""
        for number in range(times):
            yield number

    def close(self, at):
        """Close."""
        yield self.name, at


def test_methods_are_bound_and_refuse_alike(sent):
    """Methods, class methods, static methods and bound methods, each of the kind that it was."""
    desk = Desk("a")
    closing = trace(desk.close)

    found = [outcome(desk.take, [1], {}), outcome(Desk.all, [2], {}), outcome(desk.ring, [2], {})]

    assert found == [("a", 1), [0, 1], [0, 1]]
    assert outcome(closing, [5], {}) == [("a", 5)]
    assert [outcome(each, [], {})[0] for each in (desk.take, Desk.all, Desk.ring, closing)] == ["refused"] * 4
    assert inspect.isgeneratorfunction(closing)
    assert [each.name for each in sent.spans] == ["Desk.take", "Desk.all", "Desk.ring", "Desk.close"]


def test_a_partial_stays_one(sent):
    """It has its parts, is of its function's kind, and refuses wrong arguments at the call."""
    made = trace(functools.partial(generator, 1, c=3))

    assert isinstance(made, functools.partial)
    assert (made.args, made.keywords) == ((1,), {"c": 3})
    assert inspect.isgeneratorfunction(made)
    assert outcome(made, [2], {}) == [(1, 2, (), 3, 4, {})]
    assert outcome(made, [], {})[0] == "refused"
    assert sent.span.name == "generator"


class Till:
    """Is called, and has more to it."""

    opened = 7

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, amount):
        """Answer."""
        return self.kind, amount

    def reset(self):
        """Answer."""
        return "reset"


class AsyncTill(Till):
    """Is called and awaited."""

    async def __call__(self, amount):
        """Answer later."""
        with span("inside"):
            await asyncio.sleep(0)
        return self.kind, amount


def test_an_object_keeps_all_that_it_has(sent):
    """Attributes, methods, class and copies of a callable object; its calls are traced to their end."""
    till, waiting = trace("till")(Till("a")), trace("waiting")(AsyncTill("b"))
    till.opened = 8

    assert (till(3), asyncio.run(waiting(4))) == (("a", 3), ("b", 4))
    assert isinstance(till, Till)
    assert (till.opened, till.reset(), till.__wrapped__.opened) == (8, "reset", 8)
    assert str(inspect.signature(till)) == "(amount)"
    assert [inspect.iscoroutinefunction(each.__call__) for each in (till, waiting)] == [False, True]
    assert [inspect.isroutine(each) or inspect.isfunction(each) for each in (till, waiting)] == [False, False]
    assert [copy.copy(till).kind, copy.deepcopy(till).kind, pickle.loads(pickle.dumps(till)).kind] == ["a"] * 3  # noqa: S301
    assert [each.name for each in sent.spans] == ["till", "inside", "waiting"]
    assert sent.spans[1].parent.span_id == sent.spans[2].context.span_id


def test_fastapi_takes_what_is_traced_for_what_it_is(sent):
    """Dependencies that yield, callable objects that are awaited, and endpoints of both kinds work as without us."""
    closed = []

    @trace("session")
    async def session(page: int = 1):
        yield page
        closed.append("session")

    @trace("connection")
    def connection():
        yield "connection"
        closed.append("connection")

    class Till:
        async def __call__(self, amount: float):
            return amount

    app = FastAPI()

    async def ask():
        async with AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client:
            return (await client.get("/?amount=2.5&page=3")).json()

    @app.get("/")
    @trace("endpoint")
    async def endpoint(
        found: Annotated[int, Depends(session)],
        opened: Annotated[str, Depends(connection)],
        paid: Annotated[float, Depends(trace("till")(Till()))],
    ):
        return [found, opened, paid]

    assert asyncio.run(ask()) == [3, "connection", 2.5]
    assert sorted(closed) == ["connection", "session"]
    names = ["connection", "endpoint", "session", "till"]  # FastAPI makes spans of its own
    assert sorted(each.name for each in sent.spans if each.name in names) == names


@trace("square")
@functools.lru_cache
def square(number):
    """Return the square."""
    return number * number


class Squares:
    """Has a cached method."""

    square = trace("method")(functools.cache(lambda _, number: number * number))


def test_a_cached_function_keeps_its_cache(sent):
    """The methods of functools are there, pickles go by its name, and it is bound as a method."""
    assert [square(3), square(3), Squares().square(4)] == [9, 9, 16]
    assert (square.cache_info().hits, square.cache_info().misses) == (1, 1)
    assert pickle.loads(pickle.dumps(square)) is square  # noqa: S301 - our own
    square.cache_clear()
    assert square.cache_info().misses == 0
    assert [each.name for each in sent.spans] == ["square", "square", "method"]


class Panic(BaseException):
    """What an extension in Rust raises when it panics."""


class NoText(Exception):  # noqa: N818 - a name
    """Gives no text."""

    def __str__(self):
        raise RuntimeError("no text")


FAILURES = [Panic("p"), SystemExit(3), SystemExit("bad"), NoText(), BaseExceptionGroup("g", [Panic(), GeneratorExit()])]
NONE = [KeyboardInterrupt(), GeneratorExit(), SystemExit(0), SystemExit(), asyncio.CancelledError()]


def by_generator(error):
    """Raise it from a traced generator."""
    yield
    raise error


async def by_coroutine(error):
    """Raise it from a traced coroutine."""
    raise error


async def by_async_generator(error):
    """Raise it from a traced asynchronous generator."""
    yield
    raise error


async def consume(items):
    """Run to the end."""
    async for _ in items:
        pass


def stepped(awaitable):
    """Run a coroutine that waits for nothing, without a loop that would treat its exception."""
    awaitable.send(None)


def in_block(error):
    """Raise it in a block."""
    with span("s"):
        raise error


def in_operation(error):
    """Raise it in an operation."""
    with track_operation("o"):
        raise error


WAYS = {
    "span": in_block,
    "generator": lambda error: list(trace(by_generator)(error)),
    "track_operation": in_operation,
    "coroutine": lambda error: stepped(trace(by_coroutine)(error)),
    "asynchronous generator": lambda error: stepped(consume(trace(by_async_generator)(error))),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whatever_fails_is_an_error_and_control_flow_is_none(sent, way, capfd, caplog):
    """What is no Exception, and what gives no text, fails a span; ends of processes, tasks and generators do not."""
    for error in [*FAILURES, *NONE]:
        with pytest.raises(type(error)):
            way(error)

    status = [each.status.status_code for each in sent.spans]
    assert status == [StatusCode.ERROR] * len(FAILURES) + [StatusCode.UNSET] * len(NONE)
    assert [each.attributes["error.type"] for each in sent.spans[:3]] == [
        f"{__name__}.Panic",
        "SystemExit",
        "SystemExit",
    ]
    assert sent.spans[3].status.description == "NoText: <NoText: RuntimeError in its __str__>"
    assert [len(each.events) for each in sent.spans] == [1] * len(FAILURES) + [0] * len(NONE)
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
