"""The spans of both groups: counted exactly, and some tens of thousands of each read with all of their attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.differences.slices import rows_within, slices
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of, union_all
from spanglass_server.query.statements import rows, run, statement
from spanglass_server.signals import LIST_POSITIONS, AttributeColumn, Signal, ValueType, quote_identifier
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from spanglass_server.query.differences.asked import Groups
    from spanglass_server.store.ports import QuerySession

#: So many spans of a group tell a share of 1 % to within 0.3 %.
MOST_READ = 10_000
#: Of a group that is spread thin, at most so many stored rows are looked at, unless they hold fewer than these spans.
_MOST_ROWS, _ENOUGH = 200_000, 2_000
#: Fewer rows cost as much: those of some row groups.
_LEAST_ROWS = 65_536
#: A group is read by so many parts of it.
_PARTS = 1_000_000
#: More columns than that are not read; those that most segments have come first.
_MOST_COLUMNS = 300
_TYPES = (ValueType.STR, ValueType.INT, ValueType.BOOL, ValueType.DOUBLE)
_POSITIONS = ("span", "resource", "scope", "event")
#: Texts that are never looked for as a whole, and may be long.
_SKIPPED = ("exception.stacktrace",)
#: A longer text is no value that somebody asks for; a character more tells that it is longer.
MOST_CHARACTERS = 300
#: Fixed columns that are compared, too, and the columns that tell traces and samples.
FIXED = ("name", "kind", "status_code", "status_message", "scope_name", "event_name")
TRACE_ID, DURATION = "trace_id", "duration_ns"


@dataclass(frozen=True, slots=True)
class SpanGroup:
    """All spans of a group: how many, and how many of them failed."""

    spans: int = 0
    errors: int = 0


def count_groups(session: QuerySession, groups: Groups) -> tuple[SpanGroup, SpanGroup]:
    """Count the selected spans, and the others. Of two times what lies between them is not read."""
    counted = {True: SpanGroup(), False: SpanGroup()}
    for window in _apart(groups.selected_window, groups.others_window):
        matching = groups.matching.narrowed(window)
        found = statement(
            "differences/groups",
            selected=groups.selected,
            baseline=groups.baseline,
            relation=matching.relation(session, {"status_code", *groups.columns}),
            where=matching.predicate,
        )
        for row in rows(session, found):
            before = counted[row["is_selected"]]
            counted[row["is_selected"]] = SpanGroup(before.spans + row["spans"], before.errors + row["errors"])
    return counted[True], counted[False]


def _apart(one: Window, other: Window) -> list[Window]:
    """Two windows, or the one that holds both where they touch."""
    first, second = sorted((one, other), key=lambda window: window.start_ns)
    if first.end_ns < second.start_ns:
        return [first, second]
    return [Window(first.start_ns, max(first.end_ns, second.end_ns))]


def compared_columns(known: Mapping[str, int]) -> list[AttributeColumn]:
    """The attributes that are compared."""
    parsed = (AttributeColumn.parse(name) for name in sorted(known, key=lambda name: (-known[name], name)))
    wanted = [
        column
        for column in parsed
        if column and column.position in _POSITIONS and column.type in _TYPES and column.key not in _SKIPPED
    ]
    return wanted[:_MOST_COLUMNS]


def read_sample(
    session: QuerySession, groups: Groups, columns: Sequence[AttributeColumn], counted: tuple[SpanGroup, SpanGroup]
) -> pa.Table:
    """Read spans of both groups: these columns, the fixed ones, ``trace_id``, ``duration_ns`` and ``is_selected``."""
    parts = session.parts(Signal.SPANS, groups.matching.window)
    sides = (groups.selected, groups.selected_window, counted[0]), (groups.others, groups.others_window, counted[1])
    pieces = [
        _piece(session, groups, columns, (place == 0, condition, window, chance))
        for place, (condition, whole, group) in enumerate(sides)
        for share, chance in [_shares(group.spans, rows_within(parts, whole))]
        for window in slices(parts, whole, share)
    ]
    return run(session, union_all(pieces))


def _shares(spans: int, rows: float) -> tuple[float, int]:
    """How much of the time is read for a group, and how many of ``_PARTS`` of its spans there.

    Most rows that are read are of no use where few are of the group: they are read until there are enough to tell.
    """
    if not spans:
        return 0.0, _PARTS
    wanted = max(MOST_READ / spans, _LEAST_ROWS / max(rows, 1))
    share = min(1.0, max(min(wanted, _MOST_ROWS / max(rows, 1)), _ENOUGH / spans))
    return share, min(_PARTS, -(-_PARTS * MOST_READ // max(round(spans * share), 1)))


def _piece(
    session: QuerySession,
    groups: Groups,
    columns: Sequence[AttributeColumn],
    piece: tuple[bool, Sql, Window, int],
) -> Sql:
    """Read spans of one group in one stretch of time."""
    is_selected, condition, window, chance = piece
    names = [column.name for column in columns]
    shown = [_read(name, is_text=name in _TEXTS, is_list=name == "event_name") for name in FIXED]
    shown += [_read(column.name, is_text=column.type is ValueType.STR, is_list=column.position in LIST_POSITIONS)
              for column in columns]  # fmt: skip
    sampled = TRUE if chance == _PARTS else Sql(f"hash(start_time_ns, duration_ns) % {_PARTS} < {chance}")
    matching = groups.matching.narrowed(window)
    return statement(
        "differences/sample",
        columns=Sql(", ".join((TRACE_ID, DURATION, *shown))),
        is_selected=Sql("true" if is_selected else "false"),
        relation=matching.relation(session, {*names, *FIXED, TRACE_ID, DURATION, *groups.columns}),
        where=all_of([matching.where, condition]),
        sampled=sampled,
    )


_TEXTS = frozenset({"name", "status_message", "scope_name", "event_name"})


def _read(name: str, *, is_text: bool, is_list: bool) -> str:
    """Read a column; of texts the beginning."""
    column = quote_identifier(name)
    if not is_text:
        return column
    begin = f"list_transform({column}, lambda x: left(x, {MOST_CHARACTERS + 1}))" if is_list else (
        f"left({column}, {MOST_CHARACTERS + 1})")  # fmt: skip
    return f"{begin} AS {column}"
