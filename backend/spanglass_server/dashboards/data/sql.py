"""SQL of panels: with a column of times, series; else a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.dashboards.data.lines import Evaluated, Lines, Table
from spanglass_server.query.sql_console.read import run_sql
from spanglass_server.times import NS_PER_MS, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.sql_console.read import Result
    from spanglass_server.store.ports import QuerySession

MAX_ROWS = 20_000
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "HUGEINT")


def evaluate_sql(session: QuerySession, text: str, *, as_table: bool) -> Evaluated:
    """Run a statement. Of a result with times, texts are labels and each column of numbers is a series."""
    result = run_sql(session, text, limit=MAX_ROWS)
    notes = (f"only the first {MAX_ROWS} rows are read",) if result["truncated"] else ()
    columns = [{"name": column["name"], "type": _kind(column["type"])} for column in result["columns"]]
    time = next((place for place, column in enumerate(columns) if column["type"] == "time"), None)
    numbers = [place for place, column in enumerate(columns) if column["type"] == "number"]
    if as_table or not numbers:
        return Evaluated(table=Table(columns, result["rows"]), notes=notes)
    if time is None:
        return Evaluated(_at_once(columns, result["rows"], numbers), times_ms=np.zeros(1, np.int64), notes=notes)
    return _over_time(result, columns, time, numbers, notes)


def _kind(duckdb_type: str) -> str:
    if duckdb_type.startswith(("TIMESTAMP", "DATE")):
        return "time"
    plain = "(" not in duckdb_type or duckdb_type.startswith("DECIMAL")
    return "number" if plain and any(word in duckdb_type for word in _NUMBERS) and "[" not in duckdb_type else "text"


def _labels(columns: Sequence[dict[str, str]], row: Sequence[Any], name: str, *, is_named: bool) -> dict[str, str]:
    labels = {
        column["name"]: "" if value is None else str(value)
        for column, value in zip(columns, row, strict=True)
        if column["type"] == "text"
    }
    return {"__name__": name, **labels} if is_named or not labels else labels


def _at_once(columns: Sequence[dict[str, str]], rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> Lines:
    """Every row is a series of one value, for each column of numbers."""
    named = len(numbers) > 1
    labels = [_labels(columns, row, columns[place]["name"], is_named=named) for row in rows for place in numbers]
    values = [_number(row[place]) for row in rows for place in numbers]
    return Lines(tuple(labels), np.array(values, np.float64).reshape(-1, 1))


def _over_time(
    result: Result, columns: Sequence[dict[str, str]], time: int, numbers: Sequence[int], notes: tuple[str, ...]
) -> Evaluated:
    rows = [row for row in result["rows"] if row[time] is not None]
    at = np.array([parse_time(str(row[time]), 0) // NS_PER_MS for row in rows], np.int64)
    times, of_row = np.unique(at, return_inverse=True)
    places: dict[tuple[tuple[str, str], ...], int] = {}
    where: list[int] = []
    for row in rows:
        for place in numbers:
            labels = _labels(columns, row, columns[place]["name"], is_named=len(numbers) > 1)
            where.append(places.setdefault(tuple(labels.items()), len(places)))
    values = np.full((len(places), len(times)), np.nan)
    found = np.array([_number(row[place]) for row in rows for place in numbers], np.float64)
    values[np.array(where, np.intp), np.repeat(of_row, len(numbers))] = found
    return Evaluated(Lines(tuple(dict(key) for key in places), values), times_ms=times, notes=notes)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else _text_number(value)


def _text_number(value: Any) -> float:
    try:
        return float(value)  # integers past 2 ** 53 are texts
    except (TypeError, ValueError):
        return float("nan")
