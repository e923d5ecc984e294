"""What the things of all sections come to: the configuration that the other parts work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.config.channels import CHANNELS
from spanglass_server.notifications.config.routes import INHIBITIONS, INTERVALS, ROOT, ROUTES
from spanglass_server.notifications.ports import Configuration
from spanglass_server.notifications.routing.resolving import DEFAULT_ROUTE, resolved

if TYPE_CHECKING:
    from collections.abc import Mapping


def composed(things: Mapping[str, Mapping[str, Any]]) -> Configuration:
    """The configuration of things by section and name; sections that are not there hold nothing."""
    written = things.get(ROUTES, {}).get(ROOT)
    return Configuration(
        channels=dict(things.get(CHANNELS, {})),
        route=resolved(written) if written is not None else DEFAULT_ROUTE,
        inhibitions=tuple(things.get(INHIBITIONS, {}).values()),
        intervals=dict(things.get(INTERVALS, {})),
        people=dict(things.get("people", {})),
        rotas=dict(things.get("rotas", {})),
        escalations=dict(things.get("escalations", {})),
    )
