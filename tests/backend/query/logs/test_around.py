"""Lines around a log record."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.logs.around import logs_around
from spanglass_server.query.logs.search import search_logs
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
WINDOW = Window(0, 9 * DAY)
TRACE = bytes.fromhex("5b8efff798038103d269b633813fc60c")

#: Lines of one time, of near and of far ones.
LINES = st.lists(
    st.tuples(st.sampled_from([5, 6, 2 * SECOND, 2 * HOUR, 3 * DAY, 8 * DAY]), st.sampled_from("ab"), st.booleans()),
    min_size=1,
    max_size=12,
)


def line(time_ns, body="x", order=None, service="web", **columns):
    """Make a stored log record."""
    return {"time_ns": time_ns, "body": body, "arrival_order": order, "resource.service.name:str": service, **columns}


def bodies(records):
    """Return the bodies of records, in their order."""
    return "".join(record["body"] for record in records)


def told(record):
    """Return a record without the number that its id has among records that are equal in everything."""
    return {**record, "id": record["id"].split("-")[:2]}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, chosen=st.integers(0, 11), before=st.integers(0, 4), after=st.integers(0, 4), ordered=st.booleans())
def test_lines_around_are_those_of_the_list(open_tables, lines, chosen, before, after, ordered):
    """Whatever lies between, of one time or equal in everything: the neighbours in the list of all, on both sides."""
    session = open_tables(
        logs=[line(time_ns, body, order if ordered else None, "web" if web else "db")
              for order, (time_ns, body, web) in enumerate(lines, 1)]
    )  # fmt: skip
    every = search_logs(session, WINDOW, limit=20, descending=False)["logs"]
    place = chosen % len(every)
    found = logs_around(session, every[place]["id"], same="all", before=before, after=after)
    shown = [told(each) for each in every]
    assert told(found["log"]) == shown[place]
    assert [*map(told, found["before"])] == shown[max(0, place - before) : place]
    assert [*map(told, found["after"])] == shown[place + 1 : place + 1 + after]
    assert (found["has_more_before"], found["has_more_after"]) == (place > before, place + 1 + after < len(every))
    service = every[place]["service"]
    of_service = [told(each) for each in every if each["service"] == service]
    found = logs_around(session, every[place]["id"], same="service", before=20, after=20)
    assert [*map(told, [*found["before"], found["log"], *found["after"]])] == of_service


def test_what_lines_have_in_common(open_tables):
    """A stream is a service with its instance, host, process and file; the filter finds the same lines."""
    one, other = {"resource.host.name:str": "h1"}, {"resource.host.name:str": "h2"}
    session = open_tables(
        logs=[
            line(1, "a", 1, **one, **{"resource.process.pid:int": 7, "log.log.file.path:str": "/x"}),
            line(2, "b", 2, **one, **{"resource.process.pid:int": 8}, trace_id=TRACE),
            line(3, "c", 3, **one, **{"resource.process.pid:int": 7, "log.log.file.path:str": "/x"}, trace_id=TRACE),
            line(4, "d", 4, **other, **{"resource.process.pid:int": 7, "log.log.file.path:str": "/x"}),
            line(5, "e", 5, "db", **one, trace_id=TRACE),
        ]
    )
    hit = next(each for each in search_logs(session, WINDOW)["logs"] if each["body"] == "c")
    expected = {"stream": "ac", "service": "abcd", "host": "abce", "trace": "bce", "all": "abcde"}
    for same, found in expected.items():
        answer = logs_around(session, hit["id"], same=same, before=9, after=9)
        assert bodies([*answer["before"], answer["log"], *answer["after"]]) == found
        matching = search_logs(session, WINDOW, filter_text=answer["filter"], descending=False)["logs"]
        assert bodies(matching) == found


@pytest.mark.parametrize(
    ("log_id", "same", "field", "code"),
    [
        ("nonsense", "all", "log", "bad_request"),
        ("ffffffffffffffff-1", "all", "log", "bad_request"),
        ("5-2", "all", "log", "not_found"),
        ("5-ffffffffffffffff", "all", "log", "not_found"),
        ("5-1-1", "all", "log", "not_found"),
        ("5-1", "trace", "same", "bad_request"),
        ("5-1", "host", "same", "bad_request"),
    ],
)
def test_what_cannot_be_found_is_said(open_tables, log_id, same, field, code):
    """An id that is none, a record that is gone, and a record that lacks what is asked for, each with what to do."""
    session = open_tables(logs=[line(5, order=1)])
    with pytest.raises(BadQuestionError) as wrong:
        logs_around(session, log_id, same=same, before=1, after=1)
    assert (wrong.value.field, wrong.value.code) == (field, code)
    assert wrong.value.hint
