"""Log search: pages, following, bodies, severities and counts."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.logs.search import count_logs, search_logs
from spanglass_server.store.ports import Window

WINDOW = Window(0, 1_000)
SECOND = 1_000_000_000

#: Records with few times and few values: many share a time, and some are equal in everything.
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "time_ns": st.integers(0, 3),
            "body": st.sampled_from(["a", "b"]),
            "log.n:int": st.sampled_from([None, 1, 2]),
            "resource.service.name:str": st.just("web"),
        }
    ),
    max_size=25,
)


def shown(record):
    """Return what tells a shown record from others, apart from its id."""
    return record["time"], record["body"], record["attributes"].get("n")


def pages(session, sizes, **options):
    """Turn all pages, each of the next size."""
    records, cursor, turn = [], None, 0
    while turn == 0 or cursor:
        page = search_logs(session, WINDOW, limit=sizes[turn % len(sizes)], cursor=cursor, **options)
        records += page["logs"]
        cursor, turn = page["next_cursor"], turn + 1
    return records


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4), descending=st.booleans())
def test_pages_cover_each_record_once(open_tables, records, sizes, descending):
    """Whatever the sizes of pages, and however many records are equal, each is shown once, and in order."""
    found = pages(open_tables(logs=records), sizes, descending=descending)
    assert len({record["id"] for record in found}) == len(found) == len(records)
    everything = search_logs(open_tables(logs=records), WINDOW, limit=100, descending=descending)["logs"]
    assert sorted(map(shown, found), key=repr) == sorted(map(shown, everything), key=repr)
    times = [record["time"] for record in found]
    assert times == sorted(times, reverse=descending)


def arrived(records, first=1):
    """Number records in the order of their arrival."""
    return [record | {"arrival_order": order} for order, record in enumerate(records, first)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_records_of_one_time_are_in_the_order_of_their_arrival(open_tables, records, sizes):
    """Whatever the sizes of pages; and the other direction is exactly the reverse."""
    session = open_tables(logs=arrived(records))
    oldest_first = pages(session, sizes, descending=False)
    expected = sorted(arrived(records), key=lambda record: (record["time_ns"], record["arrival_order"]))
    assert [shown(record)[1:] for record in oldest_first] == [(row["body"], row["log.n:int"]) for row in expected]
    assert pages(session, sizes, descending=True) == oldest_first[::-1]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=RECORDS, later=RECORDS, size=st.integers(1, 5), end_ns=st.integers(1, 5))
def test_following_shows_what_arrives_once(open_tables, before, later, size, end_ns):
    """After an answer comes what it did not show: later times of then, then all that arrives, whatever its time."""
    before, later = arrived(before), arrived(later, first=len(before) + 1)
    first = search_logs(open_tables(logs=before), Window(0, end_ns))
    session, found, cursor = open_tables(logs=before + later), [], first["newest_cursor"]
    while batch := (page := search_logs(session, WINDOW, limit=size, after=cursor))["logs"]:
        found += batch
        cursor = page["newest_cursor"]
    expected = [row for row in before if row["time_ns"] >= end_ns] + later
    assert [shown(record)[1:] for record in found] == [(row["body"], row["log.n:int"]) for row in expected]
    ids = {record["id"] for record in first["logs"] + found}
    assert len(ids) == len(first["logs"]) + len(found) == len(before) + len(later)


def test_following_may_show_the_newest_only(open_tables):
    """Of more records than the limit the newest come, the others are counted, and nothing of them comes later."""
    records = arrived([{"time_ns": 9 - number, "body": str(number)} for number in range(8)])
    records[5]["body"] = "other"
    first = search_logs(open_tables(logs=records[:1]), WINDOW)
    options = {"filter_text": "body != other", "limit": 3, "newest": True}
    session = open_tables(logs=records)
    page = search_logs(session, WINDOW, after=first["newest_cursor"], **options)
    assert ([log["body"] for log in page["logs"]], page["left_out"]) == (["4", "6", "7"], 3)
    after = search_logs(session, WINDOW, after=page["newest_cursor"], **options)
    assert (after["logs"], after["left_out"]) == ([], 0)
    ahead = search_logs(session, Window(0, 4), **options)  # what has later times was not shown
    page = search_logs(session, WINDOW, after=ahead["newest_cursor"], **options)
    assert ([log["body"] for log in page["logs"]], page["left_out"]) == (["2", "3", "4"], 2)
    assert search_logs(session, WINDOW, after=page["newest_cursor"], **options)["logs"] == []


def test_following_goes_past_what_does_not_match(open_tables):
    """An answer without records moves on: what it looked at is not looked at again."""
    session = open_tables(logs=arrived([{"time_ns": 5, "body": "a"}] * 3))
    cursor = search_logs(open_tables(), WINDOW)["newest_cursor"]
    page = search_logs(session, WINDOW, filter_text="body = b", after=cursor)
    assert page["logs"] == []
    assert page["newest_cursor"] != cursor
    assert search_logs(session, WINDOW, after=page["newest_cursor"])["logs"] == []


def test_records_that_arrive_do_not_shift_pages(open_tables):
    """A page after the first is the same when newer records with new attributes have come."""
    rows = [{"time_ns": 5, "body": str(number)} for number in range(9)]
    first = search_logs(open_tables(logs=rows), WINDOW, limit=4)
    new = [{"time_ns": 9, "body": "new", "log.fresh:str": "x"}, {"time_ns": 5, "body": "0", "log.fresh:str": "y"}]
    before = search_logs(open_tables(logs=rows), WINDOW, limit=4, cursor=first["next_cursor"])["logs"]
    after = search_logs(open_tables(logs=rows + new), WINDOW, limit=9, cursor=first["next_cursor"])["logs"]
    assert {record["id"] for record in before} <= {record["id"] for record in after}
    assert not {record["id"] for record in first["logs"]} & {record["id"] for record in after}


def test_records_alike_in_values_are_told_apart(open_tables):
    """Records of one time whose columns hold the same value, or each other's, are not taken for equal."""
    pairs = [(number, number) for number in range(4)] + [(5, 6), (6, 5)]
    rows = [{"time_ns": 5, "log.a:int": first, "log.b:int": second} for first, second in pairs]
    found = pages(open_tables(logs=rows), [1])
    assert sorted((record["attributes"]["a"], record["attributes"]["b"]) for record in found) == sorted(pairs)
    assert {record["id"].rpartition("-")[2] for record in found} == {"1"}


