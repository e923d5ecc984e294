"""The data of a panel as one table, for files: what it shows, without what it draws with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

if TYPE_CHECKING:
    from spanglass_server.dashboards.answers import PanelData, TableJson

_TIME = pa.timestamp("ms")


def table_of(data: PanelData) -> pa.Table:
    """Return the rows of a table, records as they are listed, or a row for each time and series, or bucket."""
    if data["table"] is not None:
        return _of_table(data["table"])
    if data["records"] is not None:
        return _of_records(data["records"])
    return _of_heatmap(data) if data["heatmap"] is not None else _of_series(data)


def _of_series(data: PanelData) -> pa.Table:
    """Columns: time, query, series, a column a label, value; times without a value are left out."""
    labels = list(dict.fromkeys(name for series in data["series"] for name in series["labels"]))
    rows = [
        (time, series, value)
        for series in data["series"]
        for time, value in zip(data["times"], series["values"], strict=True)
        if value is not None and value == value  # noqa: PLR0124 - the test for NaN
    ]
    own = {name for name in labels if name not in {"time", "query", "series", "value"}}
    columns = {
        "time": pa.array([time for time, _, _ in rows], _TIME),
        "query": pa.array([series["query"] for _, series, _ in rows], pa.string()),
        "series": pa.array([series["name"] for _, series, _ in rows], pa.string()),
        **{
            name if name in own else f"label.{name}": pa.array(
                [series["labels"].get(name) for _, series, _ in rows], pa.string()
            )
            for name in labels
        },
        "value": pa.array([value for _, _, value in rows], pa.float64()),
    }
    return pa.table(columns)


def _of_heatmap(data: PanelData) -> pa.Table:
    heatmap = data["heatmap"]
    cells = (
        [
            (time, bound, count)
            for bound, counts in zip(heatmap["bounds"], heatmap["counts"], strict=True)
            for time, count in zip(heatmap["times"], counts, strict=True)
        ]
        if heatmap
        else []
    )
    times, bounds, counts = ([cell[place] for cell in cells] for place in range(3))
    return pa.table(
        {
            "time": pa.array(times, _TIME),
            "up_to": pa.array(bounds, pa.float64()),
            "count": pa.array(counts, pa.float64()),
        }
    )


def _of_table(table: TableJson) -> pa.Table:
    """Columns by their titles, of which two may be the same."""
    names: list[str] = []
    for column in table["columns"]:
        name = column["name"]
        names.append(name if name not in names else f"{name} ({len(names) + 1})")
    kinds = [pa.float64() if column["type"] == "number" else pa.string() for column in table["columns"]]
    values = [[row[place] for row in table["rows"]] for place in range(len(names))]
    made = [pa.array([_fitting(value, kind) for value in each], kind) for each, kind in zip(values, kinds, strict=True)]
    return pa.table(dict(zip(names, made, strict=True)))


def _of_records(records: list[dict[str, Any]]) -> pa.Table:
    names = list(dict.fromkeys(name for record in records for name in record))
    return pa.table({name: pa.array([_text(record.get(name)) for record in records], pa.string()) for name in names})


def _fitting(value: Any, kind: pa.DataType) -> Any:
    if kind == pa.string():
        return _text(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
