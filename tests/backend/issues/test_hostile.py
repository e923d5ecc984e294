"""Exceptions as nobody should send them, each counted once."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from errors import STACK, exception, log_request, occurrences, span_request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.ingest.ports import IngestError
from spanglass_server.issues.occurrences.deriving import Deriver
from spanglass_server.issues.occurrences.releases_seen import ReleasesSeen
from spanglass_server.issues.occurrences.sightings import Sightings
from spanglass_server.issues.sqlite_store import SqliteIssueStore
from spanglass_server.signals import Signal

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from nodes import open_node

TOLD = exception()
VALUES = [
    True,
    ["KeyError", "no tea"],
    "",
    "\0",
    "a\0b",
    "\x1b[31mred",
    "\U0001d4b3" * 70_000,
    "\u2028",
    "[" * 5000,
    b"no tea",
    b"\xff\0",
]
FRAME = '  File "/srv/shop/stock.py", line {line}, in {function}\n    return {function}()\n'


def deep_python(frames):
    """Return a stack of functions that call each other, which Python does not shorten."""
    lines = (FRAME.format(line=number, function=f"walk_{number % 3}") for number in range(frames))
    return "".join(["Traceback (most recent call last):\n", *lines, "RecursionError: too deep\n"])


def deep_java(frames):
    """Return the stack of an overflow, innermost first."""
    lines = "".join(f"\tat com.shop.Stock.walk{number % 3}(Stock.java:{number})\n" for number in range(frames))
    return f"java.lang.StackOverflowError\n{lines}"


def causes_in_a_circle(times):
    """Return a stack whose causes come again and again."""
    first = STACK.format(module="stock", line=1, function="take", type="KeyError", message="tea")
    second = STACK.format(module="cart", line=2, function="add", type="ValueError", message="cart")
    link = "\nThe above exception was the direct cause of the following exception:\n\n"
    return link.join([first, second] * times)


def nested_groups(depth):
    """Return the stack of a group in a group in a group."""
    lines = ["  + Exception Group Traceback (most recent call last):\n"]
    for level in range(depth):
        margin = "  " * level
        lines += [
            f'{margin}  | File "/srv/shop/stock.py", line {level}, in take\n',
            f"{margin}  | ExceptionGroup: all failed (1 sub-exception)\n",
            f"{margin}  +-+---------------- 1 ----------------\n",
        ]
    return "".join(lines)


STACKS = {
    "10 000 frames of Python": deep_python(10_000),
    "10 000 frames of Java": deep_java(10_000),
    "1 MB of Python": deep_python(13_000),
    "1 MB of Java": deep_java(26_000),
    "1 MB in one line": "x" * 1_000_000,
    "1 MB of lines": "\n" * 1_000_000,
    "1 MB of spaces": (" " * 1000 + "\n") * 1000,
    "a circle": causes_in_a_circle(2000),
    "groups": nested_groups(300),
    "suppressed": "java.lang.Error: a\n" + "\tSuppressed: java.lang.Error: b\n\t\t... 3 more\n" * 20_000,
}


@pytest.fixture
def node(tmp_path):
    """Open a node."""
    with open_node(tmp_path) as opened:
        yield opened


def titles(node):
    """Return the titles of all issues."""
    node.real.errors.tracker.observe()
    return [issue.title for issue in node.real.errors.issues.snapshot().issues.values()]


def counted(node):
    """Return every occurrence, in the order of traces; they are the same when they are read from files."""
    before = sorted(occurrences(node.real), key=lambda row: row["trace_id"])
    node.real._generations.seal()
    node.real._flushing.wait_for_room(1, 60)
    assert sorted(occurrences(node.real), key=lambda row: row["trace_id"]) == before
    return before


def test_any_of_type_message_and_stack_is_enough(node, caplog):
    """An exception of which only some of these are said is one occurrence, told by both signals, in an issue."""
    ways = [left for size in (1, 2, 3) for left in itertools.combinations(TOLD, size)]
    for trace, way in enumerate(ways, 1):
        told = {key: TOLD[key] for key in way}
        node.submit(span_request(told, trace=trace))
        node.submit(log_request(told, trace=trace), signal=Signal.LOGS)
    assert len(counted(node)) == len(ways)
    assert "could not be grouped" not in caplog.text
    assert titles(node)


def test_any_value_may_stand_anywhere(node, caplog):
    """A flag, a list, nothing, control characters or very much in the place of type, message or stack count too."""
    places = list(itertools.product(TOLD, VALUES))
    for trace, (key, value) in enumerate(places, 1):
        told = {**TOLD, key: value}
        node.submit(span_request(told, trace=trace))
        node.submit(log_request(told, trace=trace), signal=Signal.LOGS)
    assert len(counted(node)) == len(places)
    assert "could not be grouped" not in caplog.text
    assert titles(node)


def test_stacks_of_any_size_and_shape_count(node, caplog):
    """Megabytes, ten thousand frames, causes in a circle, groups in groups: each is one occurrence of its own issue."""
    for trace, (name, stack) in enumerate(STACKS.items(), 1):
        told = {"exception.type": f"shop.Error{trace}", "exception.message": name, "exception.stacktrace": stack}
        node.submit(span_request(told, trace=trace))
    assert [row["message"] for row in counted(node)] == list(STACKS)
    assert "could not be grouped" not in caplog.text
    assert len(titles(node)) == len(STACKS)


def test_texts_that_are_no_utf_8_are_refused_and_what_comes_next_counts(node):
    """OTLP's strings are UTF-8: a request with others is refused as a whole, and so is nothing else."""
    [refused] = node.submit(span_request({**TOLD, "exception.type": "QQQQ"}).replace(b"QQQQ", b"\xed\xa0\x80\xff"))
    assert isinstance(refused, IngestError)
    node.submit(span_request({**TOLD, "exception.message": b"\xed\xa0\x80\xff no tea"}))
    assert [row["message"] for row in counted(node)] == ["\ufffd\ufffd\ufffd\ufffd no tea"]


