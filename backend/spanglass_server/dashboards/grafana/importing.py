"""A dashboard of Grafana as one of ours, with everything that is left out, panel by panel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.dashboards.grafana.appearance import Grid
from spanglass_server.dashboards.grafana.panels import heading, links_of, panel_of
from spanglass_server.dashboards.grafana.source import LeftOut, Told, at, items, text, texts
from spanglass_server.dashboards.grafana.variables import annotations_of, variables_of
from spanglass_server.forms.names import SLUG_PATTERN, TAKEN, uid_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.dashboards.model import Dashboard

_RANGE = re.compile(r"now-(\d+[smhdw])(?:/[a-z]+)?")
_MAX_PANELS = 200
_MAX_TAGS = 20
_MINUTE_NS = 60 * 10**9
_SECOND_NS = 10**9


class NotGrafanaError(ValueError):
    """JSON that is no dashboard of Grafana's; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Imported:
    """The dashboard, and what of Grafana's it lacks."""

    dashboard: Dashboard
    left_out: tuple[LeftOut, ...]


def import_grafana(value: Any) -> Imported:
    """Take over a dashboard from the JSON that Grafana exports, or gives over its API. Raises ``NotGrafanaError``."""
    source = _dashboard_of(value)
    told = Told()
    title = text(source, "title") or "Imported"
    written: dict[str, Any] = {
        "name": title,
        "description": text(source, "description"),
        "tags": [tag for tag in texts(at(source, "tags")) if tag.strip()][:_MAX_TAGS],
        "refresh_interval": _refresh(source, told),
        "range": _range(source, told),
        "variables": _right(variables_of(source, told), "variables", told),
        "annotations": _right(annotations_of(source, told), "annotations", told),
        "links": links_of(source, told),
        "panels": list(_panels(source, told)),
    }
    uid = text(source, "uid")
    if re.fullmatch(SLUG_PATTERN, uid) and uid not in TAKEN["dashboard"] and uid != uid_of(title, "dashboard"):
        written["uid"] = uid
    read = DASHBOARDS.read_json(written)
    if read.problems:  # each part was read by itself; what is left are parts that do not go together
        told.panel = ""
        for problem in read.problems:
            told.say(str(problem))
        raise NotGrafanaError("; ".join(str(problem) for problem in read.problems), "write it as YAML")
    return Imported(read.values[0], tuple(told.left_out))


def _dashboard_of(value: Any) -> dict[str, Any]:
    hint = "in Grafana, choose Export and Save to file"
    found: Any = at(value, "dashboard") if isinstance(at(value, "dashboard"), dict) else value
    if not isinstance(found, dict):
        raise NotGrafanaError("this is no JSON object", hint)
    if text(found, "apiVersion") and isinstance(found.get("spec"), dict):
        found = found["spec"]
    if isinstance(at(found, "elements"), dict):
        raise NotGrafanaError("this is a dashboard of Grafana's schema v2", "export it as Classic")
    if items(found, "rows") and not items(found, "panels"):
        raise NotGrafanaError("this is a dashboard from before Grafana 5", "open it in a newer Grafana and export it")
    if not isinstance(at(found, "panels"), list):
        raise NotGrafanaError("this has no panels", hint)
    return dict(found)


def _refresh(source: Any, told: Told) -> str:
    refresh = at(source, "refresh")
    if not refresh or not isinstance(refresh, str):
        return "off"
    if _duration(refresh) >= _SECOND_NS:
        return refresh
    told.say(f"refreshing {refresh!r}")
    return "30s"


def _range(source: Any, told: Told) -> str:
    start = text(source, "time", "from")
    found = _RANGE.fullmatch(start)
    if found and _duration(found[1]) >= _MINUTE_NS:
        return found[1]
    if start:
        told.say(f"the time range that begins at {start!r}: it is the last hour")
    return "1h"


def _duration(text_: str) -> int:
    try:
        return parse_duration_ns(text_)
    except UnitError:
        return 0


def _panels(source: Any, told: Told) -> Iterator[dict[str, Any]]:
    """Panels in their order on the page, those of rows that are folded after their row."""
    grid, count = Grid(), 0
    for panel, is_row in _flat(source):
        told.panel = text(panel, "title") or f"a panel of the type {text(panel, 'type')}"
        if count == _MAX_PANELS:
            told.say(f"the panel: there are more than {_MAX_PANELS}")
            continue
        if is_row:
            if not text(panel, "title"):
                continue
            if text(panel, "repeat"):
                told.say(f"repeating for each value of {text(panel, 'repeat')}")
            found: dict[str, Any] | None = heading(text(panel, "title"))
        else:
            found = panel_of(panel, told)
        for right in _right([found] if found else [], "panels", told):
            count += 1
            yield right | {"position": grid.place(at(panel, "gridPos"), is_heading=is_row)}
    told.panel = ""


def _flat(source: Any) -> Iterator[tuple[dict[str, Any], bool]]:
    def place(panel: dict[str, Any]) -> tuple[float, float]:
        y, x = at(panel, "gridPos", "y"), at(panel, "gridPos", "x")
        return (y if isinstance(y, int | float) else 0, x if isinstance(x, int | float) else 0)

    for panel in sorted(items(source, "panels"), key=place):
        is_row = text(panel, "type") == "row"
        yield panel, is_row
        if is_row:
            for inner in sorted(items(panel, "panels"), key=place):
                yield inner, False


def _right(written: list[dict[str, Any]], key: str, told: Told) -> list[dict[str, Any]]:
    """Those that can be read; what is wrong with the others is told."""
    right = []
    for one in written:
        problems = DASHBOARDS.read_json({"name": "one", key: [one]}).problems
        for problem in problems:
            told.say(f"{key.removesuffix('s')}: {problem.message}")
        if not problems:
            right.append(one)
    return right
