"""Types of the API's answers about dashboards."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from spanglass_server.dashboards.form.problems import ProblemJson
from spanglass_server.query.answers import Time


class Standing(TypedDict):
    """Where a dashboard stands; one that is not ``editable`` is changed in its file."""

    origin: Literal["settings", "files", "kept", "shipped"]
    file: str
    version: str
    editable: bool


class Summary(Standing):
    """A dashboard in the list."""

    uid: str
    name: str
    description: str
    tags: list[str]
    panels: int


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
    """What a text holds: its dashboards that are right, and everything that is wrong."""

    dashboards: list[dict[str, Any]]
    problems: list[ProblemJson]


class Deleted(TypedDict):
    """A dashboard that was deleted."""

    uid: str
