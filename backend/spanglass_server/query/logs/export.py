"""Log records as files: CSV for spreadsheets, NDJSON for programs, a part at a time."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_core.csv_cells import csv_cell
from spanglass_server.query.logs.search import search_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from spanglass_server.query.rows.answers import Log
    from spanglass_server.store.ports import QuerySession, Window

#: Records of a part: more would hold other questions up for longer, 30 ms.
_PART = 1_000
_FIXED = ("time", "severity", "service", "body", "event_name", "trace_id", "span_id")
#: What stands in CSV where no columns are chosen.
_REST = ("attributes", "resource")


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported: at most ``limit`` records of a search, with columns of these ``keys``.

    ``guards_formulas``: texts of CSV that a spreadsheet would run get an apostrophe in front.
    """

    window: Window
    filter_text: str
    form: str
    limit: int
    keys: Sequence[str] = ()
    descending: bool = True
    guards_formulas: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """How far an export is: records that were written, and the cursor of those behind them."""

    records: int
    cursor: str


def export_logs(session: QuerySession, export: Export, done: Done | None) -> tuple[bytes, Done | None]:
    """Write the records after a place, and return where the next part begins; None behind the last."""
    before = done.records if done else 0
    page = search_logs(
        session,
        export.window,
        filter_text=export.filter_text,
        keys=export.keys,
        limit=min(_PART, export.limit - before),
        descending=export.descending,
        cursor=done.cursor if done else None,
    )
    logs: list[Log] = page["logs"]  # type: ignore[typeddict-item] # not asked for as OTLP
    written, cursor = before + len(logs), page["next_cursor"]
    content = _FORMS[export.form](export, logs, is_first=done is None)
    return content, Done(written, cursor) if cursor and written < export.limit else None


def _ndjson(export: Export, logs: Iterable[Log], *, is_first: bool) -> bytes:
    del export, is_first
    return b"".join([orjson.dumps(log, option=orjson.OPT_APPEND_NEWLINE) for log in logs])


def _csv(export: Export, logs: Iterable[Log], *, is_first: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    guard = csv_cell if export.guards_formulas else _as_it_is
    if is_first:
        writer.writerow([guard(name) for name in (*_FIXED, *(export.keys or _REST))])
    for log in logs:
        rest = [log["columns"][key] for key in export.keys] if export.keys else [log["attributes"], log["resource"]]
        fixed = [log[name] for name in _FIXED]  # type: ignore[literal-required] # keys of a record
        writer.writerow([guard(_cell(value)) for value in (*fixed, *rest)])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Return what stands in a cell: texts and numbers as they are, everything else as JSON, nothing for null."""
    return orjson.dumps(value).decode() if isinstance(value, dict | list | bool) else value


def _as_it_is(value: Any) -> Any:
    return value


_FORMS: dict[str, Callable[..., bytes]] = {"csv": _csv, "ndjson": _ndjson}
FORMS = tuple(_FORMS)
