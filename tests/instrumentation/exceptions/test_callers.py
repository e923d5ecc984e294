import asyncio
import sqlite3
import threading

import httpx
import pytest
import requests
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor

from spanglass.exceptions.telling import capture_exception
from spanglass_core.stacks import python

TEXT = "exception.stacktrace"

#: A library that tells what it fails with, or keeps it.
LIBRARY = """
import asyncio

class LibraryError(Exception):
    pass

def call(tracer, depth=0):
    if depth:
        return call(tracer, depth - 1)
    with tracer.start_as_current_span("call"):
        _fail()

def ask(callback):
    callback()

def deep(tracer, depth):
    with tracer.start_as_current_span("call"):
        _recurse(depth)

def _recurse(depth, callback=None):
    if depth:
        _recurse(depth - 1, callback)
    elif callback:
        callback()
    else:
        _fail()

def around(tracer, callback):
    with tracer.start_as_current_span("call"):
        _recurse(60, lambda: _recurse(60, callback))

async def call_later(tracer):
    await asyncio.sleep(0)
    with tracer.start_as_current_span("call"):
        _fail()

def produce(tracer):
    with tracer.start_as_current_span("call"):
        yield 1
        _fail()

def produce_late(record):
    try:
        _fail()
    except LibraryError as error:
        kept = error
    yield 1
    record(kept)
    yield 2

def keep():
    try:
        _fail()
    except LibraryError as error:
        return error

def call_because(tracer):
    with tracer.start_as_current_span("call"):
        raise LibraryError("twice") from keep()

def log_with(log):
    try:
        _fail()
    except LibraryError as error:
        log(error)

def _fail():
    raise LibraryError("refused")
"""


@pytest.fixture(scope="module")
def library():
    """The library's names; its file is that of an installed package."""
    names = {"__name__": "library"}
    exec(compile(LIBRARY, "/venv/lib/python3/site-packages/library.py", "exec"), names)  # noqa: S102 - a file that is not there
    return names


@pytest.fixture
def closed_url():
    """A URL where nobody listens."""
    return "http://127.0.0.1:1/"


@pytest.fixture
def instrumented(sent):
    """What instruments a library for one test."""
    made = []

    def instrument(instrumentor):
        instrumentor.instrument(tracer_provider=sent.provider)
        made.append(instrumentor)

    yield instrument
    for each in made:
        each.uninstrument()


@pytest.fixture
def functions(sent, chain_of):
    """Return the names of the functions of the application, and of all, that the only event of a span tells."""

    def told(name="call"):
        (event,) = sent.events(name)
        frames = chain_of(event)[0]["frames"]
        own = [frame["function"].rpartition(".")[2] for frame in frames if frame.get("in_app")]
        return own, [frame["function"].rpartition(".")[2] for frame in frames if "function" in frame]

    return told


def test_a_call_of_httpx_has_the_applications_frames(sent, instrumented, chain_of, closed_url):
    """The span of a call that finds no server tells who made it: source and variables too, and each frame once."""
    instrumented(HTTPXClientInstrumentor())

    def order(number):
        with httpx.Client() as client:
            client.post(closed_url, json=number)

    with pytest.raises(httpx.ConnectError):
        order(7)

    (event,) = sent.events("POST")
    frames = chain_of(event)[0]["frames"]
    innermost = [frame for frame in frames if frame["in_app"]][-1]
    line = order.__code__.co_firstlineno + 2
    expected = {"line": line, "column": 13, "source": "            client.post(closed_url, json=number)"}
    assert innermost["function"].endswith("order")
    assert {**innermost, **expected} == innermost
    assert innermost["locals"]["number"] == "7"
    assert innermost["before"]
    inside = frames[frames.index(innermost) + 1 :]
    assert {frame["module"].partition(".")[0] for frame in inside} <= {"httpx", "httpcore", "contextlib"}
    places = [(frame["path"], frame["line"]) for frame in inside]
    assert len(places) == len(set(places))


def test_a_call_of_an_async_httpx_client_has_the_applications_frames(instrumented, functions, closed_url):
    """Coroutines that await the call are told, up to the one that the event loop runs."""
    instrumented(HTTPXClientInstrumentor())

    async def order():
        async with httpx.AsyncClient() as client:
            await client.get(closed_url)

    async def serve():
        await asyncio.create_task(handle())

    async def handle():
        await order()

    with pytest.raises(httpx.ConnectError):
        asyncio.run(serve())

    assert functions("GET")[0] == ["handle", "order"]


def test_calls_of_requests_and_sqlite3_have_the_applications_frames(instrumented, functions, closed_url):
    """So it is for a library with another way to fail, and for one written in C, which has no frames at all."""
    instrumented(RequestsInstrumentor())
    instrumented(SQLite3Instrumentor())

    def order():
        requests.get(closed_url, timeout=5)

    def query():
        sqlite3.connect(":memory:").cursor().execute("SELECT nothing FROM nowhere")

    with pytest.raises(requests.ConnectionError):
        order()
    with pytest.raises(sqlite3.OperationalError):
        query()

    assert functions("GET")[0][-1] == "order"
    assert functions("SELECT")[0][-1] == "query"
    assert "execute" not in functions("SELECT")[1]  # of telemetry, which only passes the call on


def test_the_text_is_read_as_one_traceback(sent, library, chain_of):
    """The server's reader finds in the text the frames that the structure has, and whose they are."""

    def order():
        with pytest.raises(library["LibraryError"]):
            library["call"](sent.tracer)

    run_in_thread(order)

    (event,) = sent.events("call")
    (read,) = python.read(event[TEXT], "", "")
    (entry,) = chain_of(event)
    assert [(frame.file, frame.line, frame.in_app) for frame in read.frames] == [
        (frame["path"], frame["line"], frame["in_app"]) for frame in entry["frames"]
    ]
    assert [frame.function for frame in read.frames[-3:]] == ["order", "call", "_fail"]
    assert [frame.in_app for frame in read.frames[-3:]] == [True, False, False]
    assert event[TEXT].endswith("library.LibraryError: refused\n")


