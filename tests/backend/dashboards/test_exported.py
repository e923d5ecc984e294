"""What panels show as one table, for each kind of panel."""

from __future__ import annotations

import datetime as dt

import pytest

from spanglass_server.dashboards.data.exported import table_of

EMPTY = {"times": [], "series": [], "table": None, "heatmap": None, "records": None}
AT = dt.datetime(1970, 1, 1, 0, 0, 1)  # noqa: DTZ001 - Arrow's times have no zone here


def series(name, values, **labels):
    """A series of one query."""
    return {"query": "A", "name": name, "labels": labels, "values": values}


@pytest.mark.parametrize(
    ("data", "columns", "rows"),
    [
        (
            {"times": [1000, 2000], "series": [series("a", [1.0, None], value="x"), series("b", [float("nan"), 2.0])]},
            ["time", "query", "series", "label.value", "value"],
            [[AT, "A", "a", "x", 1.0], [AT + dt.timedelta(seconds=1), "A", "b", None, 2.0]],
        ),
        (
            {
                "table": {
                    "columns": [{"name": "n", "type": "number"}, {"name": "n", "type": "text"}],
                    "rows": [[1, ["x"]], [None, "y"]],
                }
            },
            ["n", "n (2)"],
            [[1.0, '["x"]'], [None, "y"]],
        ),
        ({"records": [{"a": "x"}, {"b": {"c": 1}}]}, ["a", "b"], [["x", None], [None, '{"c":1}']]),
        (
            {"heatmap": {"bounds": [0.5, None], "counts": [[3], [4]], "times": [1000]}},
            ["time", "up_to", "count"],
            [[AT, 0.5, 3.0], [AT, None, 4.0]],
        ),
        ({}, ["time", "query", "series", "value"], []),
    ],
)
def test_a_panel_is_one_table(data, columns, rows):
    """Series are rows a time, tables and records as they are, buckets by their upper end; two names stay apart."""
    table = table_of({**EMPTY, **data})
    assert table.column_names == columns
    assert [list(row.values()) for row in table.to_pylist()] == rows
