"""Numbers, and texts that are like formulas, in files of CSV."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pyarrow as pa

from spanglass_server.query.exporting.forms import form_of

COLUMNS = {
    "=int": pa.array([-(2**53) - 1, -(2**63), None]),
    "double": pa.array([float("nan"), float("inf"), float("-inf")]),
    "coded": pa.array([-(2**63), -1, -(2**63)]).dictionary_encode(),
    "decimal": pa.array([Decimal("-123456789012345678901234567890.25"), Decimal("-0.10"), None], pa.decimal128(38, 2)),
    "text": pa.array(["-1", "=1+1", "NaN"]),
    "texts": pa.array(["@x", "-1", "x"]).dictionary_encode(),
    "list": pa.array([[float("nan")], [-1.0], None]),
}


def lines(*, guarded):
    """The cells of a file of all columns."""
    table = pa.table(COLUMNS)
    form = form_of("csv", table.schema, guarded=guarded)
    return list(csv.reader(io.StringIO((form.begin() + form.write(table) + form.end()).decode())))


def test_only_texts_are_guarded():
    """Numbers of any size stay numbers, NaN and the infinities have names; texts and headings are no formulas."""
    assert lines(guarded=True) == [
        ["'=int", "double", "coded", "decimal", "text", "texts", "list"],
        [
            *("-9007199254740993", "NaN", "-9223372036854775808", "-123456789012345678901234567890.25"),
            *("'-1", "'@x", '[{"$double":"NaN"}]'),
        ],
        ["-9223372036854775808", "Infinity", "-1", "-0.1", "'=1+1", "'-1", "[-1.0]"],
        ["", "-Infinity", "-9223372036854775808", "", "NaN", "x", ""],
    ]


def test_without_the_guard_texts_are_as_they_are():
    """Programs read back what was written."""
    plain = lines(guarded=False)
    assert plain == [[cell.removeprefix("'") for cell in row] for row in lines(guarded=True)]