def crowded(told, trace, *, before):
    """Return a request whose event, span and resource have many attributes; those of the exception come last."""
    request = ExportTraceServiceRequest.FromString(
        span_request({}, trace=trace, resource={"service.version": "1.4.0"}, attributes={"enduser.id": f"u{trace}"})
    )
    around = request.resource_spans[0]
    span = around.scope_spans[0].spans[0]
    span.events.add(name="retry", time_unix_nano=1)
    for owner in (around.resource, span, span.events[0]):
        known = {one.key: one.value.string_value for one in owner.attributes}
        del owner.attributes[:]
        for number in range(before):
            owner.attributes.add(key=f"more.{number}").value.string_value = "x"
        for key, value in (known if owner is not span.events[0] else told).items():
            owner.attributes.add(key=key).value.string_value = value
    if "spanglass.exception.handled" in told:
        span.events[0].attributes[-1].value.bool_value = True
    return request.SerializeToString()


@pytest.mark.parametrize("limits", [{}, {"max_columns": 20}], ids=["max_attributes", "max_columns"])
def test_exceptions_past_the_limits_of_attributes_count(tmp_path, limits):
    """What overflowed is read like what has a column: exception, service, release and user, of any event."""
    told = {**TOLD, "spanglass.exception.handled": "true"}
    with open_node(tmp_path, **limits) as node:
        node.submit(span_request(TOLD, trace=1), crowded(told, 2, before=300), crowded(told, 3, before=300))
        rows = counted(node)
        assert [(row["type"], row["message"]) for row in rows] == [("KeyError", "no tea")] * 3
        assert [(row["service_name"], row["release"]) for row in rows] == [("shop", None), *[("shop", "1.4.0")] * 2]
        assert len({row["issue_key"] for row in rows}) == 1
        node.real.errors.regrouping.ask()
        node.real.errors.regrouping.step()
        assert counted(node) == rows


def test_messages_that_are_never_the_same_become_a_bounded_number_of_issues(tmp_path):
    """Past the bound all others are occurrences of one issue that says so; each is counted, and no more is held."""
    words = ["".join(letters) for letters in itertools.product("abcdefghij", repeat=4)]
    store = SqliteIssueStore(tmp_path / "issues.sqlite", 50)
    sightings = Sightings()
    deriver = Deriver(store.route, sightings, ReleasesSeen())
    derived = 0
    for start in range(0, len(words), 1000):
        part = words[start : start + 1000]
        columns = {
            "time_ns": pa.array(range(start, start + 1000), pa.int64()),
            "trace_id": pa.array([word.encode() * 4 for word in part], pa.binary()),
            "log.exception.type:str": pa.array(["Error"] * 1000),
            "log.exception.message:str": pa.array([f"{word} failed" for word in part]),
            "resource.service.name:str": pa.array(["shop"] * 1000),
        }
        derived += deriver.derive(Signal.LOGS, pa.table(columns)).num_rows
        store.observe(sightings.take(), 1)
    found = store.snapshot().issues.values()
    store.close()
    assert derived == len(words)
    assert len(found) == 51
    assert [issue.id for issue in found if issue.is_overflow] == ["SHOP-OVERFLOW"]
