"""What channels need of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.egress.egress import Egress
    from spanglass_server.notifications.model import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What channels need. ``base_url`` is the address of the pages, without a slash at its end.

    ``commands`` are those that channels made in pages may run, each with all its arguments.
    """

    egress: Egress
    clock_ns: Callable[[], int]
    base_url: Callable[[], str]
    commands: tuple[tuple[str, ...], ...] = ()

    def way_to(self, channel: Channel, *hosts: str) -> Egress:
        """The way out for a channel to its hosts: what the settings file names is trusted, what pages name is not."""
        return self.egress.trusting(hosts) if channel.origin == "settings" else self.egress