def test_a_record_is_shown_whole(open_tables):
    """Every field of a record has its place in the answer."""
    session = open_tables(
        logs=[
            {
                "time_ns": 5,
                "observed_time_ns": 6,
                "severity_number": 17,
                "severity_text": "ERROR",
                "body": '{"a": [1, {"b": null}]}',
                "body_type": "json",
                "event_name": "order.failed",
                "trace_id": b"\x01" * 16,
                "span_id": b"\x02" * 8,
                "scope_name": "shop",
                "scope_version": "1",
                "resource.service.name:str": "web",
                "resource.process.pid:int": 7,
                "scope.kind:str": "lib",
                "log.big:int": 2**60,
                "log.list:json": "[1.5]",
                "overflow_name": ["log.rare:bool", "resource.far:int"],
                "overflow_value": ["true", "3"],
                "overflow_index": [None, None],
            }
        ]
    )
    (record,) = search_logs(session, WINDOW)["logs"]
    assert record.pop("id")
    assert record == {
        "time": "1970-01-01T00:00:00.000000005Z",
        "observed_time": "1970-01-01T00:00:00.000000006Z",
        "severity": "error",
        "severity_number": 17,
        "severity_text": "ERROR",
        "service": "web",
        "slot": 5,
        "body": {"a": [1, {"b": None}]},
        "event_name": "order.failed",
        "trace_id": "01" * 16,
        "span_id": "02" * 8,
        "attributes": {"big": str(2**60), "list": [1.5], "rare": True},
        "resource": {"service.name": "web", "process.pid": 7, "far": 3},
        "scope": {"name": "shop", "version": "1", "attributes": {"kind": "lib"}},
    }


