"""Which exceptions columns of spans and log records tell of."""

from __future__ import annotations

import pyarrow as pa

from spanglass_server.issues.occurrences.told import exception_columns, told
from spanglass_server.signals import Signal

STRINGS = pa.list_(pa.string())


def spans(**columns):
    """Return a table of two spans, the second with two events."""
    return pa.table(
        {
            "trace_id": pa.array([b"t" * 16, b"u" * 16], pa.binary()),
            "span_id": pa.array([b"a" * 8, b"b" * 8], pa.binary()),
            "parent_span_id": pa.array([None, b"c" * 8], pa.binary()),
            "start_time_ns": pa.array([100, 200], pa.int64()),
            "event_time_ns": pa.array([None, [210, 220]], pa.list_(pa.int64())),
            "event_name": pa.array([None, ["retry", "exception"]], STRINGS),
            **columns,
        }
    )


def test_an_event_that_has_a_type_message_or_stack_tells_of_an_exception():
    """Other events do not; the exception has the ids, times and attributes of its span and resource."""
    table = spans(
        **{
            "event.exception.type:str": pa.array([None, [None, "KeyError"]], STRINGS),
            "event.exception.message:str": pa.array([None, [None, "'tea'"]], STRINGS),
            "event.spanglass.exception.handled:bool": pa.array([None, [None, True]], pa.list_(pa.bool_())),
            "resource.service.name:str": pa.array([None, "shop"]).dictionary_encode(),
            "resource.service.version:str": pa.array([None, "2.14.0"]),
            "span.enduser.id:int": pa.array([None, 17], pa.int64()),
            "span.tenant:str": pa.array(["x", "acme"]),
        }
    )
    [one] = told(Signal.SPANS, table, ["tenant", "absent"])
    assert (one.type, one.message, one.stacktrace) == ("KeyError", "'tea'", "")
    assert (one.service, one.release, one.environment, one.user) == ("shop", "2.14.0", "", "17")
    assert (one.trace_id, one.span_id, one.parent_span_id) == (b"u" * 16, b"b" * 8, b"c" * 8)
    assert (one.record_time_ns, one.time_ns, one.event_index) == (200, 220, 1)
    assert one.handled is True
    assert one.attributes == {"tenant": "acme"}


def test_a_log_record_tells_of_an_exception():
    """Its attributes are read; a list of texts as message, as Rust sends it, is text; a fingerprint is a list."""
    table = pa.table(
        {
            "time_ns": pa.array([5, 6], pa.int64()),
            "arrival_order": pa.array([1, 2], pa.int64()),
            "trace_id": pa.array([None, None], pa.binary()),
            "span_id": pa.array([None, None], pa.binary()),
            "log.exception.message:json": pa.array([None, '["a", "b"]']),
            "log.exception.stacktrace:str": pa.array([None, "[x]"]),
            "log.spanglass.exception.fingerprint:json": pa.array([None, '["no price", "tea"]']),
        }
    )
    [one] = told(Signal.LOGS, table)
    assert (one.message, one.stacktrace, one.fingerprint) == ("a\nb", "[x]", ("no price", "tea"))
    assert (one.service, one.event_index, one.record_order, one.handled) == ("unknown_service", None, 2, None)


def test_tables_without_exceptions_cost_nothing():
    """Neither rows without such attributes, nor columns of nulls, nor metrics tell of any."""
    empty = pa.array([None, [None, None]], STRINGS)
    assert list(told(Signal.SPANS, spans())) == []
    assert list(told(Signal.SPANS, spans(**{"event.exception.type:str": empty}))) == []
    assert list(told(Signal.METRICS, pa.table({"time_ns": [1]}))) == []


def test_slices_and_chunks_are_read_like_whole_tables():
    """Where the values of a list begin within its array makes no difference."""
    column = pa.array([["x"], [None, "KeyError"]], STRINGS)
    table = spans(**{"event.exception.type:str": column})
    whole = [(one.type, one.event_index, one.span_id) for one in told(Signal.SPANS, table)]
    parts = pa.concat_tables([table.slice(0, 1), table.slice(1, 1)])
    assert [(one.type, one.event_index, one.span_id) for one in told(Signal.SPANS, parts)] == whole
    assert [one.type for one in told(Signal.SPANS, table.slice(1))] == ["KeyError"]


def test_only_columns_that_are_read_are_named():
    """What is read from a file is what ``told`` looks at, and what rules ask for."""
    columns = ["name", "event.exception.type:str", "span.tea:str", "span.user.id:str"]
    assert exception_columns(columns) == ["event.exception.type:str", "span.user.id:str"]
    assert exception_columns(columns, ["tea"]) == columns[1:]


def test_what_overflowed_is_read_like_columns():
    """Of events, log records, resources; a value of a column stays, and other rows keep theirs."""
    lists = {
        "overflow_name": pa.array(
            [None, ["event.exception.type:str", "resource.service.name:str", "event.other:int"]], STRINGS
        ),
        "overflow_value": pa.array([None, ["KeyError", "shop", "1"]], STRINGS),
        "overflow_index": pa.array([None, [1, None, 0]], pa.list_(pa.int32())),
    }
    table = spans(**lists, **{"event.exception.message:str": pa.array([["lost"], [None, "no tea"]], STRINGS)})
    found = [(one.type, one.message, one.service, one.event_index) for one in told(Signal.SPANS, table)]
    assert found == [("", "lost", "unknown_service", 0), ("KeyError", "no tea", "shop", 1)]
    parts = pa.concat_tables([table.slice(0, 1), table.slice(1, 1)])
    assert [(one.type, one.message, one.service, one.event_index) for one in told(Signal.SPANS, parts)] == found
    assert exception_columns(["overflow_name", "name"]) == ["overflow_name"]
