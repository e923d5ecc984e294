"""The way out of the server that a check may take: what the operator wrote may go to the hosts that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spanglass_server.health.form.kinds import split_host_port

if TYPE_CHECKING:
    from spanglass_server.egress.egress import Egress
    from spanglass_server.health.check import Check


def way_of(check: Check, egress: Egress, *, trusted: bool) -> Egress:
    """The egress of a check; ``trusted``: it stands in the settings file."""
    return egress.trusting(hosts_of(check)) if trusted else egress


def hosts_of(check: Check) -> tuple[str, ...]:
    """The hosts that a check names."""
    options = check.options
    url = getattr(options, "url", "")
    if url:
        return (urlsplit(url).hostname or "",)
    address = getattr(options, "address", "") or getattr(options, "server", "")
    found = split_host_port(address) if address else None
    return (found[0],) if found is not None else ()
