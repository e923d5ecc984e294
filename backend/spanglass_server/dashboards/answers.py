"""Types of the API's answers about dashboards."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from spanglass_server.forms.problems import ProblemJson
from spanglass_server.query.answers import Time, TimeRange


class Standing(TypedDict):
    """Where a dashboard stands; one that is not ``editable`` is changed in its file."""

    origin: Literal["settings", "files", "kept", "shipped"]
    file: str
    version: str
    editable: bool


class Summary(Standing):
    """A dashboard in the list; ``has_data``: whether what it appears with is there, true for one that says nothing."""

    uid: str
    name: str
    description: str
    tags: list[str]
    panels: int
    has_data: bool


class DashboardList(TypedDict):
    """``GET /api/v1/dashboards``."""

    dashboards: list[Summary]
    problems: list[ProblemJson]


class PlaceJson(TypedDict):
    """A panel's place on the grid of 12 columns."""

    panel: str
    x: int
    y: int
    w: int
    h: int


class DashboardAnswer(Standing):
    """One dashboard: what it is, and where its panels stand."""

    dashboard: dict[str, Any]
    layout: list[PlaceJson]
    problems: list[ProblemJson]


class DashboardYaml(TypedDict):
    """A dashboard as YAML."""

    yaml: str


class OldVersionJson(TypedDict):
    """A version that a dashboard had before."""

    version: str
    replaced_time: Time
    dashboard: dict[str, Any]


class VersionList(TypedDict):
    """Versions before the one that stands, newest first."""

    versions: list[OldVersionJson]


class Checked(TypedDict):
    """What a text holds: its dashboards that are right, these as YAML, and everything that is wrong."""

    dashboards: list[dict[str, Any]]
    yaml: str
    problems: list[ProblemJson]


class LeftOutJson(TypedDict):
    """Something of Grafana's dashboard that the result lacks; ``panel`` is null for the dashboard itself."""

    panel: str | None
    what: str


class ImportedDashboard(TypedDict):
    """A dashboard of Grafana as one of ours, which is not kept yet."""

    dashboard: dict[str, Any]
    yaml: str
    left_out: list[LeftOutJson]


class Deleted(TypedDict):
    """A dashboard that was deleted."""

    uid: str


class LinkJson(TypedDict):
    """A link, with variables put in."""

    title: str
    url: str


class SeriesJson(TypedDict):
    """One series: ``values`` at the panel's times, and the one number that the panel's calculation makes of them.

    ``records`` is a filter of the records behind it, for a link from the series to its traces or logs; ``slot`` the
    colour of the service that it is about.
    """

    query: str
    name: str
    labels: dict[str, str]
    values: list[float | None]
    value: float | None
    level: str | None
    slot: int | None
    records: dict[str, str] | None


class TableJson(TypedDict):
    """A table; the type of a column is text, number or time."""

    columns: list[dict[str, str]]
    rows: list[list[Any]]


class HeatmapJson(TypedDict):
    """``counts`` has a list a bucket, of a count a time; a bound is the upper end of its bucket, null for no end."""

    bounds: list[float | None]
    counts: list[list[float]]
    times: list[int]


class QueryErrorJson(TypedDict):
    """A query that could not be answered, with the place in its text, counted from 1."""

    query: str
    message: str
    line: int | None
    column: int | None
    hint: str | None


class PanelData(TypedDict):
    """The data of a panel, in one form for all types. ``times`` are Unix milliseconds."""

    window: TimeRange
    step_ms: int
    type: str
    title: str
    description: str
    text: str
    unit: str
    links: list[LinkJson]
    times: list[int]
    series: list[SeriesJson]
    table: TableJson | None
    heatmap: HeatmapJson | None
    records: list[dict[str, Any]] | None
    notes: list[str]
    errors: list[QueryErrorJson]


class VariableAnswer(TypedDict):
    """The values of a variable; ``is_cut`` if there are more. ``chosen`` stands for it now."""

    name: str
    values: list[str]
    is_cut: bool
    chosen: list[str]
    error: QueryErrorJson | None


class VariableList(TypedDict):
    """The values of all variables of a dashboard, in its order."""

    variables: list[VariableAnswer]
