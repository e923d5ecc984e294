"""The route that gives the data of a panel as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import RANGE, Param
from spanglass_server.api.routes.exports import FORMULAS, form_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING
from spanglass_server.api.streaming import Streamed
from spanglass_server.dashboards.data.exported import table_of
from spanglass_server.dashboards.data.panel import DEFAULT_POINTS, MAX_POINTS
from spanglass_server.query.exporting.forms import TABLE_FORMS
from spanglass_server.query.exporting.running import Running, Written, begin_table, next_bytes

if TYPE_CHECKING:
    from spanglass_server.api.dashboards.data import PanelsData
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession


@dataclass(frozen=True, slots=True)
class PanelFiles:
    """The handler, which asks as pages do."""

    data: PanelsData

    def part(self, session: QuerySession, params: Params, running: Running | None) -> tuple[bytes, Running | None]:
        """Return the next bytes of a panel's file."""
        return next_bytes(session, running or self._begin(session, params))

    def _begin(self, session: QuerySession, params: Params) -> Running:
        asked: dict[str, Any] = {name: params[name] for name in ("dashboard", "panel", "points")}
        asked["variables"] = _variables(params["variables"])
        answer = self.data.panel(session, {**params, "body": asked})
        if answer["errors"]:
            first = answer["errors"][0]
            message = f"the query {first['query']} could not be answered: {first['message']}"
            raise ApiError("bad_request", message, field="panel", hint=first["hint"])
        return begin_table(table_of(answer), Written(params["format"], guarded=params["formulas"] == "guarded"))


def _variables(text: str | None) -> Any:
    try:
        return orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        hint = 'send {"service": "shop"}'
        raise ApiError("bad_request", f"variables is not JSON: {error}", field="variables", hint=hint) from error


def export_route(data: PanelsData) -> Route:
    """Return the route."""
    return Route(
        path="/dashboards/{dashboard}/panels/{panel}/export",
        summary="What a panel shows as a file.",
        description="A row for each time and series, or as the panel's table has them.",
        parameters=(
            Param("dashboard", "text", help="The dashboard's uid."),
            Param("panel", "text", help="The panel's id."),
            *RANGE,
            Param("variables", "text", help="JSON of what stands for variables; those of the dashboard if left out."),
            Param("points", "integer", DEFAULT_POINTS, "About how many times.", minimum=1, maximum=MAX_POINTS),
            form_param(TABLE_FORMS, "csv"),
            FORMULAS,
        ),
        response=STRING,
        streamed=Streamed(PanelFiles(data).part, TABLE_FORMS, lambda params: _name(params["panel"])),
    )


def _name(panel: str) -> str:
    """A name of a file that a header can carry."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in panel)
