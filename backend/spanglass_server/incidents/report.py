"""How long alerts and incidents took: MTTA, MTTR, recovery, and the share that was over in time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Seconds = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_NS = 1e9
_P90 = 90
#: Groups of one sort that are told of, those with most in them.
MOST_GROUPS = 50
_DAY_S = 86_400
_MOST_DAYS = 92


@dataclass(frozen=True, slots=True)
class Spread:
    """Durations in seconds, of those that happened."""

    count: int
    mean: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of some alerts or incidents. ``within`` is the share that was over in time, among those that are over or late.

    What was dismissed was none: it is counted in ``dismissed`` alone.
    """

    total: int
    open: int
    dismissed: int
    acknowledge: Spread | None
    recover: Spread | None
    resolve: Spread | None
    within: float | None
    late: int


@dataclass(frozen=True, slots=True)
class Cases:
    """Alerts or incidents in columns, in seconds since 1970; NaN for what has not happened.

    ``ended`` is what counts as the end: the recovery of incidents, the end of alerts. ``groups`` say by sort and name
    which ones are in a group.
    """

    began: Seconds
    opened: Seconds
    acknowledged: Seconds
    ended: Seconds
    resolved: Seconds
    dismissed: Flags
    groups: Mapping[str, Mapping[str, Flags]]


def incident_cases(table: pa.Table, start_ns: int, end_ns: int, service: str = "") -> Cases:
    """Incidents that were opened in a time, from ``monitoring_incidents``; those merged into others are none.

    With ``service`` only those that it is part of.
    """
    chosen = _opened_in(table, "opened_at", start_ns, end_ns).filter(pc.is_null(pc.field("merged_into")))
    if service:
        is_in = [service in orjson.loads(text) for text in chosen["services"].to_pylist()]
        chosen = chosen.filter(pa.array(is_in, pa.bool_()))
    return Cases(
        began=_times(chosen, "started_at"),
        opened=_times(chosen, "opened_at"),
        acknowledged=_times(chosen, "acknowledged_at"),
        ended=_times(chosen, "recovered_at"),
        resolved=_times(chosen, "resolved_at"),
        dismissed=_is(chosen, "status", "dismissed"),
        groups={
            "severity": _by_text(chosen, "severity"),
            "service": _by_list(chosen, "services"),
            "opened_by": _by_text(chosen, "opened_by"),
        },
    )


def alert_cases(table: pa.Table, start_ns: int, end_ns: int, service: str = "") -> Cases:
    """Alerts that were raised in a time, from ``monitoring_alerts``; with ``service`` only its own."""
    chosen = _opened_in(table, "created_at", start_ns, end_ns)
    if service:
        chosen = chosen.filter(pc.equal(chosen["service"], service))
    opened, resolved = _times(chosen, "created_at"), _times(chosen, "resolved_at")
    return Cases(
        began=opened,
        opened=opened,
        acknowledged=_times(chosen, "acknowledged_at"),
        ended=resolved,
        resolved=resolved,
        dismissed=_is(chosen, "status", "dismissed"),
        groups={name: _by_text(chosen, name) for name in ("severity", "service", "rule")},
    )


def figures(cases: Cases, target_s: float, now_s: float, of: Flags | None = None) -> Figures:
    """The figures of all, or of some."""
    meant = np.ones(len(cases.opened), bool) if of is None else of
    counted = meant & ~cases.dismissed
    ended = counted & ~np.isnan(cases.ended)
    took = cases.ended - cases.opened
    in_time = ended & (took <= target_s)
    late = counted & (np.where(np.isnan(cases.ended), now_s, cases.ended) - cases.opened > target_s)
    judged = int(in_time.sum() + late.sum())
    return Figures(
        total=int(counted.sum()),
        open=int((counted & np.isnan(cases.resolved)).sum()),
        dismissed=int((meant & cases.dismissed).sum()),
        acknowledge=_spread((cases.acknowledged - cases.opened)[counted]),
        recover=_spread((cases.ended - cases.began)[counted]),
        resolve=_spread((cases.resolved - cases.opened)[counted]),
        within=float(in_time.sum()) / judged if judged else None,
        late=int(late.sum()),
    )


def grouped(cases: Cases, target_s: float, now_s: float) -> dict[str, dict[str, Figures]]:
    """The figures by sort and name, those with most in them first; what has no name is left out."""
    return {
        sort: {name: figures(cases, target_s, now_s, of) for name, of in groups.items()}
        for sort, groups in cases.groups.items()
    }


def days(cases: Cases, target_s: float, now_s: float, start_s: float, end_s: float) -> list[tuple[float, Figures]]:
    """The figures of each day in UTC, of at most 92 days, the newest; those without any too."""
    first = max(start_s // _DAY_S, (end_s - 1) // _DAY_S - _MOST_DAYS + 1)
    numbers = np.arange(first, (end_s - 1) // _DAY_S + 1)
    own = cases.opened // _DAY_S
    return [(float(number * _DAY_S), figures(cases, target_s, now_s, own == number)) for number in numbers]


def _spread(seconds: Seconds) -> Spread | None:
    known = np.maximum(seconds[~np.isnan(seconds)], 0.0)
    if not len(known):
        return None
    return Spread(len(known), float(known.mean()), float(np.median(known)), float(np.percentile(known, _P90)))


def _opened_in(table: pa.Table, column: str, start_ns: int, end_ns: int) -> pa.Table:
    times = pc.cast(table[column], "int64")
    return table.filter(pc.and_(pc.greater_equal(times, start_ns), pc.less(times, end_ns)))


def _times(table: pa.Table, column: str) -> Seconds:
    numbers = pc.cast(pc.cast(table[column], "int64"), "float64", safe=False)
    return np.asarray(numbers.to_numpy(), dtype=np.float64) / _NS


def _is(table: pa.Table, column: str, word: str) -> Flags:
    return np.asarray(pc.equal(table[column], word).to_numpy(), dtype=np.bool_)


def _by_text(table: pa.Table, column: str) -> dict[str, Flags]:
    return _groups([[text] if text else [] for text in table[column].to_pylist()])


def _by_list(table: pa.Table, column: str) -> dict[str, Flags]:
    return _groups([orjson.loads(text) for text in table[column].to_pylist()])


def _groups(names: Sequence[Sequence[str]]) -> dict[str, Flags]:
    """Which rows have each name, the most frequent names first."""
    counted = Counter(name for each in names for name in each)
    places: dict[str, list[int]] = {name: [] for name, _ in counted.most_common(MOST_GROUPS)}
    for place, each in enumerate(names):
        for name in each:
            if name in places:
                places[name].append(place)
    found = {}
    for name, own in places.items():
        found[name] = np.zeros(len(names), bool)
        found[name][own] = True
    return found
