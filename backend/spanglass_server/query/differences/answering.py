"""What is different: the answer of ``GET /api/v1/differences``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from spanglass_core.differences.ranking import LIKELY, Group, rank
from spanglass_server.query.answers import Nanoseconds, Time, TimeRange
from spanglass_server.query.differences.asked import read_groups
from spanglass_server.query.differences.counting import Sides, merged, tallies, traces_of
from spanglass_server.query.differences.sampling import DURATION, TRACE_ID, compared_columns, count_groups, read_sample
from spanglass_server.query.language.intrinsics import INTRINSICS, SHORT_NAMES, SPAN_KINDS, STATUSES
from spanglass_server.query.language.parsing.ast import OPPOSITES, Compare, Field, Operator, Value
from spanglass_server.query.language.parsing.text import format_field, format_filter
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.window import describe
from spanglass_server.signals import POSITIONS, Signal
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_core.differences.ranking import Difference, KeyDifferences
    from spanglass_server.query.differences.asked import DifferenceQuestion
    from spanglass_server.query.differences.sampling import SpanGroup
    from spanglass_server.signals import AttributeColumn
    from spanglass_server.store.ports import QuerySession

#: Values of one key in an answer, and keys that are like it.
_MOST_VALUES, _MOST_ALIKE = 8, 20
#: Fixed columns by the name that filters have for them, and the names of their numbers.
_FIELDS: dict[str, tuple[str, Sequence[str]]] = {
    "name": ("name", ()),
    "kind": ("kind", SPAN_KINDS),
    "status": ("status_code", STATUSES),
    "status.message": ("status_message", ()),
    "scope.name": ("scope_name", ()),
    "event": ("event_name", ()),
}


class ComparedSpans(TypedDict):
    """A group of spans. ``counted`` of them were read with all of their attributes, from ``traces`` traces.

    Percentiles are of these, null without any.
    """

    spans: int
    errors: int
    p50_ns: Nanoseconds | None
    p95_ns: Nanoseconds | None
    counted: int
    traces: int


class DifferentValue(TypedDict):
    """A condition that holds more often, or less, for the selected spans.

    Shares are of all spans of each group that were counted. ``lift`` is how many times larger the selected one is, null
    where no other span has it; ``difference`` by how much the shares differ at least, whatever the size of the groups,
    below 0 where the selected one is smaller. ``filter`` finds these spans, ``opposite`` all others; ``value`` is null
    for ``exists`` and ``not exists``.
    """

    operator: Literal["=", ">", "<=", "exists", "not exists"]
    value: Any
    filter: str
    opposite: str
    selected_share: float
    baseline_share: float
    lift: float | None
    selected: int
    baseline: int
    difference: float


class AlikeKey(TypedDict):
    """A key that says the same as another, with the filter that finds the spans meant."""

    key: str
    filter: str


class DifferentKey(TypedDict):
    """A key with what sets the selected spans apart, the largest difference first.

    ``alike`` are other keys that say the same: as many spans of both groups have what is told of them.
    """

    key: str
    alike: list[AlikeKey]
    difference: float
    values: list[DifferentValue]


class Differences(TypedDict):
    """The answer of ``GET /api/v1/differences``.

    ``compared`` is how many keys were looked at; ``since_time`` when the release began that was asked about. What is
    not ``certain`` could be chance: of the few spans there are, it is what probably sets them apart.
    """

    window: TimeRange
    selected: ComparedSpans
    baseline: ComparedSpans
    since_time: Time | None
    certain: bool
    compared: int
    keys: list[DifferentKey]


def find_differences(session: QuerySession, asked: DifferenceQuestion, limit: int) -> Differences:
    """Answer ``GET /api/v1/differences``: what sets the selected spans apart, the keys that differ most first."""
    groups = read_groups(session, asked)
    counted = count_groups(session, groups)
    columns = compared_columns(groups.matching.known)
    sample = read_sample(session, groups, columns, counted)
    is_selected = sample["is_selected"].to_numpy(zero_copy_only=False).astype(np.bool_)
    durations_ns = sample[DURATION].to_numpy()
    sides = Sides(is_selected, *(Group(int(np.count_nonzero(side)), traces_of(sample[TRACE_ID], side))
                                 for side in (is_selected, ~is_selected)))  # fmt: skip
    found = [each for key, (name, names) in _FIELDS.items() if key not in groups.keys
             for each in tallies(key, sample[name], sides, names)]  # fmt: skip
    keys = _keys(columns)
    for column, key in zip(columns, keys, strict=True):
        if not groups.keys.intersection((key, column.key, f"{column.position}.{column.key}")):
            found += tallies(key, sample[column.name], sides)
    counts = merged(found)
    certain = rank(sides.selected, sides.baseline, counts)
    ranked = certain or rank(sides.selected, sides.baseline, counts, LIKELY)
    return {
        "window": describe(asked.spans.window),
        "selected": _group(counted[0], sides.selected, durations_ns[is_selected]),
        "baseline": _group(counted[1], sides.baseline, durations_ns[~is_selected]),
        "since_time": None if groups.since_ns is None else format_time(groups.since_ns),
        "certain": bool(certain) or not ranked,
        "compared": len({each.key for each in found}),
        "keys": [_key(each, sides) for each in ranked[:limit]],
    }


def _keys(columns: Sequence[AttributeColumn]) -> list[str]:
    """The key of each column as filters write it: with its position where it stands in several."""
    positions = Counter(key for key, _ in {(column.key, column.position) for column in columns})
    return [column.key if positions[column.key] == 1 else f"{column.position}.{column.key}" for column in columns]


def _group(spans: SpanGroup, counted: Group, durations_ns: NDArray[np.int64]) -> ComparedSpans:
    p50, p95 = np.quantile(durations_ns, (0.5, 0.95)).tolist() if counted.records else (None, None)
    return {
        "spans": spans.spans,
        "errors": spans.errors,
        "p50_ns": None if p50 is None else round(p50),
        "p95_ns": None if p95 is None else round(p95),
        "counted": counted.records,
        "traces": counted.traces,
    }


def _key(found: KeyDifferences, sides: Sides) -> DifferentKey:
    values = [_value(each, sides) for each in found.differences[:_MOST_VALUES]]
    alike: list[AlikeKey] = [
        {"key": each.key, "filter": _value(each.differences[0], sides)["filter"]} for each in found.alike[:_MOST_ALIKE]
    ]
    return {"key": found.key, "alike": alike, "difference": values[0]["difference"], "values": values}


def _value(found: Difference, sides: Sides) -> DifferentValue:
    tally, share, other, lift = found.tally, found.selected_share, found.baseline_share, found.lift
    selected, baseline, size = tally.selected, tally.baseline, found.size
    operator: Literal["=", ">", "<=", "exists", "not exists"] = tally.operator
    if operator == "exists" and size < 0:  # the selected ones lack the key more often
        operator, share, other, size = "not exists", 1 - share, 1 - other, -size
        selected, baseline = sides.selected.records - selected, sides.baseline.records - baseline
        lift = share / other if other else None
    condition, opposite = _conditions(tally.key, operator, tally.value)
    return {
        "operator": operator,
        "value": json_value(tally.value),
        "filter": condition,
        "opposite": opposite,
        "selected_share": round(share, 4),
        "baseline_share": round(other, 4),
        "lift": None if lift is None else round(lift, 2),
        "selected": selected,
        "baseline": baseline,
        "difference": round(size, 4),
    }


def _conditions(key: str, operator: str, value: Any) -> tuple[str, str]:
    """The condition, and its opposite, as filters."""
    field = _field(key)
    if operator in {"exists", "not exists"}:
        both = f"{format_field(field)} exists", f"{format_field(field)} not exists"
        return both if operator == "exists" else both[::-1]
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    written = Value(text, quoted=isinstance(value, str) and key not in {"kind", "status"})
    meant = Operator(operator)
    return format_filter(Compare(field, meant, written)), format_filter(Compare(field, OPPOSITES[meant], written))


def _field(key: str) -> Field:
    """An attribute is quoted where it is called like a field that every span has."""
    if key in _FIELDS:
        return Field(key)
    position, _, rest = key.partition(".")
    is_field = key in INTRINSICS[Signal.SPANS] or key in SHORT_NAMES
    if is_field or (position in POSITIONS[Signal.SPANS] and not rest):
        return Field(key, quoted=True)
    return Field(key)