@pytest.mark.parametrize(
    ("text", "kind", "body"),
    [
        ("hello", None, "hello"),
        ("5", "int", 5),
        ("0.5", "double", 0.5),
        ("true", "bool", True),
        ("00ff", "bytes", {"$bytes": "AP8="}),
        ("[1]", "json", [1]),
        ("", "empty", None),
        (None, None, None),
    ],
)
def test_bodies_have_their_type(open_tables, text, kind, body):
    """A body is read back as what was sent, not as its text."""
    session = open_tables(logs=[{"time_ns": 5, "body": text, "body_type": kind}])
    assert search_logs(session, WINDOW)["logs"][0]["body"] == body


def test_only_matching_records_of_the_range_are_found(open_tables):
    """The filter and both ends of the range hold, the end not included."""
    rows = [{"time_ns": time, "body": "x", "severity_number": time % 2 * 17} for time in range(10)]
    found = search_logs(open_tables(logs=rows), Window(2, 7), filter_text="severity:error")["logs"]
    assert [record["time"][-3:] for record in found] == ["05Z", "03Z"]


def test_search_reads_few_columns_first(open_tables):
    """Where the page is gets found from the time and the filter's columns alone."""
    session = open_tables(logs=[{"time_ns": 5, "body": "x", "log.n:int": 1, "log.m:int": 2}])
    search_logs(session, WINDOW, filter_text="n = 1")
    assert "log.m:int" not in session.statements[0]
    assert "log.m:int" in session.statements[1]


def test_counts_split_by_severity(open_tables):
    """Every step has all severities; a record without a number counts by its text."""
    rows = [
        {"time_ns": 0, "severity_number": 1},
        {"time_ns": 0, "severity_number": 8},
        {"time_ns": SECOND, "severity_number": 9},
        {"time_ns": SECOND, "severity_number": 16},
        {"time_ns": SECOND, "severity_number": 20},
        {"time_ns": SECOND, "severity_number": 24},
        {"time_ns": SECOND, "severity_number": 25},
        {"time_ns": SECOND, "severity_number": 0, "severity_text": "Warning"},
        {"time_ns": SECOND, "severity_text": "CRITICAL"},
        {"time_ns": SECOND, "severity_text": "?"},
        {"time_ns": SECOND},
        {"time_ns": 3 * SECOND, "severity_number": 9},
    ]
    counted = count_logs(open_tables(logs=rows), Window(0, 3 * SECOND), buckets=3)
    nothing = dict.fromkeys(("trace", "debug", "info", "warn", "error", "fatal", "unset"), 0)
    assert counted == {
        "window": {"start_time": "1970-01-01T00:00:00.000000000Z", "end_time": "1970-01-01T00:00:03.000000000Z"},
        "step_s": 1,
        "points": [
            {"t": 0, **nothing, "trace": 1, "debug": 1},
            {"t": 1, **nothing, "info": 1, "warn": 2, "error": 1, "fatal": 2, "unset": 3},
            {"t": 2, **nothing},
        ],
        "total": 11,
    }


def test_a_record_and_the_counts_agree_on_severity(open_tables):
    """The severity shown of a record is the one it is counted under, for any number and text."""
    for number in (None, 0, 1, 4, 5, 12, 13, 21, 24, 25, 200):
        for text in (None, "ERROR", "warning", "odd"):
            session = open_tables(logs=[{"time_ns": 5, "severity_number": number, "severity_text": text}])
            (record,) = search_logs(session, WINDOW)["logs"]
            (point,) = count_logs(session, WINDOW, buckets=1)["points"]
            assert point[record["severity"]] == 1


def test_cursor_errors_say_what_to_do(open_tables):
    """A cursor that is none, of another order, of another question, or beside after is refused by name."""
    session = open_tables(logs=[{"time_ns": time} for time in range(3)])
    page = search_logs(session, WINDOW, limit=1)
    for options in (
        {"cursor": "nonsense"},
        {"cursor": page["next_cursor"], "descending": False},
        {"after": page["next_cursor"]},
        {"cursor": page["next_cursor"], "after": page["newest_cursor"]},
    ):
        with pytest.raises(BadQuestionError) as wrong:
            search_logs(session, WINDOW, **options)
        assert wrong.value.hint