def test_five_frames_of_the_application_are_enough(sent, library, functions):
    """Of a recursion that calls the library only the innermost frames are told."""

    def recurse(depth):
        if depth:
            recurse(depth - 1)
        else:
            library["call"](sent.tracer)

    with pytest.raises(library["LibraryError"]):
        recurse(20)

    assert functions()[1] == ["recurse"] * 5 + ["call", "_fail"]


@pytest.mark.parametrize(("depth", "own"), [(20, 1), (100, 0)])
def test_callers_far_away_are_not_looked_for(sent, library, functions, depth, own):
    """Sixty callers are looked at; where none is the application's, none is told, not even a library's."""

    def thread():
        with pytest.raises(library["LibraryError"]):
            library["call"](sent.tracer, depth)

    run_in_thread(thread)

    assert functions()[0] == ["thread"] * own
    assert len(functions()[1]) == (depth + 3 if own else 2)


def test_what_has_a_frame_of_the_application_is_told_as_before(sent, functions):
    """A traceback that begins in the application is not made longer."""

    def order():
        with sent.tracer.start_as_current_span("call"):
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        order()

    assert functions() == (["order"], ["order"])


def test_a_frame_of_the_application_among_those_left_out_counts(sent, library, functions):
    """A traceback so long that its middle is not told may have the application there: it is told as before."""

    def callback():
        library["_recurse"](60)

    with pytest.raises(library["LibraryError"]):
        library["around"](sent.tracer, callback)

    assert functions()[0] == []
    assert functions()[1][0] == "around"


def test_a_long_traceback_of_a_library_has_its_callers(sent, library, functions):
    """A library that recurses far is told with its ends, and with who called it."""

    def order():
        library["deep"](sent.tracer, 300)

    with pytest.raises(library["LibraryError"]):
        order()

    assert functions()[0][-1] == "order"


def test_other_exceptions_of_the_chain_are_told_as_before(sent, library, chain_of):
    """Only what was caught has callers: its cause happened inside of that."""
    with pytest.raises(library["LibraryError"]):
        library["call_because"](sent.tracer)

    (event,) = sent.events("call")
    caught, cause = ([frame["function"] for frame in entry["frames"]] for entry in chain_of(event))
    assert caught[-2:] == ["test_other_exceptions_of_the_chain_are_told_as_before", "call_because"]
    assert cause == ["keep", "_fail"]


def test_an_exception_that_was_kept_has_no_callers(sent, library, functions):
    """Who tells an exception later than it was raised did not call what failed."""
    error = library["keep"]()

    with sent.tracer.start_as_current_span("call"):
        capture_exception(error)

    assert functions() == ([], ["keep", "_fail"])
    assert sent.logs[0].attributes["code.function.name"] == "library._fail"


def test_an_exception_of_another_thread_has_no_callers(sent, library, functions):
    """What a thread fails with is told by another one: its callers are not those of the first."""
    found = []
    run_in_thread(lambda: library["ask"](lambda: found.append(library["keep"]())))

    with sent.tracer.start_as_current_span("call"):
        capture_exception(found[0])

    assert functions()[0] == []


def test_a_thread_that_still_runs_is_not_this_one(sent, library, functions):
    """A traceback whose outermost frame runs, but in another thread, is told as it is."""
    kept, go_on = [], threading.Event()
    ready = threading.Event()

    def record(error):
        kept.append(error)
        ready.set()
        go_on.wait(30)

    def work():
        for _ in library["produce_late"](record):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(30)
    with sent.tracer.start_as_current_span("call"):
        capture_exception(kept[0])
    go_on.set()
    thread.join()

    assert functions() == ([], ["produce_late", "_fail"])


def test_a_generator_is_called_by_who_resumed_it(sent, library, functions):
    """What a generator fails with is told with who asked it for its next value, not with who made it."""

    def make():
        made = library["produce"](sent.tracer)
        next(made)
        return made

    def resume(made):
        next(made)

    with pytest.raises(library["LibraryError"]):
        resume(make())

    assert functions()[0][-1] == "resume"
    assert "make" not in functions()[1]


def test_a_generator_that_tells_later_has_no_callers(sent, library, functions):
    """A generator may have been resumed by somebody else since it failed."""
    made = library["produce_late"](capture_exception)
    with sent.tracer.start_as_current_span("call"):
        next(made)
        next(made)

    assert functions() == ([], ["produce_late", "_fail"])


def test_what_started_the_event_loop_made_no_call(sent, library, functions):
    """A task that runs nothing but a library's coroutine is told as it is: the loop's own callers made no call."""

    async def serve():
        await asyncio.gather(library["call_later"](sent.tracer))

    with pytest.raises(library["LibraryError"]):
        asyncio.run(serve())

    assert functions() == ([], ["call_later", "_fail"])


def test_a_log_record_of_a_library_has_callers(sent, library):
    """A library that logs what it fails with, in its handler, names the line of the application that called it."""

    def order():
        library["log_with"](capture_exception)

    order()

    (record,) = sent.logs
    assert record.attributes["code.function.name"].endswith("order")
    assert "in order\n" in record.attributes[TEXT]


def test_exceptions_without_a_traceback_have_no_callers(sent, functions):
    """What was never raised passed through nothing."""
    with sent.tracer.start_as_current_span("call"):
        capture_exception(ValueError("made"))

    assert functions() == ([], [])


def run_in_thread(work):
    """Run a function in a thread of its own, where nothing but it is the application's."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
