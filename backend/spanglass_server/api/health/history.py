"""Routes about what was: changes of status, and uptime, of checks, components and the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.api.errors import ApiError
from spanglass_server.api.health import answers, shown
from spanglass_server.api.health.checks import UID
from spanglass_server.api.params import CURSOR_PARAM, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.health.model import OVERALL, check_subject, component_subject
from spanglass_server.query.cursors import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.api.params import Params
    from spanglass_server.health.desk import HealthDesk
    from spanglass_server.store.ports import QuerySession

_STEP: Final = Param("step", "duration", help="Also the uptime of each step of this length, such as 1d.")
_MOST_STEPS: Final = 1000
_ORDER: Final = "changes"
_LAST: Final = 2**63 - 1  # number that a change can have


@dataclass(frozen=True, slots=True)
class History:
    """The handlers; ``subject`` says what the path of a route is about, "" for everything."""

    desk: HealthDesk
    subject: Callable[[Params], str]

    def changes(self, _: QuerySession, params: Params) -> answers.ChangeList:
        """Return a page of changes."""
        cursor = Cursor.decode(params["cursor"], _ORDER, id_bytes=0)
        limit = params["limit"]
        before = min(cursor.value, _LAST) if cursor is not None else 0
        found = self.desk.changes(self.subject(params), limit=limit + 1, before=before)
        page = found[:limit]
        more = len(found) > limit
        return {
            "changes": [shown.change_json(change) for change in page],
            "next_cursor": Cursor(page[-1].number, b"").encode(_ORDER) if more else None,
        }

    def uptime(self, _: QuerySession, params: Params) -> answers.UptimeJson:
        """Return the uptime over a range, and that of its steps."""
        subject, window, step_ns = self.subject(params) or OVERALL, params["window"], params["step"]
        whole = self.desk.uptime(subject, window.start_ns, window.end_ns)
        if not step_ns:
            return shown.uptime_json(whole, [])
        steps = -(-(window.end_ns - window.start_ns) // step_ns)
        if steps > _MOST_STEPS:
            hint = f"at most {_MOST_STEPS}: choose a longer step"
            raise ApiError("bad_request", f"{steps} steps are too many", field="step", hint=hint)
        return shown.uptime_json(whole, list(self.desk.uptime_by_step(subject, window.start_ns, step_ns, steps)))


def history_routes(desk: HealthDesk) -> tuple[Route, ...]:
    """Return the routes about what was."""
    places: tuple[tuple[str, str, tuple[Param, ...], Callable[[Params], str]], ...] = (
        ("/health", "everything", (), lambda _: ""),
        ("/checks/{uid}", "a check", (UID,), lambda params: check_subject(params["uid"])),
        (
            "/components/{uid}",
            "a component",
            (Param("uid", "text", help="The component's uid."),),
            lambda params: component_subject(params["uid"]),
        ),
    )
    return tuple(
        route
        for path, noun, parameters, subject in places
        for route in (
            Route(
                path=f"{path}/changes",
                summary=f"Changes of status of {noun}, newest first; also of what is no more.",
                parameters=(*parameters, limit_param(100, 1000), CURSOR_PARAM),
                response=schema_of(answers.ChangeList),
                query=History(desk, subject).changes,
            ),
            Route(
                path=f"{path}/uptime",
                summary=f"How much of a range {noun} was up, and its outages.",
                parameters=(*parameters, *RANGE, _STEP),
                response=schema_of(answers.UptimeJson),
                query=History(desk, subject).uptime,
            ),
        )
    )
