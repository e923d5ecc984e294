"""What clients ask of the server itself: its version, its receivers, its routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.units import format_duration
from spanglass_server.api.alertmanager.endpoint import AlertmanagerRoute
from spanglass_server.forms.dumping import dump
from spanglass_server.notifications.routing.matchers import matcher_text
from spanglass_server.notifications.routing.tree import all_routes
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.api.alertmanager.endpoint import Asked
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.notifications.model import Route

#: The version of Alertmanager whose API this is; amtool says so where its own is another.
SPOKEN: Final = "0.25.0"
#: The name of the receiver of routes that tell the channels that an alert names itself.
OWN: Final = "the channels of each alert"
_NOTE = "# How alerts are routed, in Alertmanager's words. Receivers are channels; times of day are left out.\n"


@dataclass(frozen=True, slots=True)
class Stands:
    """The handlers; ``started_ns`` is when the server began, ``version`` is its own."""

    desk: NotificationDesk
    version: str
    started_ns: int

    def status(self, _: Asked) -> dict[str, Any]:
        """Return the version, and the configuration as amtool reads it."""
        return {
            "cluster": {"status": "disabled", "peers": []},
            "versionInfo": {
                "version": SPOKEN,
                "revision": f"spanglass-{self.version}",
                "branch": "",
                "buildUser": "",
                "buildDate": "",
                "goVersion": "",
            },
            "config": {"original": as_alertmanager(self.desk.book.configuration().route)},
            "uptime": format_time(self.started_ns),
        }

    def receivers(self, _: Asked) -> list[dict[str, str]]:
        """Return the channels."""
        return [{"name": name} for name in self.desk.book.configuration().channels]


def as_alertmanager(root: Route) -> str:
    """Write the tree of routes as Alertmanager's configuration, of which amtool shows routes and tests them."""
    receivers = sorted({_receiver(route) for route in all_routes(root)})
    return _NOTE + dump({"route": _route(root), "receivers": [{"name": name} for name in receivers]})


def _receiver(route: Route) -> str:
    return ",".join(route.channels) or OWN


def _route(route: Route) -> dict[str, Any]:
    written: dict[str, Any] = {"receiver": _receiver(route)}
    if route.matchers:
        written["matchers"] = [matcher_text(matcher) for matcher in route.matchers]
    written["group_by"] = ["..."] if route.group_by is None else list(route.group_by)
    times = {
        "group_wait": route.group_wait_ns,
        "group_interval": route.group_interval_ns,
        "repeat_interval": route.repeat_interval_ns,
    }
    written |= {name: format_duration(time_ns) if time_ns else "0s" for name, time_ns in times.items()}
    if route.continues:
        written["continue"] = True
    if route.routes:
        written["routes"] = [_route(child) for child in route.routes]
    return written


def status_routes(desk: NotificationDesk, version: str, started_ns: int) -> tuple[AlertmanagerRoute, ...]:
    """Return the routes about the server itself."""
    ask = Stands(desk, version, started_ns)
    return (
        AlertmanagerRoute(
            path="/status", summary="The version that is spoken, and how alerts are routed.", answer=ask.status
        ),
        AlertmanagerRoute(path="/receivers", summary="The channels.", answer=ask.receivers),
    )
