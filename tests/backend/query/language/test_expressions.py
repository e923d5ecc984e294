"""One value of a field per row."""

import pytest

from spanglass_server.query.language import FilterError, field_expression, numeric_expression
from spanglass_server.signals import Signal


@pytest.fixture
def values(table):
    """Evaluate a key's expression over rows; the value of each row by its label, and the columns it read."""

    def evaluate(expression, key, rows, signal=Signal.SPANS):
        all_columns = {name for row in rows.values() for name in row}
        sql, read = expression(key, signal, {name for name in all_columns if "." in name or "overflow" in name})
        connection, _ = table(signal, {label: {**dict.fromkeys(read), **row} for label, row in rows.items()})
        with connection:
            statement = f"SELECT label, {sql} FROM records ORDER BY label"  # noqa: S608 - under test
            return dict(connection.execute(statement).fetchall())

    return evaluate


def test_one_type_stays_native(values):
    """Under one type the value is of that type, whatever number of names and positions it has."""
    rows = {"new": {"span.http.response.status_code:int": 500}, "none": {}, "old": {"span.http.status_code:int": 404}}

    assert values(field_expression, "http.status_code", rows) == {"new": 500, "none": None, "old": 404}


def test_several_types_become_text(values):
    """Under several types the value is text, the first of those that are there."""
    rows = {
        "both": {"span.k:str": "a", "resource.k:int": 1},
        "bytes": {"span.k:bytes": b"\x00\x01"},
        "double": {"span.k:double": 1.5},
        "true": {"span.k:bool": True},
    }

    assert values(field_expression, "k", rows) == {"both": "a", "bytes": "AAE=", "double": "1.5", "true": "true"}


def test_first_element_of_lists(values):
    """Of events the first that has the key counts."""
    rows = {"a": {"event.exception.type:str": [None, "KeyError", "OSError"]}, "b": {"event.exception.type:str": None}}

    assert values(field_expression, "exception.type", rows) == {"a": "KeyError", "b": None}


def test_overflow_lists(values):
    """A value in the overflow lists is found by name, quotes included, and a column's own value comes first."""
    rows = {
        "column": {"span.o'k:str": "c", "overflow_name": ["event.o'k:str"], "overflow_value": ["e"]},
        "list": {"overflow_name": ["span.x:int", "event.o'k:str"], "overflow_value": ["7", "e"]},
        "none": {"overflow_name": None},
    }

    assert values(field_expression, '"o\'k"', rows) == {"column": "c", "list": "e", "none": None}
    assert values(numeric_expression, "x", rows) == {"column": None, "list": 7.0, "none": None}


INTRINSIC = {
    "a": {
        "trace_id": bytes(range(16)),
        "kind": 2,
        "status_code": None,
        "duration_ns": 5,
        "name": "GET",
        "event_name": ["first", "second"],
        "parent_span_id": None,
        "resource.service.name:str": "web",
    }
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trace_id", "000102030405060708090a0b0c0d0e0f"),
        ("kind", "server"),
        ("status", "unset"),
        ("duration", 5),
        ("operation", "GET"),
        ("event.name", "first"),
        ("root", True),
        ("service", "web"),
        ("resource.service.name", "web"),
        ("nothing.at.all", None),
    ],
)
def test_intrinsic_fields(values, key, value):
    """Intrinsic fields read as in the API, and short names work."""
    assert values(field_expression, key, INTRINSIC) == {"a": value}


def test_severity_has_names(values):
    """A severity is the name of its level; zero, none and numbers past the last level are unset."""
    rows = {str(number): {"severity_number": number} for number in (None, 0, 1, 12, 13, 24, 25)}

    assert values(field_expression, "severity", rows, Signal.LOGS) == {
        "None": "unset",
        "0": "unset",
        "1": "trace",
        "12": "info",
        "13": "warn",
        "24": "fatal",
        "25": "unset",
    }


def test_numbers(values):
    """A number is read from integers, doubles and text; other text has none."""
    rows = {
        "double": {"span.k:double": 1.5},
        "int": {"span.k:int": 2},
        "text": {"span.k:str": "3e1"},
        "word": {"span.k:str": "x"},
    }

    assert values(numeric_expression, "k", rows) == {"double": 1.5, "int": 2.0, "text": 30.0, "word": None}
    assert values(numeric_expression, "duration", INTRINSIC) == {"a": 5.0}
    assert values(numeric_expression, "nothing", rows) == dict.fromkeys(rows)


def test_metric_value(values):
    """A metric point's value is its integer or its double."""
    rows = {"double": {"value_double": 1.5}, "int": {"value_int": 2}}

    assert values(numeric_expression, "value", rows, Signal.METRICS) == {"double": 1.5, "int": 2.0}


def test_bad_key_is_refused():
    """What is not one key raises FilterError."""
    with pytest.raises(FilterError, match="is not one key"):
        field_expression("a = b", Signal.SPANS, set())
