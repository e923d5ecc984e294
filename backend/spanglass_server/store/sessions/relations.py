"""The SQL of table expressions over stored files and tables of memory, and of what their rows must have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass_server.signals import FIXED_COLUMNS, TIME_COLUMN, Signal, quote_identifier, quote_text, sql_type
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_server.store.ports import Window

#: Each is compared with each trace of a row group; from some 300 on the join of ``IN`` is quicker.
_TRACES_IN_A_LIST = 200
_ZERO_ID = "'" + r"\x00" * 8 + "'::BLOB"


def over(signal: Signal, present: frozenset[str], where: str) -> str:
    """A condition over fixed columns, with NULL for those that no row has: they are not stored then."""
    absent = "|".join(name for name in FIXED_COLUMNS[signal] if name not in present)
    return re.sub(rf"\b({absent})\b", lambda name: f"NULL::{sql_type(signal, name[0])}", where) if absent else where


def inside(signal: Signal, window: Window) -> str:
    """The condition that a row lies in the window."""
    if window == ALL_TIME:
        return ""
    return f"{TIME_COLUMN[signal]} >= {window.start_ns:d} AND {TIME_COLUMN[signal]} < {window.end_ns:d}"


def of_these_traces(trace_ids: Collection[bytes]) -> str:
    """The condition that a row belongs to one of some traces.

    DuckDB 1.5.5 makes a join of ``IN``, above the scan, which then reads all columns of all rows: 86 ms for 20 traces
    among a million spans. Of few traces the condition goes into the scan, and of what it refuses nothing else is read:
    32 ms.
    """
    if not trace_ids:
        return ""
    ids = ", ".join(map(_blob, trace_ids))
    if len(trace_ids) == 1:
        return f"trace_id = {ids}"
    return f"list_contains([{ids}], trace_id)" if len(trace_ids) <= _TRACES_IN_A_LIST else f"trace_id IN ({ids})"


def where(*conditions: str) -> str:
    """The clause that all conditions hold; none, and no text, where they are empty."""
    holding = " AND ".join(condition for condition in conditions if condition)
    return f" WHERE {holding}" if holding else ""


def select(signal: Signal, needed: Mapping[str, None], present: frozenset[str], source: str) -> str:
    """Select the needed columns of a source: those that are present in it, and NULL of its type for each other."""
    if not needed:
        return f"SELECT 1 AS row FROM {source}"  # noqa: S608 - the source is made here
    columns = ", ".join(
        _read(name) if name in present else f"NULL::{sql_type(signal, name)} AS {quote_identifier(name)}"
        for name in needed
    )
    return f"SELECT {columns} FROM {source}"  # noqa: S608 - identifiers are quoted, the source is made here


def read_parquet(paths: Sequence[str]) -> str:
    """The table of the rows of some files."""
    quoted = ", ".join(map(quote_text, paths))
    return f"read_parquet([{quoted}])"


def _blob(value: bytes) -> str:
    return "'" + "".join([f"\\x{byte:02X}" for byte in value]) + "'::BLOB"


def _read(name: str) -> str:
    """Read a column; a parent id of zeros, which older versions stored as it came, is none."""
    return f"nullif({name}, {_ZERO_ID}) AS {name}" if name == "parent_span_id" else quote_identifier(name)
