"""What a metric's page shows of it: the aggregate, what it is grouped by, the period it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.pages.rendering.units import SIZES, TIMES_NS, unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit


class Aggregate(NamedTuple):
    """A way to draw a metric: its name in the URL, its label, the API's aggregate and quantile."""

    key: str
    label: str
    api: str
    q: float | None = None


_RATE, _INCREASE = Aggregate("rate", "rate", "rate"), Aggregate("increase", "increase", "increase")
_AVG, _SUM = Aggregate("avg", "average", "avg"), Aggregate("sum", "sum", "sum")
_MIN, _MAX = Aggregate("min", "least", "min"), Aggregate("max", "most", "max")
_P50, _P95, _P99 = (Aggregate(f"p{p}", f"p{p}", "quantile", p / 100) for p in (50, 95, 99))
#: Several lines at once: what a histogram's page opens with.
QUANTILES = Aggregate("quantiles", "p50, p95, p99", "quantile")
THREE = (_P99, _P95, _P50)
#: Ways to draw a metric by its shape; the first is the default.
WAYS: Mapping[str, Sequence[Aggregate]] = {
    "gauge": (_AVG, _MIN, _MAX, _SUM, _P50, _P95, _P99),
    "counter": (_RATE, _INCREASE),
    "histogram": (QUANTILES, _P50, _P95, _P99, _RATE, _AVG, _SUM),
    "native_histogram": (QUANTILES, _P50, _P95, _P99, _RATE, _AVG, _SUM),
    "summary": (_AVG, _RATE, _SUM),
}
HISTOGRAMS = frozenset({"histogram", "native_histogram"})
#: Periods to hold a chart against: value in the URL, name. ``before`` is the range just before this one.
PERIODS = (("before", "the period before"), ("1d", "a day before"), ("7d", "a week before"), ("none", "nothing"))
MOST_KEYS = 4


@dataclass(frozen=True)
class Choice:
    """What is drawn of a metric; ``unit`` is that of the values drawn, ``per_s`` says that they are a second's."""

    metric: Mapping[str, Any]
    way: Aggregate
    by: tuple[str, ...]
    filter: str
    versus: str
    unit: str
    per_s: bool

    @property
    def ways(self) -> Sequence[Aggregate]:
        """The ways there are."""
        return WAYS[self.metric["shape"]]

    @property
    def parts(self) -> Sequence[Aggregate]:
        """The aggregates that are asked for: three of a histogram's quantiles, else one."""
        return THREE if self.way is QUANTILES else (self.way,)

    @property
    def chart_unit(self) -> str:
        """The unit as ``charts/units.js`` knows it."""
        if self.per_s:
            # of what is counted the title says what it is; seconds a second have no unit
            return "bytes/s" if self.unit in SIZES else "" if self.unit in TIMES_NS else "/s"
        return {"%": "ratio", "By": "bytes", "1": ""}.get(self.unit, self.unit)


def read_choice(visit: Visit, metric: Mapping[str, Any]) -> Choice:
    """Read what the URL asks for; what does not fit the metric is its default."""
    ways = WAYS[metric["shape"]]
    by = tuple(dict.fromkeys(key for part in visit.exact("by").split(",") if (key := part.strip())))[:MOST_KEYS]
    way = next((way for way in ways if way.key == visit.param("agg")), ways[0])
    if way is QUANTILES and by:
        way = _P95
    unit = unit_of(metric["name"], metric["unit"])
    per_s = way is _RATE
    counted = way.api == "rate" and metric["shape"] != "counter"
    return Choice(metric, way, by, visit.param("filter"), _versus(visit, by), "" if counted else unit, per_s)


def _versus(visit: Visit, by: tuple[str, ...]) -> str:
    asked = visit.param("vs")
    if asked in dict(PERIODS):
        return asked
    try:
        return asked if asked and parse_duration_ns(asked) > 0 else "none" if by else "before"
    except UnitError:
        return "none" if by else "before"


def later_ns(choice: Choice, visit: Visit) -> int | None:
    """Return by how much the period that a chart is held against lies before its range; None without one."""
    if choice.versus == "none":
        return None
    return visit.window.length_ns if choice.versus == "before" else parse_duration_ns(choice.versus)
