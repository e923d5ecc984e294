"""Routes that list, give and change dashboards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spanglass_server.api.dashboards.bodies import BODY, WRITTEN, dashboard_of, read_of
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of, text_of
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.api.written import refusals
from spanglass_server.dashboards import answers
from spanglass_server.dashboards.data.presence import has_data
from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.dashboards.grafana.importing import NotGrafanaError, import_grafana
from spanglass_server.dashboards.layout import places
from spanglass_server.forms.names import uid_of, unused
from spanglass_server.query.window import clamp
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.api.params import Params
    from spanglass_server.dashboards.library import Library
    from spanglass_server.dashboards.model import Dashboard
    from spanglass_server.dashboards.sources.ports import Found
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession

_UID = Param("uid", "text", help="The dashboard's uid.")
_IF_MATCH = Param("If-Match", "text", help="The version that is changed, as it was given.", header=True)
_IMPORT = body_schema({"grafana": {"description": "the JSON of Grafana's dashboard"}}, ["grafana"])
_DUPLICATE = body_schema({"name": {**STRING, "description": "of the new one; left out: (copy) after the old one"}})
#: How far back a dashboard's data may lie.
_LOOK_BACK_NS = 86_400 * 10**9
_SEEN_NS = 600 * 10**9
_EDITABLE = frozenset({"kept", "shipped"})


@dataclass(frozen=True, slots=True)
class Keeping:
    """The handlers. They read files, so they run in the threads of queries."""

    library: Library
    open_series: Callable[[QuerySession], SeriesSource]
    _seen_ns: dict[tuple[str, ...], int] = field(default_factory=dict)

    def list_(self, session: QuerySession, params: Params) -> answers.DashboardList:
        """Return all, or those that have data."""
        shelf = self.library.shelf()
        rows = []
        for found in sorted(shelf.dashboards.values(), key=lambda found: found.dashboard.name.lower()):
            is_there = self._is_there(session, found.dashboard, params["now_ns"])
            if is_there or params["show"] == "all":
                rows.append(_summary(found, has_data=is_there))
        return {
            "dashboards": rows,
            "problems": [problem.as_json() for problem in shelf.problems],
        }

    def _is_there(self, session: QuerySession, dashboard: Dashboard, now_ns: int) -> bool:
        """Whether a dashboard has data; for a while, data that was seen is not looked for again."""
        if not dashboard.appears_with or now_ns - self._seen_ns.get(dashboard.appears_with, -_SEEN_NS) < _SEEN_NS:
            return True
        window = clamp(now_ns - _LOOK_BACK_NS, now_ns)
        is_there = has_data(session, self.open_series(session), dashboard, window)
        if is_there:
            self._seen_ns[dashboard.appears_with] = now_ns
        return is_there

    def get(self, _: QuerySession, params: Params) -> answers.DashboardAnswer:
        """Return one."""
        return self._answer(self._found(params["uid"]))

    def yaml(self, _: QuerySession, params: Params) -> answers.DashboardYaml:
        """Return one as YAML."""
        return {"yaml": DASHBOARDS.to_yaml([self._found(params["uid"]).dashboard])}

    def versions(self, _: QuerySession, params: Params) -> answers.VersionList:
        """Return what one was before."""
        with refusals("precondition_failed", "If-Match"):
            return {
                "versions": [
                    {
                        "version": old.version,
                        "replaced_time": format_time(old.replaced_ns),
                        "dashboard": DASHBOARDS.to_json(old.dashboard),
                    }
                    for old in self.library.store.versions(params["uid"])
                ]
            }

    def check(self, _: QuerySession, params: Params) -> answers.Checked:
        """Return everything that is wrong with a text."""
        read = read_of(params["body"], stands=self.library.shelf().dashboards)
        return {
            "dashboards": [DASHBOARDS.to_json(dashboard) for dashboard in read.values],
            "yaml": DASHBOARDS.to_yaml(read.values) if read.values else "",
            "problems": [problem.as_json() for problem in read.problems],
        }

    def import_(self, _: QuerySession, params: Params) -> answers.ImportedDashboard:
        """Take over a dashboard of Grafana."""
        body = fields_of(params["body"], _IMPORT)
        try:
            imported = import_grafana(body["grafana"])
        except NotGrafanaError as error:
            raise ApiError("bad_request", str(error), field="grafana", hint=error.hint) from error
        return {
            "dashboard": DASHBOARDS.to_json(imported.dashboard),
            "yaml": DASHBOARDS.to_yaml([imported.dashboard]),
            "left_out": [{"panel": entry.panel or None, "what": entry.what} for entry in imported.left_out],
        }

    def create(self, _: QuerySession, params: Params) -> answers.DashboardAnswer:
        """Keep a new one."""
        dashboard = dashboard_of(params["body"])
        WRITTEN.check_unused(dashboard.uid, self.library.shelf().dashboards)
        with refusals("precondition_failed", "If-Match"):
            return self._answer(self.library.store.put(dashboard, ""))

    def replace(self, _: QuerySession, params: Params) -> answers.DashboardAnswer:
        """Change one."""
        dashboard = dashboard_of(params["body"], stands=True)
        before = self._editable(params)
        if dashboard.uid != before.dashboard.uid:
            # a new name does not move it: its address is what links lead to
            dashboard = replace(dashboard, uid=before.dashboard.uid)
        with refusals("precondition_failed", "If-Match"):
            return self._answer(self.library.store.put(dashboard, before.version if before.origin == "kept" else ""))

    def delete(self, _: QuerySession, params: Params) -> answers.Deleted:
        """Delete one."""
        before = self._editable(params)
        if before.origin == "shipped":
            raise WRITTEN.read_only(before.uid, "it comes with the product, and is listed while its data is there")
        with refusals("precondition_failed", "If-Match"):
            self.library.store.delete(before.dashboard.uid, before.version)
        return {"uid": before.dashboard.uid}

    def duplicate(self, _: QuerySession, params: Params) -> answers.DashboardAnswer:
        """Keep a copy of one."""
        before = self._found(params["uid"]).dashboard
        fields = fields_of(params["body"], _DUPLICATE)
        name = text_of(fields, "name") or f"{before.name} (copy)"
        uid = unused(uid_of(name, "dashboard"), self.library.shelf().dashboards)
        with refusals("precondition_failed", "If-Match"):
            return self._answer(self.library.store.put(_as_copy(before, name, uid), ""))

    def _found(self, uid: str) -> Found:
        return WRITTEN.found(uid, self.library.shelf().dashboards)

    def _editable(self, params: Params) -> Found:
        """The dashboard that is to be changed; ApiError unless it may be, and has the version that the caller saw."""
        found = self._found(params["uid"])
        if found.origin not in _EDITABLE:
            raise WRITTEN.read_only(found.uid, f"change it in {found.file}, or duplicate it")
        wanted = (params["If-Match"] or "").strip().removeprefix("W/").strip('"')
        if not wanted:
            hint = f'send the header If-Match: "{found.version}", the version that you changed'
            raise ApiError("bad_request", "the header If-Match is missing", field="If-Match", hint=hint)
        if wanted not in {found.version, "*"}:
            hint = f"get it again, and make the change to what it is now; its version now is {found.version}"
            message = f"the dashboard {found.dashboard.uid!r} was changed by somebody else"
            raise ApiError("precondition_failed", message, field="If-Match", hint=hint)
        return found

    def _answer(self, found: Found) -> answers.DashboardAnswer:
        panels = found.dashboard.panels
        placed = zip(panels, places(panels), strict=True)
        return {
            **_standing(found),
            "dashboard": DASHBOARDS.to_json(found.dashboard),
            "layout": [
                {"panel": panel.id, "x": place.x, "y": place.y, "w": place.w, "h": place.h} for panel, place in placed
            ],
            "problems": [problem.as_json() for problem in self.library.shelf().problems if problem.file == found.file],
        }


def _as_copy(dashboard: Dashboard, name: str, uid: str) -> Dashboard:
    """A copy is listed always: somebody wanted it."""
    return replace(dashboard, name=name, uid=uid, appears_with=())


def _standing(found: Found) -> answers.Standing:
    return {
        "origin": found.origin,
        "file": found.file,
        "version": found.version,
        "editable": found.origin in _EDITABLE,
    }


def _summary(found: Found, *, has_data: bool) -> answers.Summary:
    dashboard = found.dashboard
    return {
        **_standing(found),
        "uid": dashboard.uid,
        "name": dashboard.name,
        "description": dashboard.description,
        "tags": list(dashboard.tags),
        "panels": len(dashboard.panels),
        "has_data": has_data,
    }


def keeping_routes(library: Library, open_series: Callable[[QuerySession], SeriesSource]) -> tuple[Route, ...]:
    """Return the routes."""
    ask = Keeping(library, open_series)
    one = schema_of(answers.DashboardAnswer)
    return (
        Route(
            path="/dashboards",
            summary="All dashboards, and what is wrong with their files.",
            parameters=(
                Param(
                    "show",
                    "choice",
                    "data",
                    "data leaves out those whose data of the last day is not there, all does not.",
                    choices=("data", "all"),
                ),
            ),
            response=schema_of(answers.DashboardList),
            query=ask.list_,
        ),
        Route(
            method="POST",
            path="/dashboards",
            summary="Keep a new dashboard.",
            body=BODY,
            response=one,
            query=ask.create,
        ),
        Route(
            method="POST",
            path="/dashboards/check",
            summary="Everything that is wrong with a dashboard, or with a file of them.",
            body=BODY,
            response=schema_of(answers.Checked),
            query=ask.check,
        ),
        Route(
            method="POST",
            path="/dashboards/import",
            summary="A dashboard of Grafana as one of ours, with what is left out; it is not kept yet.",
            body=_IMPORT,
            response=schema_of(answers.ImportedDashboard),
            query=ask.import_,
        ),
        Route(path="/dashboards/{uid}", summary="One dashboard.", parameters=(_UID,), response=one, query=ask.get),
        Route(
            method="PUT",
            path="/dashboards/{uid}",
            summary="Change a dashboard.",
            parameters=(_UID, _IF_MATCH),
            body=BODY,
            response=one,
            query=ask.replace,
        ),
        Route(
            method="DELETE",
            path="/dashboards/{uid}",
            summary="Delete a dashboard; one that came with the product is again what it was.",
            parameters=(_UID, _IF_MATCH),
            response=schema_of(answers.Deleted),
            query=ask.delete,
        ),
        Route(
            method="POST",
            path="/dashboards/{uid}/duplicate",
            summary="Keep a copy of a dashboard.",
            parameters=(_UID,),
            body=_DUPLICATE,
            response=one,
            query=ask.duplicate,
        ),
        Route(
            path="/dashboards/{uid}/yaml",
            summary="A dashboard as YAML.",
            parameters=(_UID,),
            response=schema_of(answers.DashboardYaml),
            query=ask.yaml,
        ),
        Route(
            path="/dashboards/{uid}/versions",
            summary="What a dashboard was before, newest first.",
            parameters=(_UID,),
            response=schema_of(answers.VersionList),
            query=ask.versions,
        ),
    )
