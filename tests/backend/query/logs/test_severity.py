"""The severity of log records: one rule for lists, filters, facets, counts and SQL."""

from __future__ import annotations

import pytest

from spanglass_server.query.attributes.facets import count_facets
from spanglass_server.query.logs.search import count_logs, search_logs
from spanglass_server.query.logs.severity import WORDS
from spanglass_server.query.sql_console.read import run_sql
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

WINDOW = Window(0, 1_000)

#: A record's number and text, and its severity.
RECORDS = (
    (17, None, "error"),
    (13, "ERROR", "warn"),
    (0, "ERROR", "error"),
    (None, "Error", "error"),
    (25, "err", "error"),
    (None, "SEVERE", "error"),
    (None, "ERROR3", "error"),
    (None, "50", "error"),
    (None, "3", "error"),
    (None, "E", "error"),
    (None, "fail", "error"),
    (None, "Warning", "warn"),
    (None, "w", "warn"),
    (None, "40", "warn"),
    (None, "4", "warn"),
    (None, "Information", "info"),
    (None, "informational", "info"),
    (None, "I", "info"),
    (None, "notice", "info"),
    (None, "30", "info"),
    (None, "LOG", "info"),
    (None, "CONFIG", "debug"),
    (None, "FINE", "debug"),
    (None, "FINER", "debug"),
    (None, "20", "debug"),
    (None, "7", "debug"),
    (None, "FINEST", "trace"),
    (None, "10", "trace"),
    (None, "Verbose", "trace"),
    (None, "Critical", "fatal"),
    (None, "emerg", "fatal"),
    (None, "alert", "fatal"),
    (None, "F", "fatal"),
    (None, "60", "fatal"),
    (None, "0", "fatal"),
    (None, "loud", "unset"),
    (200, "8", "unset"),
    (0, None, "unset"),
    (None, None, "unset"),
)


@pytest.fixture
def session(open_tables):
    """Open a table of all the records."""
    rows = [
        {"time_ns": place, "body": str(place), "severity_number": number, "severity_text": text}
        for place, (number, text, _) in enumerate(RECORDS)
    ]
    return open_tables(logs=rows)


def bodies(session, filter_text):
    """Return the bodies of the records that match a filter."""
    return {record["body"] for record in search_logs(session, WINDOW, filter_text=filter_text)["logs"]}


def test_everything_agrees_on_severity(session):
    """The number decides, else the text in any case; list, filter, facet, counts and SQL say the same."""
    expected = {str(place): word for place, (_, _, word) in enumerate(RECORDS)}
    of_word = {word: {body for body, its in expected.items() if its == word} for word in WORDS}
    totals = {word: len(places) for word, places in of_word.items()}

    assert {record["body"]: record["severity"] for record in search_logs(session, WINDOW)["logs"]} == expected
    assert {word: bodies(session, f"severity:{word}") for word in WORDS} == of_word
    (facet,) = count_facets(session, Signal.LOGS, WINDOW, keys=["severity"])["facets"]
    assert {value["value"]: value["count"] for value in facet["values"]} == totals
    (point,) = count_logs(session, WINDOW, buckets=1)["points"]
    assert {word: point[word] for word in WORDS} == totals
    assert dict(run_sql(session, "SELECT severity, count(*) FROM logs GROUP BY 1")["rows"]) == totals


@pytest.mark.parametrize(
    ("filter_text", "low", "high"),
    [
        ("severity >= warn", "warn", "fatal"),
        ("severity > warn", "error", "fatal"),
        ("severity < warn", "trace", "info"),
        ("severity <= WARNING", "trace", "warn"),
        ("severity >= severe", "error", "fatal"),
        ("severity exists", "trace", "fatal"),
        ("severity:*", "trace", "fatal"),
    ],
)
def test_severities_are_in_order(session, filter_text, low, high):
    """An order asks of records that name a severity in their text too; those without any are in no order."""
    words = WORDS[WORDS.index(low) : WORDS.index(high) + 1]
    assert bodies(session, filter_text) == {str(place) for place, (*_, word) in enumerate(RECORDS) if word in words}


def test_a_step_is_found_by_its_name_and_number(open_tables):
    """A name that stands for one step finds this one only, whether the number was sent or the name."""
    rows = [{"severity_number": 10}, {"severity_text": "NOTICE"}, {"severity_text": "INFO2"}, {"severity_text": "INFO"}]
    session = open_tables(logs=[{"time_ns": 5, "body": str(place), **row} for place, row in enumerate(rows)])
    for filter_text in ("severity:notice", "severity:info2", "severity = 10"):
        assert bodies(session, filter_text) == {"0", "1", "2"}
    assert bodies(session, "severity:info") == {"0", "1", "2", "3"}


def test_the_number_is_found_as_it_was_sent(session):
    """``severity_number`` is what the sender sent, and a text does not change it."""
    assert bodies(session, "severity_number >= 17") == {"0", "4", "36"}
    assert bodies(session, "severity_number = 0") == {"2", "37"}
