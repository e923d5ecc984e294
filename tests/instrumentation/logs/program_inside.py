"""Looks at logging, tasks and exceptions from inside, and prints what it sees as JSON; with us if it is told so."""

import asyncio
import contextlib
import inspect
import io
import json
import logging
import multiprocessing
import os
import pickle
import sys
import traceback

if sys.argv[1] == "with":
    import spanglass

    spanglass.configure(endpoint=sys.argv[2], service_name="shop")

from loguru import logger


class Intercept(logging.Handler):
    """loguru's recipe of today."""

    def emit(self, record):
        """Pass it on as its caller's."""
        frame, depth = inspect.currentframe(), 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame = frame.f_back
            depth += 1
        logger.opt(depth=depth, exception=record.exc_info).log(record.levelname, record.getMessage())


class OldIntercept(logging.Handler):
    """loguru's recipe of before; from Python 3.11 on it is wrong by itself."""

    def emit(self, record):
        """Pass it on as its caller's."""
        frame, depth = logging.currentframe(), 2
        while frame.f_code.co_filename == logging.__file__:
            frame = frame.f_back
            depth += 1
        logger.opt(depth=depth, exception=record.exc_info).log(record.levelname, record.getMessage())


class Looking(logging.Handler):
    """Looks at the stack, in ways that applications have."""

    def __init__(self):
        """Nothing seen yet."""
        super().__init__()
        self.seen = []

    def emit(self, record):
        """Look."""
        names = [f"{frame.name}:{frame.filename}" for frame in traceback.extract_stack()]
        self.seen += [names, sys._getframe(5).f_code.co_name, logging.getLogger().findCaller(stacklevel=1)[2]]
        self.seen += [record.funcName, record.lineno]


class Failing(logging.Handler):
    """Fails."""

    def emit(self, record):
        """Fail."""
        raise RuntimeError(record.msg)


class OwnCaller(logging.Logger):
    """Says itself who calls."""

    def findCaller(self, *_args, **_kwargs):  # noqa: N802 - stdlib's name
        """Say it."""
        return "own.py", 7, "own", None


class OwnHandling(logging.Logger):
    """Overrides what we look at."""

    def callHandlers(self, record):  # noqa: N802 - stdlib's name
        """Pass on."""
        super().callHandlers(record)


def shop(*handlers):
    """Return a logger with these handlers only."""
    made = logging.getLogger("shop")
    made.handlers[:], made.propagate = handlers, False
    made.setLevel(1)
    return made


def charge(log, **options):
    """Log something."""
    log.warning("charged", **options)


def forwarded():
    """Return what loguru prints of stdlib's records by its recipes, and of its own; and what it writes as JSON."""
    lines = []
    logger.remove()
    logger.add(lambda text: lines.append(str(text)), format="{name}:{function}:{line} {extra} {message}")
    charge(shop(Intercept()))
    charge(shop(OldIntercept()))
    charge(shop(Intercept()), stacklevel=2)
    charge(logger)
    charge(logger.bind(order=1))
    logger.remove()
    logger.add(lambda text: lines.append(json.loads(text)["record"]["extra"]), serialize=True)
    logger.add(lambda text: lines.append(str(pickle.loads(pickle.dumps(text)).record["extra"])))  # noqa: S301 - our own
    charge(logger.bind(order=1))
    return lines


def failing_sink():
    """Return the frames of what a sink raises."""
    logger.remove()
    logger.add(lambda _: 1 / 0, catch=False)
    try:
        charge(logger)
    except ZeroDivisionError as error:
        return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def stacks():
    """Return the stack as a handler sees it, also through loggers with methods of their own."""
    looking, filtered = Looking(), []
    log = shop(looking)

    def keep(_):
        filtered.append([frame.name for frame in traceback.extract_stack()])
        return True

    log.addFilter(keep)
    charge(log)
    charge(log, stacklevel=2)
    log.removeFilter(keep)
    own = OwnCaller("own")
    own.addHandler(looking)
    charge(own)
    return [*looking.seen, *filtered]


def overridden():
    """Return what a logger that overrides callHandlers writes."""
    stream = io.StringIO()
    log = OwnHandling("sub")
    log.addHandler(logging.StreamHandler(stream))
    charge(log)
    return stream.getvalue()


def errors_of_handlers():
    """Return what logging prints of a message that can't be made, and the traceback of a handler that fails."""
    with contextlib.redirect_stderr(io.StringIO()) as text:
        shop(logging.StreamHandler(io.StringIO())).warning("%d", "x")
    try:
        charge(shop(Failing()))
    except RuntimeError:
        return [text.getvalue(), traceback.format_exc()]


async def work():
    """Say what this task is called."""
    task = asyncio.current_task()
    return [task.get_name(), task.get_coro().__name__, repr(task.get_coro()).partition(" at ")[0]]


async def tasks():
    """Return how tasks are called, however they are made."""
    async with asyncio.TaskGroup() as group:
        mine = group.create_task(work(), name="mine")
    return [await work(), await asyncio.create_task(work()), *await asyncio.gather(work(), work()), mine.result()]


class OwnError(Exception):
    """The application's."""


def exceptions():
    """Return what exceptions hold after they were told."""
    found = []
    for error in (KeyError("k"), OwnError("o"), ExceptionGroup("g", [ValueError("v")])):
        error.code = 7
        shop(logging.NullHandler()).error("told", exc_info=error)
        pickled = pickle.dumps(error)
        found += [str(vars(error)), str(dir(error)), str(error.__reduce__()), b"spanglass" in pickled]
        found.append(str(pickle.loads(pickled).__reduce__()))  # noqa: S301 - our own
    return found


def children():
    """Return the exit codes of children, of fork and of multiprocessing."""
    pid = os.fork()
    if not pid:
        charge(shop(logging.NullHandler()))
        sys.exit(0)
    made = multiprocessing.get_context("fork").Process(target=charge, args=(shop(logging.NullHandler()),))
    made.start()
    made.join()
    return [os.waitpid(pid, 0)[1], made.exitcode]


def everything():
    """Return the names of the loggers that write to the root logger at DEBUG, while telemetry is sent."""
    stream = io.StringIO()
    logging.basicConfig(level=logging.DEBUG, stream=stream, format="%(name)s", force=True)
    charge(logging.getLogger("app"))
    if sys.argv[1] == "with":
        with spanglass.span("work"):
            charge(logging.getLogger("app"))
        spanglass.force_flush()
    else:
        charge(logging.getLogger("app"))
    return stream.getvalue().split()


PARTS = (forwarded, failing_sink, stacks, overridden, errors_of_handlers, exceptions, children, everything)
sys.stdout.write(json.dumps({part.__name__: part() for part in PARTS} | {"tasks": asyncio.run(tasks())}))
