"""Routes that give the data of panels and the values of variables."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.api.dashboards.exporting import export_route
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of, text_of
from spanglass_server.api.params import RANGE
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.dashboards import answers
from spanglass_server.dashboards.data.failing import QueryFailedError
from spanglass_server.dashboards.data.panel import DEFAULT_POINTS, MAX_POINTS, PanelQuestion, panel_data
from spanglass_server.dashboards.data.variables import VariableValues
from spanglass_server.dashboards.form.spec import DASHBOARDS, PANEL, VARIABLE
from spanglass_server.promql.engine import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.api.params import Params
    from spanglass_server.dashboards.library import Library
    from spanglass_server.dashboards.model import Dashboard, Panel, Variable
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession

_CHOSEN = {
    "type": "object",
    "additionalProperties": {"oneOf": [STRING, {"type": "array", "items": STRING}]},
    "description": "what stands for variables; $__all stands for all values",
}
_DASHBOARD = {**STRING, "description": "a dashboard's uid"}
_DEFINED = {"type": "array", "items": VARIABLE.schema, "description": "instead of those of the dashboard"}
_PANEL_DATA = body_schema(
    {
        "dashboard": _DASHBOARD,
        "panel": {"oneOf": [STRING, PANEL.schema], "description": "the id of one of its panels, or any panel"},
        "variables": _CHOSEN,
        "definitions": _DEFINED,
        "step": {**STRING, "description": "time between points, like 30s; left out, a round one for the points"},
        "points": {"type": "integer", "minimum": 1, "maximum": MAX_POINTS, "default": DEFAULT_POINTS},
    },
    ["panel"],
)
_VARIABLES = body_schema({"dashboard": _DASHBOARD, "definitions": _DEFINED, "variables": _CHOSEN})


@dataclass(frozen=True, slots=True)
class PanelsData:
    """The handlers."""

    library: Library
    open_series: Callable[[QuerySession], SeriesSource]
    deadline_s: float

    def panel(self, session: QuerySession, params: Params) -> answers.PanelData:
        """Return the data of a panel."""
        body = fields_of(params["body"], _PANEL_DATA)
        dashboard = self._dashboard(body)
        panel = _panel(body["panel"], dashboard)
        variables = self._variables(session, params, body, dashboard)
        return panel_data(PanelQuestion(panel, variables, params["now_ns"], _points(body), _step(body)))

    def variables(self, session: QuerySession, params: Params) -> answers.VariableList:
        """Return the values of variables."""
        body = fields_of(params["body"], _VARIABLES)
        variables = self._variables(session, params, body, self._dashboard(body))
        return {"variables": [_values(variables, variable) for variable in variables.variables]}

    def _dashboard(self, body: dict[str, Any]) -> Dashboard | None:
        uid = text_of(body, "dashboard")
        if not uid:
            return None
        found = self.library.shelf().dashboards.get(uid)
        if found is None:
            hint = "GET /api/v1/dashboards lists dashboards"
            raise ApiError("not_found", f"there is no dashboard {uid!r}", field="dashboard", hint=hint)
        return found.dashboard

    def _variables(
        self, session: QuerySession, params: Params, body: dict[str, Any], dashboard: Dashboard | None
    ) -> VariableValues:
        defined = _definitions(body) if "definitions" in body else dashboard.variables if dashboard else ()
        options = Options(deadline_s=time.monotonic() + self.deadline_s)
        return VariableValues(session, self.open_series(session), params["window"], defined, _chosen(body), options)


def _panel(given: Any, dashboard: Dashboard | None) -> Panel:
    if isinstance(given, str):
        panels = {panel.id: panel for panel in dashboard.panels} if dashboard is not None else {}
        if given not in panels:
            hint = f"it has: {', '.join(panels)}" if panels else "name its dashboard too"
            raise ApiError("not_found", f"there is no panel {given!r}", field="panel", hint=hint)
        return panels[given]
    panel: Panel = _read({"name": "panel", "panels": [given]}, "panel", "panels[0]").panels[0]
    return panel


def _definitions(body: dict[str, Any]) -> tuple[Variable, ...]:
    return _read({"name": "variables", "variables": body["definitions"]}, "definitions", "variables").variables


def _read(written: dict[str, Any], field: str, path: str) -> Dashboard:
    """Read a part of a dashboard; ApiError naming what is wrong first."""
    read = DASHBOARDS.read_json(written)
    if read.problems:
        first = read.problems[0]
        place = field + first.path.removeprefix(path)
        raise ApiError("bad_request", first.message, field=place, hint=first.hint or None)
    return read.values[0]


def _chosen(body: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    given = body.get("variables") or {}
    if not isinstance(given, dict):
        raise ApiError("bad_request", "variables is no JSON object", field="variables", hint='send {"service": "shop"}')
    chosen: dict[str, tuple[str, ...]] = {}
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in values):
            hint = "send a JSON string, or a list of them"
            raise ApiError("bad_request", f"the variable {name} is no text", field=f"variables.{name}", hint=hint)
        chosen[name] = tuple(values)
    return chosen


def _points(body: dict[str, Any]) -> int:
    points = body.get("points", DEFAULT_POINTS)
    if not isinstance(points, int) or isinstance(points, bool) or not 1 <= points <= MAX_POINTS:
        raise ApiError("bad_request", f"points is no whole number from 1 to {MAX_POINTS}", field="points")
    return points


def _step(body: dict[str, Any]) -> int | None:
    text = text_of(body, "step")
    if not text:
        return None
    try:
        return max(1, parse_duration_ns(text))
    except UnitError as error:
        hint = "write a number and a unit, such as 30s or 5m"
        raise ApiError("bad_request", str(error), field="step", hint=hint) from error


def _values(variables: VariableValues, variable: Variable) -> answers.VariableAnswer:
    """The values of one variable; one that fails is told beside the others."""
    try:
        values = variables.values(variable.name)
        chosen = variables.chosen_of(variable)
    except QueryFailedError as error:
        problem = error.problem
        told: answers.QueryErrorJson = {
            "query": variable.name,
            "message": problem.message,
            "line": problem.line or None,
            "column": problem.column or None,
            "hint": problem.hint or None,
        }
        return {"name": variable.name, "values": [], "is_cut": False, "chosen": [], "error": told}
    return {
        "name": variable.name,
        "values": list(values.values),
        "is_cut": values.is_cut,
        "chosen": list(chosen),
        "error": None,
    }


def data_routes(
    library: Library, open_series: Callable[[QuerySession], SeriesSource], deadline_s: float
) -> tuple[Route, ...]:
    """Return the routes."""
    ask = PanelsData(library, open_series, deadline_s)
    return (
        export_route(ask),
        Route(
            method="POST",
            path="/dashboards/panel-data",
            summary="The data of a panel: all its queries, in one form for all types of panels.",
            parameters=RANGE,
            body=_PANEL_DATA,
            response=schema_of(answers.PanelData),
            query=ask.panel,
        ),
        Route(
            method="POST",
            path="/dashboards/variables",
            summary="The values that variables can have, and those that stand for them.",
            parameters=RANGE,
            body=_VARIABLES,
            response=schema_of(answers.VariableList),
            query=ask.variables,
        ),
    )
