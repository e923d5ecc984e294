"""What a dashboard is. All values are read-only; ``form`` reads and writes them as YAML and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Columns of the grid that panels stand on.
GRID_COLUMNS = 12

PANEL_TYPES = ("line", "area", "bar", "gauge", "stat", "table", "heatmap", "text", "logs", "traces", "top")
#: Types whose queries are searches for records, so that a query without a kind is one in the filter language.
RECORD_TYPES = {"logs": "logs", "traces": "spans"}
QUERY_KINDS = ("query", "promql", "measure", "filter", "sql", "formula")
CALCULATIONS = ("last", "first", "mean", "min", "max", "sum", "count", "delta")
LEVELS = ("ok", "warning", "error", "critical")
LEGENDS = ("list", "table", "hidden")
SIGNALS = ("spans", "logs")
ANNOTATION_SOURCES = ("releases", "alerts", "promql", "spans", "logs")

_SECOND_NS = 10**9


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel. It has one kind: that of ``QUERY_KINDS`` which is given.

    ``query`` is a measure if it can be one, else PromQL; in panels of logs and traces it is a filter. A filter is
    evaluated as ``aggregate`` of the matching records of ``signal``, grouped by the keys ``by``. A formula computes
    with the ids of other queries of the panel. ``legend`` names series: ``{{label}}`` stands for a label's value.
    """

    id: str = ""
    query: str = ""
    promql: str = ""
    measure: str = ""
    sql: str = ""
    formula: str = ""
    signal: str = ""
    filter: str = ""
    aggregate: str = "count"
    by: tuple[str, ...] = ()
    legend: str = ""
    hidden: bool = False

    @property
    def kind(self) -> str:
        """Its kind, one of ``QUERY_KINDS``."""
        given = (kind for kind in ("query", "promql", "measure", "sql", "formula") if getattr(self, kind))
        return next(given, "filter")

    @property
    def text(self) -> str:
        """What is asked, in the language of its kind."""
        return str(getattr(self, self.kind))


@dataclass(frozen=True, slots=True)
class Threshold:
    """From this value on, in the panel's unit, a level."""

    value: float
    level: str = "warning"
    label: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An address of this server, or one with http or https; ``${variable}`` stands for a variable's value."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """A place on the grid, in columns and rows; without ``x`` and ``y`` the panel flows after the one before."""

    x: int | None = None
    y: int | None = None
    w: int | None = None
    h: int | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How a panel is drawn. ``text`` is Markdown; ``calculation`` makes one number of a series."""

    min: float | None = None
    max: float | None = None
    stacked: bool = False
    calculation: str = "last"
    decimals: int | None = None
    legend: str = "list"
    log_scale: bool = False
    connect_gaps: bool = False
    exemplars: bool = False
    sparkline: bool = True
    limit: int | None = None
    ascending: bool = False
    columns: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``id`` is unique in its dashboard; left out, it is made from the title."""

    title: str = ""
    type: str = "line"
    id: str = ""
    description: str = ""
    queries: tuple[Query, ...] = ()
    legend: str = ""
    unit: str = ""
    thresholds: tuple[Threshold, ...] = ()
    options: Options = field(default_factory=Options)
    position: Position = field(default_factory=Position)
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that readers choose. It has one source, or none: then readers type it.

    ``query`` is ``label_values(...)``, ``query_result(...)`` or ``metrics(...)``, ``sql`` a statement whose first
    column counts, ``key`` a key of the records of ``signal`` that match ``filter``, ``values`` a fixed list.
    """

    name: str
    label: str = ""
    query: str = ""
    sql: str = ""
    key: str = ""
    signal: str = "spans"
    filter: str = ""
    values: tuple[str, ...] = ()
    regex: str = ""
    default: tuple[str, ...] = ()
    multi: bool = False
    all: bool = False
    hidden: bool = False

    @property
    def source(self) -> str:
        """``query``, ``sql``, ``key``, ``values``, or ``text`` for one that is typed."""
        return next((name for name in ("query", "sql", "key", "values") if getattr(self, name)), "text")


@dataclass(frozen=True, slots=True)
class Annotation:
    """Marks in all charts of a dashboard; ``label`` may hold ``{{key}}`` of what is marked."""

    name: str
    source: str = "releases"
    query: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard. ``uid`` is its address; left out, it is made from the name.

    ``refresh_interval_ns`` is 0 if it does not refresh. ``range_ns`` reaches back from now. One with ``appears_with``
    is listed while one of these selectors, or measures, has data.
    """

    name: str
    uid: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    refresh_interval_ns: int = 30 * _SECOND_NS
    range_ns: int = 3600 * _SECOND_NS
    appears_with: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    panels: tuple[Panel, ...] = ()
    links: tuple[Link, ...] = ()
