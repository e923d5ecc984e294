"""Routes about the whole and its components, also below ``/api/monitoring``."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from spanglass_server.api.errors import ApiError
from spanglass_server.api.health import answers, shown
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from spanglass_server.api.params import Params
    from spanglass_server.health.desk import HealthDesk

_MONITORING: Final = "/api/monitoring"


@dataclass(frozen=True, slots=True)
class Whole:
    """The handlers; what they tell was put together before. ``status_page``: whether there is a public one."""

    desk: HealthDesk
    status_page: bool

    def health(self, _: Params) -> answers.HealthJson:
        """Return the whole with its components."""
        return {
            **shown.overall_json(self.desk.overall()),
            "components": [shown.component_json(component) for component in self.desk.components()],
            "enabled": self.desk.defaults.enabled,
            "status_page": self.status_page,
            "version": self.desk.version,
        }

    def status(self, _: Params) -> answers.StatusJson:
        """Return the whole."""
        return shown.overall_json(self.desk.overall())

    def component(self, params: Params) -> answers.ComponentJson:
        """Return one component."""
        try:
            return shown.component_json(self.desk.component(params["uid"]))
        except KeyError:
            known = [component.uid for component in self.desk.components()]
            message = f"there is no component {params['uid']!r}"
            raise ApiError("not_found", message, field="uid", hint=meant(params["uid"], known)) from None


def status_code(answer: Mapping[str, Any]) -> int:
    """503 while the whole is unhealthy, so that what only looks at the code knows."""
    return HTTPStatus.SERVICE_UNAVAILABLE if answer["status"] == "unhealthy" else HTTPStatus.OK


def whole_routes(desk: HealthDesk, *, status_page: bool = False) -> tuple[Route, ...]:
    """Return the routes about the whole."""
    ask = Whole(desk, status_page)
    health = schema_of(answers.HealthJson)
    return (
        Route(
            path="/health", summary="How everything is, with reasons and components.", response=health, reply=ask.health
        ),
        Route(
            path="/components/{uid}",
            summary="One component.",
            parameters=(Param("uid", "text", help="The component's uid."),),
            response=schema_of(answers.ComponentJson),
            reply=ask.component,
        ),
        Route(
            prefix=_MONITORING,
            path="/health/",
            summary="How everything is, with reasons and components.",
            response=health,
            reply=ask.health,
        ),
        Route(
            prefix=_MONITORING,
            path="/status/",
            summary="How the whole is: status, score and reasons.",
            description="The status code is 503 while it is unhealthy.",
            response=schema_of(answers.StatusJson),
            reply=ask.status,
            status_of=status_code,
        ),
    )
